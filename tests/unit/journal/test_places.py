"""Where journals can be: by the environment, this user's alone, and nothing else that is there."""

import os
import stat
from pathlib import Path

import pytest

from wiretape.journal import places

ID = "123-0123456789abcdef"


@pytest.fixture(name="temporary", autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which no folder is chosen."""
    for name in ("XDG_STATE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    return tmp_path / "tmp" / f"wiretape-{os.getuid()}" / "journal"


@pytest.mark.parametrize(
    ("environment", "first"),
    [
        ({}, "{}/home/.local/state"),
        ({"XDG_STATE_HOME": "{}/state"}, "{}/state"),
        ({"LOCALAPPDATA": "{}/data"}, "{}/data"),
        ({"XDG_STATE_HOME": "{}/state", "LOCALAPPDATA": "{}/data"}, "{}/state"),
        ({"XDG_STATE_HOME": ""}, "{}/home/.local/state"),
        ({"XDG_STATE_HOME": "below/here"}, "{}/home/.local/state"),
    ],
)
def test_the_users_state_folder_is_the_best_and_the_temporary_one_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, temporary: Path, environment: dict[str, str], first: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(tmp_path))
    assert places.state_folders() == [Path(first.format(tmp_path), "wiretape", "journal"), temporary]


def test_a_user_without_a_home_has_the_temporary_folder(monkeypatch: pytest.MonkeyPatch, temporary: Path) -> None:
    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", homeless)
    assert places.state_folders() == [temporary]


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        (ID, True),
        ("1-ffffffffffffffff", True),
        ("123-0123456789ABCDEF", False),
        ("123-0123456789abcde", False),
        ("123-0123456789abcdef0", False),
        ("-0123456789abcdef", False),
        ("123", False),
    ],
)
def test_a_journal_is_told_by_its_name(temporary: Path, name: str, *, is_one: bool) -> None:
    (temporary / name).mkdir(parents=True)
    assert places.journals() == ([temporary / name] if is_one else [])


def test_neither_a_file_nor_a_link_is_a_journal(temporary: Path, tmp_path: Path) -> None:
    temporary.mkdir(parents=True)
    (temporary / ID).write_text("")
    (temporary / "1-0123456789abcdef").symlink_to(tmp_path)
    assert places.journals() == []


def test_journals_of_all_places_are_found_the_best_place_first(temporary: Path, tmp_path: Path) -> None:
    home = tmp_path / "home" / ".local" / "state" / "wiretape" / "journal"
    made = [home / "2-0123456789abcdef", home / "3-0123456789abcdef", temporary / "1-0123456789abcdef"]
    for each in reversed(made):
        each.mkdir(parents=True)
    assert places.journals() == made


@pytest.mark.parametrize("before", [None, 0o755, 0o777, 0o700])
def test_a_private_folder_is_the_users_alone_and_so_is_the_one_above(tmp_path: Path, before: int | None) -> None:
    folder = tmp_path / "wiretape" / "journal"
    if before is not None:
        folder.mkdir(parents=True)
        folder.chmod(before)
        folder.parent.chmod(before)
    places.make_private(folder)
    assert [stat.S_IMODE(each.stat().st_mode) for each in (folder.parent, folder)] == [0o700, 0o700]


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "journal").mkdir(parents=True)
    (tmp_path / "wiretape").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="wiretape is another user's"):
        places.make_private(tmp_path / "wiretape" / "journal")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_refused_and_holds_no_journal(temporary: Path) -> None:
    (temporary / ID).mkdir(parents=True)
    os.chown(temporary / ID, 65534, -1)
    assert places.journals() == []
    with pytest.raises(OSError, match=f"{ID} is another user's"):
        places.make_private(temporary / ID)
