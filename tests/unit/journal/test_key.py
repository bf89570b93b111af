"""The key of a journal: in memory, its owner's alone, found by who finishes it, and by nobody's trick."""

import stat
from pathlib import Path

import pytest

from wiretape.journal import key as keys

KEY = bytes(range(32))


@pytest.fixture(name="memory")
def _memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    memory = tmp_path / "memory"
    memory.mkdir(mode=0o700)
    monkeypatch.setattr(keys, "key_folders", lambda: [memory])
    return memory


@pytest.fixture(name="place")
def _place(tmp_path: Path) -> Path:
    place = tmp_path / "0123abcd"
    place.mkdir()
    return place


def test_a_key_is_kept_found_and_forgotten(memory: Path, place: Path) -> None:
    file = keys.keep(place, KEY)
    assert file == memory / "wiretape-0123abcd" / "key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert keys.find(place) == KEY
    assert KEY not in b"".join(each.read_bytes() for each in place.iterdir() if each.is_file())
    keys.forget(place)
    assert keys.find(place) is None
    assert [*memory.iterdir(), *place.iterdir()] == []
    keys.forget(place)


def test_who_finishes_it_may_have_another_environment(
    memory: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del memory
    keys.keep(place, KEY)
    monkeypatch.setattr(keys, "key_folders", list)
    assert keys.find(place) == KEY


def test_a_link_to_another_journals_key_is_not_followed(
    memory: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = memory / "wiretape-other"
    other.mkdir(0o700)
    (other / "key").write_bytes(KEY)
    (other / "key").chmod(0o600)
    monkeypatch.setattr(keys, "key_folders", list)
    (place / "key").symlink_to(other)
    assert keys.find(place) is None
    keys.forget(place)
    assert (other / "key").exists()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.chmod(0o640),
        lambda file: file.parent.chmod(0o750),
        lambda file: file.write_bytes(KEY[:31]),
        lambda file: file.write_bytes(KEY + b"x"),
        lambda file: (file.rename(file.with_name("elsewhere")), file.symlink_to(file.with_name("elsewhere"))),
        lambda file: (file.unlink(), file.mkdir()),
    ],
)
def test_what_is_not_this_users_alone_is_no_key(memory: Path, place: Path, spoil: object) -> None:
    del memory
    file = keys.keep(place, KEY)
    assert file
    assert callable(spoil)
    spoil(file)
    assert keys.find(place) is None


def test_a_folder_that_is_a_link_is_no_place(memory: Path, place: Path, tmp_path: Path) -> None:
    aside = tmp_path / "aside"
    aside.mkdir(mode=0o700)
    (memory / "wiretape-0123abcd").symlink_to(aside)
    assert keys.keep(place, KEY) is None
    assert [*aside.iterdir()] == []
    keys.forget(place)
    assert aside.is_dir()


def test_where_there_is_no_memory_there_is_no_key(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "key_folders", list)
    assert keys.keep(place, KEY) is None
    assert keys.find(place) is None


@pytest.mark.parametrize(
    ("mode", "fits"), [(0o700, True), (0o755, True), (0o1777, True), (0o777, False), (0o770, False)]
)
def test_a_folder_fits_where_nobody_else_can_take_away_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, *, fits: bool
) -> None:
    folder = tmp_path / "runtime"
    folder.mkdir()
    folder.chmod(mode)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setattr(keys, "is_in_memory", lambda each: each == folder)
    assert keys.key_folders() == ([folder] if fits else [])


def test_a_disk_is_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(keys, "is_in_memory", lambda each: False)
    assert keys.key_folders() == []
