"""Which recording answers a request with a query: its own, or one that does not tell of any."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from builders import RecordingTape, came, chat, tape_of
from wiretape.matching.request import wire_query
from wiretape.policy import Mode
from wiretape.providers import wire
from wiretape.recording import RecordedRequest, capture
from wiretape.store.directory import DirectoryStore
from wiretape.store.lru import LruCache
from wiretape.tape.hit import Hit
from wiretape.tape.question import Question

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def asked(**query: str) -> RecordedRequest:
    more: dict[str, Any] = {"extra_query": query} if query else {}
    return chat("hi", **more)


def tape(root: Path, mode: Mode, **more: Any) -> RecordingTape:
    return tape_of(DirectoryStore(root), "default", mode, **more)


def record(root: Path, request: RecordedRequest, text: str, *, tells: bool = True, mode: Mode = Mode.RECORD) -> None:
    """``tells``: whether the recorder knows of queries, as today's does; the public one has no captures."""
    origin = capture.origin("", NOW, "", 1.0, wire_query(request) if tells else None, clean=str)
    assert tape(root, mode).record(request, came(text), origin)


def text_of(hit: Hit | None) -> str | None:
    return str(json.loads(hit.answer.body)["choices"][0]["message"]["content"]) if hit else None


def answer(root: Path, request: RecordedRequest) -> str | None:
    replaying = tape(root, Mode.REPLAY)
    return text_of(replaying.lookup(Question(request)) or replaying.search(Question(request)))


NONE, ONE, TWO = asked(), asked(limit="1"), asked(limit="2")
AZURE, PROJECT = asked(**{"api-version": "1"}), asked(project_id="7")
BOTH = asked(version="1", project_id="7")

# What is recorded (with whether it tells its query), what is asked -> what answers.
ANSWERS: dict[str, tuple[list[tuple[RecordedRequest, bool]], RecordedRequest, int | None]] = {
    "its own": ([(NONE, True), (ONE, True), (TWO, True)], TWO, 2),
    "its own before an older one": ([(NONE, False), (ONE, True)], ONE, 1),
    "none, and one asks for none": ([(ONE, True), (NONE, True)], NONE, 1),
    "an older one, of none": ([(NONE, False)], NONE, 0),
    "an older one, whatever the query": ([(NONE, False)], TWO, 0),
    "an older one, another version": ([(NONE, False)], AZURE, 0),
    "the public one, with the client's own beside": ([(PROJECT, False)], BOTH, 0),
    "that of the call before that of none": ([(NONE, False), (PROJECT, False)], BOTH, 1),
    "one that was asked for without": ([(NONE, True)], TWO, None),
    "another one": ([(ONE, True)], TWO, None),
    "another version": ([(asked(**{"api-version": "2"}), True)], AZURE, None),
    "one that was asked for without its version": ([(PROJECT, True)], BOTH, None),
    "one that asks for none": ([(ONE, True)], NONE, None),
    "one that asks for none, of the public recorder": ([(ONE, False)], NONE, None),
    "a page of an older one": ([(ONE, False)], TWO, None),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_which_recording_answers(case: str, tmp_path: Path) -> None:
    recorded, request, expected = ANSWERS[case]
    for number, (each, tells) in enumerate(recorded):
        record(tmp_path, each, f"answer {number}", tells=tells)
    assert answer(tmp_path, request) == (None if expected is None else f"answer {expected}")


def test_one_of_another_name_is_found_as_well(tmp_path: Path) -> None:
    record(tmp_path, NONE, "older", tells=False)
    for path in (tmp_path / "default" / "responses").iterdir():
        path.rename(path.with_name("by hand.json"))
    assert answer(tmp_path, TWO) == "older"
    record(tmp_path, TWO, "its own")
    assert answer(tmp_path, TWO) == "its own"


def test_what_is_in_memory_gives_way_to_the_requests_own(tmp_path: Path) -> None:
    record(tmp_path, NONE, "older", tells=False)
    replaying = tape(tmp_path, Mode.REPLAY, memory=LruCache(1 << 20))
    assert text_of(replaying.lookup(Question(TWO, "key")) or replaying.search(Question(TWO, "key"))) == "older"
    record(tmp_path, TWO, "its own")
    assert text_of(replaying.lookup(Question(TWO, "key"))) == "its own"


def test_recorded_again_an_older_one_tells_its_query(tmp_path: Path) -> None:
    record(tmp_path, NONE, "the same", tells=False)
    assert answer(tmp_path, TWO) == "the same"
    record(tmp_path, NONE, "the same")
    assert answer(tmp_path, TWO) is None
    assert answer(tmp_path, NONE) == "the same"


def test_lists_of_models_are_one_list_for_each_query(tmp_path: Path) -> None:
    url, endpoint = "https://openrouter.ai/api/v1/v1/models", "/v1/models"
    for query, ids in (({}, ("a", "b")), ({"extra_query": {"supported_parameters": "tools"}}, ("a",))):
        request = RecordedRequest(url, query, endpoint)
        models = b",".join(b'{"id": "%s"}' % each.encode() for each in ids)
        arrived = wire.LiveResponse(200, (), (b'{"data": [' + models + b"]}",), (1.0,), True)
        assert tape(tmp_path, Mode.RECORD).record(
            request, arrived, capture.origin("", NOW, "", 1.0, wire_query(request), clean=str)
        )
    whole = RecordedRequest(url, {}, endpoint)
    tools = replace(whole, body={"extra_query": {"supported_parameters": "tools"}})
    for request, expected in ((whole, 2), (tools, 1), (replace(whole, body={"extra_query": {"after": "b"}}), 0)):
        hit = tape(tmp_path, Mode.REPLAY).search(Question(request))
        assert (hit.answer.body.count(b'"id"') if hit else 0) == expected
