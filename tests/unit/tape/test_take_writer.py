"""Takes that a new recording makes void, where the store refuses to remove them. Else see test_recorder.py."""

import logging
from pathlib import Path

import pytest

from builders import came, chat, tape_of
from wiretape.policy import Mode
from wiretape.providers.wire import LiveResponse
from wiretape.recording import RecordedRequest
from wiretape.store.base import RESPONSES
from wiretape.store.directory import DirectoryStore
from wiretape.tape.question import Question
from wiretape.tape.take_writer import WrittenTakes

HELLO = chat("Hello")
POLL = RecordedRequest("https://api.openai.com/v1/videos/v1", {}, "", "GET", moves_on=True)
JSON = (("content-type", "application/json"),)


class Keeping(DirectoryStore):
    """As a bucket whose credentials may write and not remove."""

    def remove(self, session: str, name: str, folder: str = RESPONSES) -> None:
        raise PermissionError("removing is not allowed")


def answer(status: int, text: str) -> LiveResponse:
    return LiveResponse(status, JSON, (f'{{"status": "{text}"}}'.encode(),), (1.0,), True)


RUNS: dict[str, tuple[RecordedRequest, list[LiveResponse], LiveResponse]] = {
    "a retry": (HELLO, [answer(429, "no"), came("old")], came("new")),
    "a state": (POLL, [answer(200, "queued"), answer(200, "completed")], answer(200, "failed")),
}


@pytest.mark.parametrize(("request_", "before", "now"), RUNS.values(), ids=RUNS)
def test_a_recording_is_not_lost_where_older_takes_cannot_be_removed(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    request_: RecordedRequest,
    before: list[LiveResponse],
    now: LiveResponse,
) -> None:
    written = WrittenTakes()
    for each in before:
        recording = tape_of(DirectoryStore(tmp_path), "s", Mode.RECORD, keep_errors=True, written=written)
        assert recording.record(request_, each)
    tape = tape_of(Keeping(tmp_path), "s", Mode.RECORD, keep_errors=True)
    assert tape.record(request_, now)
    assert (tape.counters.recorded, tape.counters.unrecorded) == (1, 0)
    (said,) = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    assert "an older take cannot be removed: removing is not allowed" in said
    assert ".2" in said


def test_states_of_an_earlier_process_give_way_to_those_of_this_one(tmp_path: Path) -> None:
    def record(written: WrittenTakes, *states: str) -> None:
        for each in states:
            store = DirectoryStore(tmp_path)
            assert tape_of(store, "s", Mode.RECORD, written=written).record(POLL, answer(200, each))

    def played() -> list[str]:
        tape = tape_of(DirectoryStore(tmp_path), "s", Mode.REPLAY)
        hits = [tape.lookup(Question(POLL)) for _ in range(3)]
        return [hit.answer.body.decode().split('"')[3] for hit in hits if hit]

    record(WrittenTakes(), "queued", "running", "completed")
    assert played() == ["queued", "running", "completed"]
    record(WrittenTakes(), "queued", "failed")
    assert played() == ["queued", "failed", "failed"]
