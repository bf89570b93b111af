import json
from typing import Any

import pytest

from builders import chat
from wiretape.recording import RecordedResponse, dumps, make
from wiretape.recording import capture as captures
from wiretape.recording.capture import Capture, Origin
from wiretape.tape.recorded_at import UNKNOWN, recorded_at

TYPE = "openai.types.chat.chat_completion.ChatCompletion"


def recording(data: Any) -> bytes:
    element = {"__type__": TYPE, "__data__": data}
    return dumps(make(chat(), RecordedResponse(element, is_streaming=False), "2025-09"))


def capture(at: str) -> bytes:
    return captures.dumps(Capture("sha256:0", 200, (), None, (), Origin("", at, "", "1.0", 1.0)))


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ({"created": 1758920391}, 1758920391),
        ({"created_at": 1758920391.5}, 1758920391.5),
        ({"created_at": "2026-01-31T12:00:00.000Z"}, 1769860800),
        ({"response": {"created_at": 12}}, 12),
        ({"created": 0}, UNKNOWN),
        ({"created": "yesterday"}, UNKNOWN),
        ({"created": [1]}, UNKNOWN),
        ({"created": 1e300}, UNKNOWN),
        ({}, UNKNOWN),
    ],
)
def test_an_answer_tells_when_it_was_given(told: dict[str, Any], seconds: float) -> None:
    assert recorded_at(recording(told), None) == seconds


def test_a_capture_goes_before_the_answer() -> None:
    assert recorded_at(recording({"created": 12}), capture("2026-01-31T12:00:00Z")) == 1769860800


@pytest.mark.parametrize("broken", [b"", b"{", json.dumps({"made": {"at": "soon"}}).encode()])
def test_what_cannot_be_read_tells_nothing(broken: bytes) -> None:
    assert recorded_at(recording({"created": 12}), broken) == 12
    assert recorded_at(broken, None) == UNKNOWN


def test_a_capture_of_no_time_tells_nothing() -> None:
    assert recorded_at(recording({"created": 12}), capture("soon")) == 12
