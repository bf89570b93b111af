from pathlib import Path

import pytest

from builders import came, chat, tape_of
from wiretape.policy import Mode
from wiretape.recording import RecordedRequest
from wiretape.recording.capture import Origin
from wiretape.store.directory import DirectoryStore
from wiretape.tape import recorded_order
from wiretape.tape.index import Index
from wiretape.tape.recorded_order import RecordedOrder

CHAT = "/v1/chat/completions"


def talk(*said: str, model: str = "m", test_id: str | None = None) -> RecordedRequest:
    messages = [{"role": "user", "content": each} for each in said]
    return RecordedRequest(chat().url, {"model": model, "messages": messages}, CHAT, test_id=test_id)


def record(root: Path, request: RecordedRequest, second: int = 0) -> None:
    """Record at a second; the answer itself tells none, as one of the form 2026."""
    tape = tape_of(DirectoryStore(root), "main", Mode.RECORD, form="2026")
    origin = Origin("", f"2026-01-31T12:00:{second}Z", "", "1.0", 1.0) if second else None
    tape.record(request, came(), origin)


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    return tmp_path


def order(root: Path, model: str = "m", test_id: str | None = None) -> list[tuple[str, ...]]:
    """Return the last words of each request in its place."""
    store = DirectoryStore(root)
    index = Index(store, "main")
    groups = RecordedOrder(index).groups(CHAT, model, test_id)
    assert groups is not None
    names = [name for group in groups for name in group]
    last = {name: request.body["messages"][-1]["content"] for name, request in index.requests(names)}
    return [tuple(sorted(last[name] for name in group)) for group in groups]


def test_they_stand_by_the_time_that_they_tell(root: Path) -> None:
    for text, second in (("c", 30), ("a", 10), ("b", 20)):
        record(root, talk(text), second)
    assert order(root) == [("a",), ("b",), ("c",)]
    assert order(root, "another") == []


def test_of_one_second_each_goes_on_from_the_one_before(root: Path) -> None:
    record(root, talk("one", "two", "three"), 10)
    record(root, talk("one"), 10)
    record(root, talk("one", "two"), 10)
    record(root, talk("later"), 11)
    assert order(root) == [("one",), ("two",), ("three",), ("later",)]


def test_nobody_knows_which_of_two_that_came_at_once_was_first(root: Path) -> None:
    record(root, talk("before"), 10)
    record(root, talk("a"), 11)
    record(root, talk("b", "c"), 11)
    assert order(root) == [("before",), ("a", "c")]


def test_where_one_tells_no_time_nothing_is_known(root: Path) -> None:
    record(root, talk("a"), 10)
    record(root, talk("b"))
    assert order(root) == [("a", "b")]


def test_a_test_has_its_own(root: Path) -> None:
    record(root, talk("of none"), 10)
    record(root, talk("mine", test_id="tests/mine"), 11)
    assert order(root, test_id="tests/mine") == [("mine",)]
    assert order(root, test_id="tests/another") == [("of none",)]
    assert order(root) == [("of none",)]


def test_too_many_are_not_put_in_order(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded_order, "MOST", 1)
    record(root, talk("a"), 10)
    record(root, talk("b"), 11)
    assert RecordedOrder(Index(DirectoryStore(root), "main")).groups(CHAT, "m", None) is None
