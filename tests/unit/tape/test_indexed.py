"""What an index knows of one file: read from it, and noted for as long as the file and the rules are the same."""

from collections.abc import Hashable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

import wiretape
from builders import ENDPOINT, came, chat
from wiretape import recording, redaction
from wiretape.exceptions import StoreUnavailableError
from wiretape.matching.outline import Piece, outline
from wiretape.matching.request import identity
from wiretape.providers import wire
from wiretape.recording import RecordedRequest
from wiretape.store.base import RESPONSES
from wiretape.store.directory import DirectoryStore
from wiretape.store.notes import Notes
from wiretape.tape import indexed
from wiretape.tape.indexed import FileReader, IndexedRequest, IndexNotes

ONE = chat("one")
TWO = chat("two")
STATES: dict[str, Hashable] = {"a": (1, 10), "b": (2, 20)}


class Store(DirectoryStore):
    """A store in which some files cannot be read."""

    def __init__(self, root: Path, *, is_quick: bool) -> None:
        super().__init__(root)
        self.is_quick = is_quick

    def read(self, session: str, name: str, folder: str = RESPONSES) -> bytes | None:
        if name == "away":
            raise StoreUnavailableError("away")
        return super().read(session, name, folder)


@pytest.fixture(name="store", params=[True, False], ids=["quick", "slow"])
def _store(tmp_path: Path, request: pytest.FixtureRequest) -> Store:
    store = Store(tmp_path, is_quick=request.param)
    for name, data in {
        "one": made(ONE),
        "two": made(TWO),
        "broken": b"{",
        "deep": made(chat("deep")).replace(b'"deep"', b"[" * 100_000 + b"]" * 100_000),
    }.items():
        store.write("s", name, data, replace=True)
    return store


def made(request: RecordedRequest) -> bytes:
    return recording.dumps(recording.make(request, wire.response(request, came("Hi")), "2025-09"))


def learned(request: RecordedRequest, packed: bytes = b"") -> IndexedRequest:
    return IndexedRequest(identity(request), request.endpoint, outline(request), packed)


def test_each_file_is_told_in_order_whatever_it_is(store: Store) -> None:
    names = ["two", "away", "broken", "gone", "deep", "one"]
    yielded = [*FileReader(store, "s").indexed(names, {})]
    assert [name for name, _ in yielded] == names
    each = dict(yielded)
    assert [type(each[name]) for name in ("away", "gone")] == [StoreUnavailableError, type(None)]
    assert [isinstance(each[name], ValueError) for name in ("broken", "deep")] == [True, True]
    for name, request in (("one", ONE), ("two", TWO)):
        told = each[name]
        assert isinstance(told, IndexedRequest)
        assert (told.identity, told.endpoint, told.outline) == (identity(request), ENDPOINT, outline(request))


def test_the_request_is_packed_where_a_file_takes_a_while_and_it_is_small(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_packed() -> bool:
        ((_, told),) = FileReader(store, "s").indexed(["one"], {})
        assert isinstance(told, IndexedRequest)
        return bool(told.packed)

    assert is_packed() is not store.is_quick
    monkeypatch.setattr(indexed, "_PACKED", 10)
    assert not is_packed()


def test_requests_are_of_those_that_can_be_read(store: Store) -> None:
    names = ["two", "away", "broken", "gone", "deep", "one"]
    assert [*FileReader(store, "s").requests(names)] == [("two", TWO), ("one", ONE)]


def test_pieces_of_requests_are_kept_once(store: Store) -> None:
    pieces: dict[int, Piece] = {}
    told = [each for _, each in FileReader(store, "s").indexed(["one", "one"], pieces)]
    first, second = (each.outline.pieces for each in told if isinstance(each, IndexedRequest) and each.outline)
    assert first
    assert all(one is other for one, other in zip(first, second, strict=True))
    assert {each.id for each in first} == set(pieces)


def noted(request: RecordedRequest) -> IndexedRequest:
    """Return what is recalled of a request."""
    return learned(request)._replace(outline=None)


@pytest.fixture(name="notes")
def _notes(tmp_path: Path) -> Notes:
    return Notes(tmp_path / "notes.sqlite")


def of(notes: Notes, *, is_quick: bool = False) -> IndexNotes:
    return IndexNotes(notes, "s", is_quick=is_quick)


def test_what_was_noted_is_recalled_of_files_that_are_as_they_were(notes: Notes) -> None:
    of(notes).keep({"a": learned(ONE), "b": learned(TWO)}, STATES)
    assert dict(of(notes).recall(STATES)) == {"a": noted(ONE), "b": noted(TWO)}
    pieces: dict[int, Piece] = {}
    drawn = dict(of(notes).outlines(STATES, pieces))
    assert drawn == {"a": outline(ONE), "b": outline(TWO)}
    assert {*pieces.values()} == {*outline(ONE).pieces, *outline(TWO).pieces}
    assert [*dict(of(notes).outlines({"a": (1, 11), "b": (2, 20)}, {}))] == ["b"]
    assert dict(of(notes).recall({"a": (1, 11), "b": (2, 20), "c": (3, 30)})) == {"b": noted(TWO)}
    assert dict(IndexNotes(notes, "other", is_quick=False).recall(STATES)) == {}
    of(notes).drop(["b"])
    assert [name for name, _ in of(notes).recall(STATES)] == ["a"]


@pytest.mark.parametrize("changed", ["version", "rules"])
def test_a_note_holds_for_one_version_and_its_rules_on_secrets(
    notes: Notes, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    of(notes).keep({"a": learned(ONE)}, STATES)
    if changed == "version":
        monkeypatch.setattr(wiretape, "__version__", "0.0.0")
    else:
        monkeypatch.setattr(redaction, "DEFAULT", SimpleNamespace(fingerprint="of other rules"))
    assert dict(of(notes).recall(STATES)) == {}


@pytest.mark.parametrize(("is_quick", "files", "is_noted"), [(False, 1, True), (True, 63, False), (True, 64, True)])
def test_few_files_that_are_read_in_no_time_are_not_worth_a_note(
    notes: Notes, *, is_quick: bool, files: int, is_noted: bool
) -> None:
    names = [f"n{number}" for number in range(files)]
    states: dict[str, Hashable] = dict.fromkeys(names, 1)
    of(notes, is_quick=is_quick).keep(dict.fromkeys(names, learned(ONE)), states)
    assert sorted(dict(of(notes).recall(states))) == (sorted(names) if is_noted else [])


@pytest.mark.parametrize(
    "request_",
    [
        ONE,
        replace(ONE, test_id="tests/a.py::b", extra={"provider_metadata": {"a": 1}}),
        RecordedRequest("https://api.anthropic.com/v1/messages", {"model": "m", "max_tokens": 1}, ""),
        RecordedRequest("https://api.openai.com/v1/files/f1", {}, "", "GET"),
    ],
    ids=["chat", "of a test", "passthrough", "GET"],
)
def test_a_noted_request_is_the_files(tmp_path: Path, notes: Notes, request_: RecordedRequest) -> None:
    store = Store(tmp_path, is_quick=False)
    response = wire.response(request_, came("Hi"))
    form = "2026" if request_.test_id else "2025-09"
    store.write("s", "a", recording.dumps(recording.make(request_, response, form)), replace=True)
    ((_, told),) = FileReader(store, "s").indexed(["a"], {})
    assert isinstance(told, IndexedRequest)
    of(notes).keep({"a": told}, STATES)
    data = store.read("s", "a")
    assert data
    assert of(notes).requests(["a", "none"]) == {"a": recording.read_request(data)}
