"""Anthropic's Messages: when a stream is whole, and its tokens."""

from typing import Any

import pytest

from wiretape.providers.anthropic import DIALECT, MessageEvents
from wiretape.providers.stream_ends import End
from wiretape.providers.usage import Usage

STOPS = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}


@pytest.mark.parametrize(
    ("events", "end"),
    [
        ([], End.OPEN),
        ([{"type": "message_start"}, {"type": "content_block_delta"}], End.OPEN),
        ([{"type": "message_delta", "delta": {"stop_reason": None}}], End.OPEN),
        ([{"type": "message_delta", "delta": "end_turn"}], End.OPEN),
        ([STOPS], End.COMPLETE),
        ([STOPS, {"type": "ping"}], End.COMPLETE),
        ([STOPS, {"type": "message_stop"}], End.OVER),
        ([{"type": "message_stop"}, STOPS], End.OVER),
    ],
)
def test_how_far_a_stream_is(events: list[Any], end: End) -> None:
    seen = MessageEvents()
    told = End.OPEN
    for event in events:
        told = seen.see(event)
    assert told is end


def test_an_event_may_be_named_beside_its_data() -> None:
    assert MessageEvents().see({}, "message_stop") is End.OVER


def test_the_tokens_of_a_stream_and_of_one_piece() -> None:
    assert DIALECT.usage
    start = {"type": "message_start", "message": {"usage": {"input_tokens": 9, "cache_read_input_tokens": 4}}}
    last = {"type": "message_delta", "usage": {"output_tokens": 7}}
    assert DIALECT.usage.read([start, last]) == Usage(input=13, cached=4, output=7)
    assert DIALECT.usage.read([{"usage": {"input_tokens": 2, "output_tokens": 3}}]) == Usage(input=2, output=3)
