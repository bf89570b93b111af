"""A session's files as recordings and captures: what is served, and what is said, once, of what is not."""

import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from builders import came, chat
from wiretape import recording
from wiretape.exceptions import StoreAwayError, StoreUnavailableError
from wiretape.matching.request import identity
from wiretape.providers import wire
from wiretape.recording import capture as captures
from wiretape.recording.capture import Capture
from wiretape.store.base import RESPONSES, WIRE
from wiretape.store.directory import DirectoryStore
from wiretape.tape.config import TapeConfig
from wiretape.tape.reader import RecordingReader

HELLO = chat("Hello")
NAME = "0123456789ab"
SERVED = recording.dumps(recording.make(HELLO, wire.response(HELLO, came("Hi")), "2025-09"))


class Away(DirectoryStore):
    """A store that cannot be reached, for captures."""

    problem: OSError

    def read(self, session: str, name: str, folder: str = RESPONSES) -> bytes | None:
        if folder == WIRE:
            raise self.problem
        return super().read(session, name, folder)


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> DirectoryStore:
    store = DirectoryStore(tmp_path)
    store.write("s", NAME, SERVED, replace=True)
    return store


def reader(store: DirectoryStore, *, keep_errors: bool = False, keep_captures: bool = True) -> RecordingReader:
    return RecordingReader(store, "s", TapeConfig("s", keep_errors=keep_errors, keep_captures=keep_captures))


def captured(query: str | None = None) -> bytes:
    origin = captures.origin("", datetime(2026, 1, 1, tzinfo=UTC), "", 1.0, query, clean=str)
    return captures.dumps(Capture("0" * 64, 200, (), (b"{}",), (1.0,), origin=origin))


def test_a_recording_answers_its_request_and_no_other(store: DirectoryStore) -> None:
    reads = reader(store)
    candidate = reads.read(NAME, identity(HELLO), reads.snapshot())
    assert candidate
    assert (candidate.name, candidate.data, candidate.recording.request.url) == (NAME, SERVED, HELLO.url)
    assert not candidate.has_turns
    assert reads.read(NAME, identity(chat("Other")), reads.snapshot()) is None
    assert reads.read("none", identity(HELLO), reads.snapshot()) is None


def test_a_broken_file_is_told_once_until_it_changes(store: DirectoryStore, caplog: pytest.LogCaptureFixture) -> None:
    reads = reader(store)
    path = store.path("s", NAME)
    for moment, text in ((1, "{"), (2, "{"), (2, "{")):
        path.write_text(text)
        os.utime(path, (moment, moment))
        assert reads.read(NAME, identity(HELLO), reads.snapshot()) is None
    assert [each.levelno for each in caplog.records] == [logging.ERROR] * 2
    assert caplog.text.count(f"{path}: not a recording that can be served: ") == 2


@pytest.mark.parametrize(("keep_errors", "is_served"), [(False, False), (True, True)])
def test_a_stream_that_broke_off_is_served_where_errors_are(
    store: DirectoryStore, caplog: pytest.LogCaptureFixture, *, keep_errors: bool, is_served: bool
) -> None:
    asked = chat("Hello", stream=True)
    delta = {"id": "x", "choices": [{"index": 0, "delta": {"content": "Hi"}}], "created": 1}
    piece = f"data: {json.dumps(delta)}\n\n".encode()
    arrived = wire.LiveResponse(200, (("content-type", "text/event-stream"),), (piece,), (1.0,), False)
    made = recording.make(asked, wire.response(asked, arrived, keep_errors=True), "2025-09")
    store.write("s", "broken", recording.dumps(made), replace=True)
    reads = reader(store, keep_errors=keep_errors)
    candidate = reads.read("broken", identity(asked), reads.snapshot())
    assert (candidate is not None) == is_served
    assert ("not served without wiretape_record_errors" in caplog.text) != is_served


@pytest.mark.parametrize(("keep_captures", "is_played"), [(True, True), (False, False)])
def test_a_capture_is_played_where_captures_are(store: DirectoryStore, *, keep_captures: bool, is_played: bool) -> None:
    store.write("s", NAME, captured(), replace=True, folder=WIRE)
    reads = reader(store, keep_captures=keep_captures)
    capture = reads.capture(NAME, reads.snapshot())
    assert (capture is not None) == is_played
    assert reads.capture("none", reads.snapshot()) is None


@pytest.mark.parametrize(("query", "is_told"), [("a=1", True), ("", True), (None, False)])
@pytest.mark.parametrize("keep_captures", [True, False])
def test_a_capture_tells_its_query_whether_or_not_it_is_played(
    store: DirectoryStore, query: str | None, *, is_told: bool, keep_captures: bool
) -> None:
    store.write("s", NAME, captured(query), replace=True, folder=WIRE)
    reads = reader(store, keep_captures=keep_captures)
    assert reads.tells_query(NAME, reads.snapshot()) is is_told


def test_a_recording_without_a_capture_tells_no_query(store: DirectoryStore) -> None:
    reads = reader(store)
    assert reads.tells_query(NAME, reads.snapshot()) is False


def test_a_broken_capture_is_passed_over_and_told_once(store: DirectoryStore, caplog: pytest.LogCaptureFixture) -> None:
    store.write("s", NAME, b"{", replace=True, folder=WIRE)
    reads = reader(store)
    assert [reads.capture(NAME, reads.snapshot()) for _ in range(3)] == [None] * 3
    assert [each.levelno for each in caplog.records] == [logging.WARNING]
    assert f"{store.path('s', NAME, WIRE)}: passed over: " in caplog.text


@pytest.mark.parametrize(
    ("problem", "is_raised"),
    [
        (StoreAwayError("away", was_absent=True), False),
        (StoreAwayError("away", was_absent=False), True),
        (StoreUnavailableError("slow"), True),
    ],
)
def test_a_capture_that_cannot_be_read_is_no_other_answer(
    store: DirectoryStore, problem: OSError, *, is_raised: bool
) -> None:
    away = Away(store.root)
    away.problem = problem
    away.write("s", NAME, captured(), replace=True, folder=WIRE)
    reads = reader(away)
    snapshot = reads.snapshot()
    if is_raised:
        with pytest.raises(type(problem)):
            reads.capture(NAME, snapshot)
    else:
        # What is known is served meanwhile, and not kept.
        assert reads.capture(NAME, snapshot) is None
    assert snapshot.is_whole is is_raised
