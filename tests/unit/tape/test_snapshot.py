"""What a look-up has looked at, and whether it still is so. What is found: see test_tape.py."""

import os
from collections.abc import Callable, Hashable
from pathlib import Path

import pytest

from wiretape.exceptions import StoreUnavailableError
from wiretape.store.base import RESPONSES, WIRE
from wiretape.store.directory import DirectoryStore
from wiretape.tape.names import disambiguated_name
from wiretape.tape.snapshot import Snapshot, is_unchanged


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> DirectoryStore:
    store = DirectoryStore(tmp_path)
    for folder, name in ((RESPONSES, "a"), (RESPONSES, "a.2"), (WIRE, "a")):
        store.write("s", name, f"{folder} {name}".encode(), replace=True, folder=folder)
    return store


def test_what_was_looked_at_is_noted_with_its_state(store: DirectoryStore) -> None:
    reading = Snapshot(store, "s")
    assert reading.states() == {}
    assert reading.read("a") == b"responses a"
    assert reading.read("a", WIRE) == b"wire a"
    assert reading.read("b") is None
    assert reading.exists("a.2")
    assert not reading.exists("a.3")
    assert reading.states() == {
        ("a", RESPONSES): store.state("s", "a"),
        ("a", WIRE): store.state("s", "a", WIRE),
        ("b", RESPONSES): None,
        ("a.2", RESPONSES): store.state("s", "a.2"),
        ("a.3", RESPONSES): None,
    }


def test_what_was_given_out_does_not_grow(store: DirectoryStore) -> None:
    reading = Snapshot(store, "s")
    before = reading.states()
    reading.exists("a")
    assert before == {}


def test_a_file_that_changes_while_it_is_read_is_noted_as_it_was_before(tmp_path: Path) -> None:
    class Changing(DirectoryStore):
        def read(self, session: str, name: str, folder: str = RESPONSES) -> bytes | None:
            self.write(session, name, b"newer", replace=True)
            return super().read(session, name, folder)

    store = Changing(tmp_path)
    store.write("s", "a", b"old", replace=True)
    before = store.state("s", "a")
    reading = Snapshot(store, "s")
    assert reading.read("a") == b"newer"
    assert reading.states() == {("a", RESPONSES): before}
    assert not is_unchanged(store, "s", reading.states())


def test_the_takes_of_a_name_and_the_first_that_is_missing_are_looked_at(store: DirectoryStore) -> None:
    reading = Snapshot(store, "s")
    assert [*reading.take_names("a")] == ["a", "a.2"]
    assert set(reading.states()) == {("a.2", RESPONSES), ("a.3", RESPONSES)}


def test_the_second_name_says_more() -> None:
    assert disambiguated_name("0123", "abcdefghij") == "0123-abcdefgh"


def test_where_is_the_stores(store: DirectoryStore) -> None:
    assert Snapshot(store, "s").where("a", WIRE) == store.where("s", "a", WIRE)


def looked_at(store: DirectoryStore) -> dict[tuple[str, str], Hashable]:
    reading = Snapshot(store, "s")
    reading.read("a")
    reading.read("a", WIRE)
    reading.exists("a.3")
    return dict(reading.states())


def test_what_nobody_touched_is_unchanged(store: DirectoryStore) -> None:
    assert is_unchanged(store, "s", looked_at(store))
    assert is_unchanged(store, "s", {})
    assert not is_unchanged(store, "other session", looked_at(store))


CHANGES: dict[str, Callable[[DirectoryStore], object]] = {
    "replaced": lambda store: store.write("s", "a", b"other", replace=True),
    "replaced by the same": lambda store: store.write("s", "a", b"responses a", replace=True),
    "edited": lambda store: store.path("s", "a").write_bytes(b"responses a and more"),
    "touched": lambda store: os.utime(store.path("s", "a"), (1, 1)),
    "removed": lambda store: store.remove("s", "a"),
    "its capture replaced": lambda store: store.write("s", "a", b"other", replace=True, folder=WIRE),
    "its capture removed": lambda store: store.remove("s", "a", WIRE),
    "one that was not there": lambda store: store.write("s", "a.3", b"", replace=True),
    "its folder gone": lambda store: (store.root / "s").rename(store.root / "t"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_looked_at_has_changed(change: str, store: DirectoryStore) -> None:
    states = looked_at(store)
    CHANGES[change](store)
    assert not is_unchanged(store, "s", states)


def test_what_was_not_looked_at_may_change(store: DirectoryStore) -> None:
    states = looked_at(store)
    store.write("s", "other", b"", replace=True)
    store.write("s", "a.2", b"", replace=True)
    assert is_unchanged(store, "s", states)


def test_where_it_cannot_be_told_it_is_not_said(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailableError("away")

    states = looked_at(store)
    monkeypatch.setattr(store, "state", away)
    with pytest.raises(StoreUnavailableError):
        is_unchanged(store, "s", states)
