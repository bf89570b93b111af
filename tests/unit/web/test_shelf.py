"""The recordings of a store, as lists and one by one."""

from pathlib import Path

import pytest

from harness import wait_until
from samples import SAMPLES
from wiretape.recording import capture as captures
from wiretape.store.opening import open_store
from wiretape.web.shelf import Shelf

CHAT = SAMPLES["fireworks chat"].read_bytes()


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    folder = tmp_path / "default" / "responses"
    folder.mkdir(parents=True)
    for number in range(30):
        (folder / f"{number:012x}.json").write_bytes(CHAT)
    (folder / "ffffffffffff.json").write_bytes(b"{}")
    return Shelf(open_store(str(tmp_path)))


def wire(day: int) -> bytes:
    taken = captures.Origin("", f"2026-11-{day:02}T00:00:00Z", "", "0", 1.0)
    return captures.dumps(captures.Capture(captures.digest(CHAT), 200, (), None, (), taken))


def test_a_page_of_many_is_there_before_all_are_read(shelf: Shelf) -> None:
    rows = shelf.page("default", first=10, most=10)
    assert (len(rows.rows), rows.total) == (10, 31)
    wait_until(lambda: shelf.page("default").unread == 0)
    assert shelf.page("default").broken.keys() == {"ffffffffffff"}


def test_the_newest_comes_first(shelf: Shelf, tmp_path: Path) -> None:
    folder = tmp_path / "default" / "wire"
    folder.mkdir()
    for number in (3, 7, 5):
        (folder / f"{number:012x}.json").write_bytes(wire(number))
    assert [row.name[-1] for row in shelf.page("default", most=100).rows[:3]] == ["7", "5", "3"]


def test_a_search_finds_what_was_read(shelf: Shelf) -> None:
    wait_until(lambda: shelf.page("default").unread == 0)
    assert shelf.page("default", "HELLO, world").total == 30
    assert shelf.page("default", "nothing of the kind").total == 0


def test_what_there_is_no_room_for_is_told(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wiretape.web.shelf._WORDS", 2_000)
    wait_until(lambda: shelf.page("default").unread == 0)
    found = shelf.page("default", "Hello, world")
    assert 0 < found.total < 30
    assert found.total + found.unsearched == 30


def test_what_changes_is_seen(shelf: Shelf, tmp_path: Path) -> None:
    wait_until(lambda: shelf.page("default").unread == 0)
    (tmp_path / "default" / "responses" / f"{3:012x}.json").unlink()
    (tmp_path / "default" / "responses" / "eeeeeeeeeeee.json").write_bytes(CHAT)
    wait_until(lambda: shelf.page("default").unread == 0)
    names = [row.name for row in shelf.page("default", most=100).rows]
    assert "eeeeeeeeeeee" in names
    assert f"{3:012x}" not in names


def test_a_capture_of_another_recording_says_so(shelf: Shelf, tmp_path: Path) -> None:
    name = f"{1:012x}"
    folder = tmp_path / "default" / "wire"
    folder.mkdir()
    (folder / f"{name}.json").write_bytes(wire(1))
    first = shelf.shelved("default", name)
    assert first
    assert first.is_as_captured
    file = tmp_path / "default" / "responses" / f"{name}.json"
    file.write_bytes(CHAT.replace(b"Hello, world!", b"Hello, everybody!"))
    second = shelf.shelved("default", name)
    assert second
    assert not second.is_as_captured
    assert shelf.shelved("default", "abc") is None
