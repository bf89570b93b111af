"""What rules make of a session's recordings: once for each, in the background where there are many, and noted."""

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from builders import came, chat, tape_of
from wiretape.exceptions import StoreUnavailableError
from wiretape.matching import reduction
from wiretape.matching import request as matching
from wiretape.matching.rules import MatchRule, Places
from wiretape.policy import Mode
from wiretape.recording import RecordedRequest
from wiretape.store.base import RESPONSES
from wiretape.store.directory import DirectoryStore
from wiretape.store.notes import Notes
from wiretape.tape import reduced_session
from wiretape.tape.background import Background, StillReadingError
from wiretape.tape.index import Index
from wiretape.tape.reduced_session import ReducedSession, digest_of

RULE = MatchRule("seed", ignore=("$.seed",))
BY = reduction.reducer((RULE,))
CHAT = "/v1/chat/completions"


@pytest.fixture(autouse=True)
def _scanned_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What changes right after a scan is seen by the next look."""
    monkeypatch.setattr("wiretape.tape.index._JUST_NOW", -1.0)


class Counting(DirectoryStore):
    """A directory that counts what is read, may be away, and may let one wait."""

    def __init__(self, root: Path, notes: Notes | None = None) -> None:
        super().__init__(root, notes=notes)
        self.reads: list[str] = []
        self.is_away = False
        self.wait: Callable[[], object] = lambda: None

    def read(self, session: str, name: str, folder: str = RESPONSES) -> bytes | None:
        self.wait()
        self.reads.append(name)
        if self.is_away:
            raise StoreUnavailableError("away")
        return super().read(session, name, folder)


def record(root: Path, *seeds: int) -> None:
    tape = tape_of(DirectoryStore(root), "main", Mode.RECORD, keep_captures=False)
    for seed in seeds:
        tape.record(chat(seed=seed), came(str(seed)))


def digest(request: RecordedRequest) -> bytes:
    return digest_of(BY.reduce(request, Places()))


def indexed(store: DirectoryStore) -> Index:
    """Return an index that has read all."""
    index = Index(store, "main")
    index.refresh()
    return index


def names(session: ReducedSession, request: RecordedRequest | None = None) -> list[str]:
    return [*session.same(digest(request or chat(seed=99)))]


def test_each_recording_is_reduced_once(tmp_path: Path) -> None:
    record(tmp_path, 1, 2)
    store = Counting(tmp_path)
    session = ReducedSession(indexed(store), BY, CHAT, None)
    store.reads.clear()
    assert len(names(session)) == 2
    assert names(session, chat("another")) == []
    assert len(store.reads) == 2
    record(tmp_path, 3)
    assert len(names(session)) == 3
    # The index has read the new one, too.
    assert len(store.reads) == 4


def test_it_follows_what_changes_and_goes(tmp_path: Path) -> None:
    record(tmp_path, 1, 2)
    session = ReducedSession(indexed(DirectoryStore(tmp_path)), BY, CHAT, None)
    assert len(names(session)) == 2
    one, two = sorted(tmp_path.rglob("responses/*.json"))
    one.unlink()
    two.write_text(two.read_text().replace("Hello", "Bye bye"))
    assert names(session) == []
    assert names(session, chat("Bye bye")) == [two.stem]


def test_more_changes_than_are_known_of_are_found_by_a_look_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wiretape.tape.change_log._KEPT", 2)
    record(tmp_path, 1, 2)
    session = ReducedSession(indexed(DirectoryStore(tmp_path)), BY, CHAT, None)
    assert len(names(session)) == 2
    for path in tmp_path.rglob("responses/*.json"):
        path.unlink()
    record(tmp_path, *range(10, 20))
    assert len(names(session)) == 10


@pytest.fixture(name="few")
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few recordings are many."""
    monkeypatch.setattr(reduced_session, "_FEW", 2)
    monkeypatch.setattr(reduced_session, "_WORTH_NOTING", 2)
    monkeypatch.setattr(reduced_session, "_WORTH_TELLING", 2)


@pytest.mark.usefixtures("few")
def test_many_are_read_in_the_background_and_nothing_is_told_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    record(tmp_path, 1, 2, 3)
    store = Counting(tmp_path)
    session = ReducedSession(indexed(store), BY, CHAT, Background())
    go_on = threading.Event()
    store.wait = lambda: go_on.wait(30)
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            with pytest.raises(StillReadingError) as told:
                names(session)
        go_on.set()
        told.value.done.result(30)
    assert len(names(session)) == 3
    assert "3 recordings are read" in caplog.text
    # One that is new since is read at once.
    record(tmp_path, 4)
    assert len(names(session)) == 4


@pytest.mark.usefixtures("few")
def test_where_they_cannot_be_read_it_cannot_be_told(tmp_path: Path) -> None:
    record(tmp_path, 1, 2, 3)
    store = Counting(tmp_path)
    session = ReducedSession(indexed(store), BY, CHAT, Background())
    store.is_away = True
    with pytest.raises(StillReadingError) as told:
        names(session)
    with pytest.raises(StoreUnavailableError):
        told.value.done.result(30)
    store.is_away = False
    with pytest.raises(StillReadingError) as told:
        names(session)
    told.value.done.result(30)
    assert len(names(session)) == 3
    few = ReducedSession(indexed(store), BY, CHAT, None)
    store.is_away = True
    with pytest.raises(StoreUnavailableError):
        names(few)


@pytest.fixture(name="notes")
def _notes(tmp_path: Path) -> Iterator[Notes]:
    notes = Notes(tmp_path / "notes.sqlite")
    yield notes
    notes.close()


def reads_of(store: Counting, index: Index, rules: Sequence[MatchRule] = (RULE,)) -> int:
    """Return how many files are read to tell what is the same by some rules."""
    store.reads.clear()
    by = reduction.reducer((*rules,))
    assert len(ReducedSession(index, by, CHAT, None).same(digest_of(by.reduce(chat(seed=99), Places())))) == 3
    return len(store.reads)


@pytest.mark.usefixtures("few")
def test_what_was_found_out_is_known_at_the_next_start(tmp_path: Path, notes: Notes) -> None:
    root = tmp_path / "recordings"
    record(root, 1, 2, 3)
    store = Counting(root, notes)
    assert reads_of(store, indexed(store)) == 3
    assert reads_of(store, indexed(store)) == 0
    # By other rules it is another thing.
    other = MatchRule("sampling", ignore=("$.seed", "$.temperature"))
    assert reads_of(store, indexed(store), [other]) == 3
    assert reads_of(store, indexed(store)) == 0
    # What has changed since is read again, and that alone.
    path = next(root.rglob("responses/*.json"))
    path.write_text(path.read_text().replace('"seed": ', '"seed": 1'))
    os.utime(path, ns=(1, 1))
    assert reads_of(store, indexed(store)) == 1
    assert reads_of(store, indexed(store)) == 0


@pytest.mark.usefixtures("few")
def test_what_a_test_recorded_is_known_to_be_of_it(tmp_path: Path, notes: Notes) -> None:
    root = tmp_path / "recordings"
    tape = tape_of(DirectoryStore(root), "main", Mode.RECORD, form="2026")
    for seed in (1, 2):
        request = chat(seed=seed)
        tape.record(RecordedRequest(request.url, request.body, request.endpoint, test_id=f"tests/{seed}"), came())
    for _ in range(2):
        same = ReducedSession(indexed(DirectoryStore(root, notes=notes)), BY, CHAT, None).same(digest(chat(seed=9)))
        assert {each.test_id for each in same.values()} == {"tests/1", "tests/2"}
        assert all(len(each.values) == 8 for each in same.values())


def test_one_that_cannot_be_reduced_is_the_same_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(tmp_path, 1, 2)
    session = ReducedSession(indexed(DirectoryStore(tmp_path)), BY, CHAT, None)
    of_today = matching.by_rules_of_today

    def fail(request: RecordedRequest) -> RecordedRequest:
        if request.body["seed"] == 1:
            raise ValueError("nested too deeply")
        return of_today(request)

    monkeypatch.setattr(matching, "by_rules_of_today", fail)
    assert len(names(session)) == 1
