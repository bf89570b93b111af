"""When a stream is whole whose API nobody knows."""

from typing import Any

import pytest

from wiretape.providers.stream_ends import End
from wiretape.providers.unknown_events import Several, UnknownEvents

WHOLE: list[tuple[Any, str]] = [
    ({"done": True}, ""),
    ({"stop": True}, ""),
    ({"is_finished": True}, ""),
    *(({}, name) for name in ("done", "end", "close", "complete", "completed", "finish", "finished")),
    *(({"type": name}, "") for name in ("done", "job.done", "x.complete", "x.completed")),
    *(({name: "stop"}, "") for name in ("finish_reason", "finishReason", "stop_reason", "stopReason")),
    ({"output": {"choices": [{"finish_reason": "stop"}]}}, ""),
    ({"results": [{"stop_reason": "eos_token"}]}, ""),
    ({"a": {"b": {"c": {"finish_reason": "stop"}}}}, ""),
]
OPEN: list[tuple[Any, str]] = [
    ({}, ""),
    ({"done": False}, ""),
    ({"done": "yes"}, ""),
    ({"text": "done"}, ""),
    ({}, "response.output_text.done"),
    ({"type": "interaction.step.completed", "done": True}, ""),
    ({"finish_reason": None}, ""),
    ({"results": [{"stop_reason": "stop"}, {"stop_reason": None}]}, ""),
    ({"choices": [{"finish_reason": "stop"}]}, ""),  # Others know how many choices there are.
    ({"candidates": [{"finishReason": "STOP"}]}, ""),
    ({"a": {"b": {"c": {"d": {"finish_reason": "stop"}}}}}, ""),
]


@pytest.mark.parametrize(("data", "event"), WHOLE)
def test_an_event_that_ends_a_stream(data: Any, event: str) -> None:
    assert UnknownEvents().see(data, event) is End.COMPLETE


@pytest.mark.parametrize(("data", "event"), OPEN)
def test_an_event_that_does_not(data: Any, event: str) -> None:
    assert UnknownEvents().see(data, event) is End.OPEN


class Says:
    def __init__(self, end: End) -> None:
        self._end = end

    def see(self, data: Any, event: str = "", /) -> End:
        return self._end


def test_of_several_the_one_that_has_seen_most_counts() -> None:
    assert Several(Says(End.OPEN), Says(End.OVER), Says(End.COMPLETE)).see({}) is End.OVER
    assert Several(Says(End.OPEN), Says(End.COMPLETE)).see({}) is End.COMPLETE
    assert Several().see({}) is End.OPEN
