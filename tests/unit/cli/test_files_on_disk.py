"""Recordings below a folder as commands see them: by name, whatever is above them, and never past a link out."""

import os
from pathlib import Path

import pytest

from wiretape.cli.files_on_disk import OnDisk
from wiretape.cli.sources import source
from wiretape.exceptions import NotARecordingError
from wiretape.store.directory import DirectoryStore
from wiretape.store.freezing import Frozen, freeze


def write(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    root = tmp_path / "recordings"
    write(root, "a/responses/2.json", "a/responses/1.json", "a/wire/1.json", "b/responses/1.json", "loose.json")
    write(root, "a/notes.txt", ".hidden/responses/1.json", "a/responses/.1.json.tmp", "a/responses/.2.json")
    return root


def below(root: Path, session: str | None = None, *, captures: bool = False) -> list[str]:
    return [each.below for each in source(str(root), session).files(captures=captures)]


def test_all_recordings_in_the_order_of_their_names(root: Path) -> None:
    assert below(root) == ["a/responses/1", "a/responses/2", "b/responses/1", "loose"]
    assert below(root, "a") == ["a/responses/1", "a/responses/2"]
    assert below(root / "a" / "responses") == ["1", "2"]


def test_captures_come_where_they_are_wanted(root: Path) -> None:
    assert below(root, "a", captures=True) == ["a/responses/1", "a/responses/2", "a/wire/1"]
    assert below(root / "a" / "wire") == ["1"], "who asks for that folder alone wants what is in it"


def test_links_that_stay_inside_are_followed_once(root: Path) -> None:
    (root / "again").symlink_to(root / "b")
    (root / "b" / "round").symlink_to(root)
    assert below(root) == ["a/responses/1", "a/responses/2", "b/responses/1", "loose"]


def test_a_link_out_is_told_and_not_followed(root: Path, tmp_path: Path) -> None:
    write(tmp_path / "outside", "responses/9.json")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "b" / "responses" / "9.json").symlink_to(tmp_path / "outside" / "responses" / "9.json")
    found = {each.below: each for each in source(str(root)).files()}
    assert {"out", "b/responses/9"} <= found.keys()
    for name in ("out", "b/responses/9"):
        with pytest.raises((NotARecordingError, OSError)):
            found[name].read()


def test_a_file_and_its_capture(root: Path) -> None:
    file = OnDisk(root / "a" / "responses" / "1.json", root)
    assert (str(file), file.name, file.is_capture) == (str(file.path), "1", False)
    assert file.read() == b"a/responses/1.json"
    capture = file.capture()
    assert capture
    assert (capture.read(), capture.is_capture) == (b"a/wire/1.json", True)
    assert capture.capture() is None
    assert OnDisk(root / "loose.json", root).capture() is None
    assert OnDisk(root / "none.json", root).read() is None
    assert OnDisk(root / "none.json", root).written() is None


def test_its_state_changes_with_it_and_with_its_capture(root: Path) -> None:
    file = OnDisk(root / "a" / "responses" / "1.json", root)
    states = [file.state()]
    write(root, "a/responses/1.json")
    os.utime(file.path, (1, 1))
    states.append(file.state())
    (root / "a" / "wire" / "1.json").unlink()
    states.append(file.state())
    file.remove()
    states.append(file.state())
    assert len(set(states)) == 4
    file.remove()


def test_another_name_stands_beside_it_or_below_another_folder(root: Path, tmp_path: Path) -> None:
    file = OnDisk(root / "a" / "responses" / "1.json", root)
    assert file.named("x", None).path == root / "a" / "responses" / "x.json"
    assert file.named("x", tmp_path / "out").path == tmp_path / "out" / "a" / "responses" / "x.json"


def test_a_file_is_written_whole_and_replaced_only_where_that_is_wanted(root: Path) -> None:
    file = OnDisk(root / "a" / "responses" / "1.json", root)
    assert not file.write(b"new", replace=False)
    assert file.read() == b"a/responses/1.json"
    assert file.write(b"new", replace=True)
    assert file.read() == b"new"


def test_a_frozen_session_is_told(root: Path) -> None:
    file = OnDisk(root / "a" / "responses" / "1.json", root)
    assert not file.is_frozen
    freeze(DirectoryStore(root), "a", Frozen("jane", "2026-01-01T00:00:00Z"))
    assert file.is_frozen
    assert not OnDisk(root / "b" / "responses" / "1.json", root).is_frozen


def test_work_is_done_in_order(root: Path) -> None:
    found = source(str(root))
    assert [*found.mapped(str, found.files())] == [str(each) for each in found.files()]
