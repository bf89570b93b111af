"""What a tape is asked: one question for all that look, so that a turn is counted once."""

from pathlib import Path

import pytest

from builders import tape_of
from wiretape.matching.request import identity
from wiretape.policy import Mode
from wiretape.providers.wire import LiveResponse
from wiretape.recording import RecordedRequest
from wiretape.store.directory import DirectoryStore
from wiretape.tape.hit import Hit
from wiretape.tape.question import Question

POLL = RecordedRequest("https://api.openai.com/v1/videos/v1", {}, "", "GET", moves_on=True)


def state(name: str) -> LiveResponse:
    body = f'{{"id": "v1", "status": "{name}"}}'.encode()
    return LiveResponse(200, (("content-type", "application/json"),), (body,), (1.0,), True)


def told(hit: Hit | None) -> str:
    assert hit
    return hit.answer.body.decode()


def test_a_question_read_as_another_request_keeps_its_turn_and_not_its_place_in_memory() -> None:
    question = Question(POLL, "key", 3)
    reading = question.read_as(RecordedRequest("https://api.openai.com/v1/videos/v2", {}, "", "GET"))
    assert (reading.turn, reading.key, reading.request.url[-2:]) == (3, None, "v2")
    assert question.identity == identity(POLL) != reading.identity


def test_a_turn_is_counted_once_however_often_it_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wiretape.tape.index._FEW", 0)  # As in a large session: what is not found is searched.
    tape = tape_of(DirectoryStore(tmp_path), "s", Mode.RECORD_IF_MISSING)
    for name in ("queued", "running", "completed"):
        assert tape.record(POLL, state(name))
    takes = sorted((tmp_path / "s" / "responses").iterdir(), key=lambda path: (len(path.name), path.name))
    for number, path in enumerate(takes):
        path.rename(path.with_name(f"by-hand-{number}.json"))
    said = []
    for _ in range(3):
        question = Question(POLL)
        assert tape.lookup(question) is None
        assert tape.needs_search
        said.append(told(tape.search(question)))
    assert [each.split('"')[-2] for each in said] == ["queued", "running", "completed"]


def test_the_request_itself_stays_as_it_is(tmp_path: Path) -> None:
    tape = tape_of(DirectoryStore(tmp_path), "s", Mode.RECORD_IF_MISSING)
    tape.record(POLL, state("queued"))
    question = Question(POLL)
    tape.lookup(question)
    assert question.turn == 0
    assert not hasattr(POLL, "turn")
