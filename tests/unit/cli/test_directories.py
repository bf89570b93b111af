"""What wiretape run tells of the directories of its command."""

import tempfile
from pathlib import Path

import pytest

from wiretape.cli.directories import places
from wiretape.matching.rules import parse_places


@pytest.fixture(name="root")
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory to work in, and a link that leads to it."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path / "real")
    return tmp_path


def test_a_directory_behind_a_link_has_both_paths(root: Path) -> None:
    link = str(root / "link")
    real = str(root / "real")
    found = parse_places(places({"PWD": link, "HOME": link, "TMPDIR": real}))
    assert found.cwd == found.home == (link, real)
    assert found.tmp == (real,)


@pytest.mark.parametrize("shown", ["", "/", "/there/is/none"])
def test_a_shell_that_shows_another_directory_is_not_believed(root: Path, shown: str) -> None:
    assert parse_places(places({"PWD": shown})).cwd == (str(root / "real"),)


def test_what_is_not_set_is_what_programs_take_then(root: Path) -> None:
    found = parse_places(places({}))
    assert found.home == ()
    assert found.tmp[0] == tempfile.gettempdir()
    assert parse_places(places({"TMP": str(root / "b"), "TEMP": str(root / "a")})).tmp == (str(root / "a"),)


def test_paths_are_whole(root: Path) -> None:
    assert parse_places(places({"TMPDIR": "../link"})).tmp == (str(root / "link"), str(root / "real"))


def test_a_directory_that_was_removed_is_told_by_nobody(root: Path) -> None:
    (root / "real").rmdir()
    assert parse_places(places({"PWD": str(root / "real")})).cwd == ()
