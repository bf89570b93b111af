"""Recordings found by their content, while files come, change and go."""

import itertools
import json
import logging
import os
from pathlib import Path

import pytest

from places import SHIPPED
from wiretape.matching.outline import outline
from wiretape.matching.request import identity
from wiretape.recording import RecordedRequest, RecordedResponse, Recording, dumps, loads
from wiretape.store.directory import DirectoryStore
from wiretape.store.notes import Notes
from wiretape.tape.index import Index

SEEDS = sorted((SHIPPED / "default" / "responses").glob("*.json"))
CHAT = "/v1/chat/completions"


class Slow(DirectoryStore):
    """A store of which several files are asked for at once."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.is_quick = False


@pytest.fixture(name="store", params=[DirectoryStore, Slow])
def _store(tmp_path: Path, request: pytest.FixtureRequest) -> DirectoryStore:
    made: DirectoryStore = request.param(tmp_path)
    return made


@pytest.fixture(name="index")
def _index(store: DirectoryStore) -> Index:
    return Index(store, "default")


def request(content: str, endpoint: str = CHAT) -> RecordedRequest:
    return RecordedRequest(f"https://api.openai.com/v1{endpoint}", {"model": "m", "messages": [content]}, endpoint)


def recording(asked: RecordedRequest) -> bytes:
    element = {"__type__": "openai.types.chat.chat_completion.ChatCompletion", "__data__": {"id": "x"}}
    return dumps(Recording(asked, RecordedResponse(element, is_streaming=False)))


def of_endpoint(index: Index, endpoint: str) -> list[tuple[str, RecordedRequest]]:
    """The recordings among which the nearest is looked for."""
    near = index.nearest(outline(request("one", endpoint)), endpoint, 100)
    return [*index.requests(sorted(each.name for each in near))]


ONE, TWO = request("one"), request("two")


TIMES = itertools.count(10**18, 10**9)


def put(store: DirectoryStore, name: str, data: bytes) -> Path:
    """A file as another process puts it there, at a time of its own."""
    store.write("default", name, data, replace=True)
    path = store.path("default", name)
    moment = next(TIMES)
    os.utime(path, ns=(moment, moment))
    return path


def test_nothing_is_found_where_nothing_is(index: Index) -> None:
    assert index.find(identity(ONE)).names == []
    assert list(of_endpoint(index, CHAT)) == []


def test_a_recording_is_found_whatever_its_name(store: DirectoryStore, index: Index) -> None:
    put(store, "my-favourite", recording(ONE))
    put(store, "0123456789ab", recording(TWO))
    assert index.find(identity(ONE)).names == ["my-favourite"]
    assert index.find(identity(TWO)).names == ["0123456789ab"]
    assert index.find(identity(request("three"))).names == []


def test_a_recording_laid_out_by_hand_is_found(store: DirectoryStore, index: Index) -> None:
    put(store, "compact", json.dumps(json.loads(recording(ONE))).encode())
    assert index.find(identity(ONE)).names == ["compact"]


def test_several_recordings_of_one_request_are_found_in_the_order_of_their_names(
    store: DirectoryStore, index: Index
) -> None:
    for name in ("c", "a", "b"):
        put(store, name, recording(ONE))
    assert index.find(identity(ONE)).names == ["a", "b", "c"]


def test_the_seeds_are_found(store: DirectoryStore, index: Index) -> None:
    for path in SEEDS:
        put(store, f"copy of {path.stem}", path.read_bytes())
    for path in SEEDS:
        assert index.find(identity(loads(path.read_bytes()).request)).names == [f"copy of {path.stem}"]
    assert {name for name, _ in of_endpoint(index, "/v1/completions")} == {
        "copy of af6ca03dcbc3",
        "copy of f3cbd3f07e60",
    }


def test_requests_are_told_by_endpoint(store: DirectoryStore, index: Index) -> None:
    put(store, "chat", recording(ONE))
    put(store, "embedding", recording(request("one", "/v1/embeddings")))
    assert list(of_endpoint(index, CHAT)) == [("chat", ONE)]


def test_an_added_file_is_noticed(store: DirectoryStore, index: Index) -> None:
    put(store, "a", recording(ONE))
    assert index.find(identity(TWO)).names == []
    put(store, "b", recording(TWO))
    assert index.find(identity(TWO)).names == ["b"]


def test_a_changed_file_is_noticed(store: DirectoryStore, index: Index) -> None:
    put(store, "a", recording(ONE))
    assert index.find(identity(ONE)).names == ["a"]
    put(store, "a", recording(TWO))
    assert index.find(identity(ONE)).names == []
    assert index.find(identity(TWO)).names == ["a"]
    assert list(of_endpoint(index, CHAT)) == [("a", TWO)]


def test_a_removed_file_is_noticed(store: DirectoryStore, index: Index) -> None:
    path = put(store, "a", recording(ONE))
    put(store, "b", recording(ONE))
    assert index.find(identity(ONE)).names == ["a", "b"]
    path.unlink()
    assert index.find(identity(ONE)).names == ["b"]
    assert [name for name, _ in of_endpoint(index, CHAT)] == ["b"]


def test_another_session_is_not_looked_at(store: DirectoryStore) -> None:
    put(store, "a", recording(ONE))
    assert Index(store, "other").find(identity(ONE)).names == []


def test_a_file_is_read_once(store: DirectoryStore, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, "a", recording(ONE))
    read: list[str] = []
    original = DirectoryStore.read

    def counted(self: DirectoryStore, session: str, name: str) -> bytes | None:
        read.append(name)
        return original(self, session, name)

    monkeypatch.setattr(DirectoryStore, "read", counted)
    for _ in range(3):
        index.find(identity(ONE))
    put(store, "b", recording(TWO))
    for _ in range(3):
        index.find(identity(TWO))
    assert read == ["a", "b"]


BROKEN = {
    "empty": b"",
    "truncated": recording(ONE)[:200],
    "no JSON": b"<<<<<<< HEAD\n",
    "another JSON": b'{"name": "package"}',
    "a list": b"[]",
    "no request": b'{"response": {}}',
    "not UTF-8": b"\xff\xfe\x00",
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_logged_once_with_its_path_and_passed_over(
    store: DirectoryStore, index: Index, caplog: pytest.LogCaptureFixture, data: bytes
) -> None:
    path = put(store, "broken", data)
    put(store, "sound", recording(ONE))
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            assert index.find(identity(ONE)).names == ["sound"]
            assert [name for name, _ in of_endpoint(index, CHAT)] == ["sound"]
    logged = [record for record in caplog.records if str(path) in record.getMessage()]
    assert [record.levelno for record in logged] == [logging.ERROR]


@pytest.mark.parametrize("depth", [300, 1000, 1200, 100_000])
def test_a_file_nested_deeply_does_not_hide_the_others(store: DirectoryStore, index: Index, depth: int) -> None:
    put(store, "deep", recording(request("deep")).replace(b'"deep"', b"[" * depth + b"]" * depth))
    put(store, "sound", recording(ONE))
    failed: type[Exception] | None = None  # Only the type: pytest takes seconds for the traceback of a RecursionError.
    try:
        assert index.find(identity(ONE)).names == ["sound"]
        assert "sound" in [name for name, _ in of_endpoint(index, CHAT)]
    except (ValueError, RecursionError) as e:
        failed = type(e)
    assert failed is None


def test_a_broken_file_that_is_mended_is_found(store: DirectoryStore, index: Index) -> None:
    put(store, "a", recording(ONE)[:100])
    assert index.find(identity(ONE)).names == []
    put(store, "a", recording(ONE))
    assert index.find(identity(ONE)).names == ["a"]


def test_a_folder_among_the_files_is_logged_and_passed_over(
    store: DirectoryStore, index: Index, caplog: pytest.LogCaptureFixture
) -> None:
    put(store, "a", recording(ONE))
    store.path("default", "folder").mkdir()
    assert index.find(identity(ONE)).names == ["a"]
    assert str(store.path("default", "folder")) in caplog.text


# -- what was found out is noted ---------------------------------------------------------------------------------------


def test_of_very_many_files_none_is_read_again_by_the_next_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("index._FEW", "indexed._WORTH_NOTING"):
        monkeypatch.setattr(f"wiretape.tape.{name}", 3)
    read: list[str] = []

    class Counting(DirectoryStore):
        def read(self, session: str, name: str, folder: str = "responses") -> bytes | None:
            read.append(name)
            return super().read(session, name, folder)

    def index() -> Index:
        read.clear()
        return Index(Counting(tmp_path / "of", notes=Notes(tmp_path / "notes.sqlite")), "default")

    made = index()
    for number in range(9):
        put(Counting(tmp_path / "of"), f"n{number}", recording(request(f"number {number}")))
    asked = request("number 5, please")
    first = made.nearest(outline(asked), CHAT, 3)
    assert sorted(read) == [f"n{number}" for number in range(9)]
    made.store.close()

    again = index()
    assert again.find(identity(request("number 7"))).names == ["n7"]
    assert again.nearest(outline(asked), CHAT, 3) == first
    assert read == []
    put(Counting(tmp_path / "of"), "n7", recording(request("number 70")))
    again = index()
    assert again.find(identity(request("number 7"))).names == []
    assert again.find(identity(request("number 70"))).names == ["n7"]
    assert read == ["n7"]


def test_of_few_files_nothing_is_noted(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "of", notes=Notes(tmp_path / "notes.sqlite"))
    put(store, "a", recording(ONE))
    assert Index(store, "default").find(identity(ONE)).names == ["a"]
    assert not (tmp_path / "notes.sqlite").exists()
