from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiretape.cluster.protocol import (
    CounterReport,
    Done,
    Hello,
    Message,
    MessageDecoder,
    Next,
    Order,
    Rewind,
    Task,
    Turn,
    Up,
    encode,
)
from wiretape.metrics.counters import Counters

MESSAGES: list[Message] = [
    Hello(3, "123-456"),
    Up(),
    Order(1, Task.APPLY, '{"scopes":["\u2028\\n"]}'),
    Order(2, Task.FLUSH),
    Done(1),
    Done(2, "it is full\n"),
    CounterReport({}),
    CounterReport(
        {"default": Counters(hits=1, tokens=2**40, rules={"a/b": 2}), 'a "strange"\nname \u2028': Counters(faults=9)}
    ),
    CounterReport({"default": Counters(spent_usd=Decimal("0.0000000375"), saved_usd=Decimal("1e-12"), unpriced=3)}),
    Next("default", "0123456789abcdef"),
    Next('a "strange"\nname \u2028', "é"),
    Rewind(),
    Turn(0),
    Turn(2**40),
]


def test_messages_come_out_as_they_went_in() -> None:
    stream = b"".join(map(encode, MESSAGES))
    assert MessageDecoder().feed(stream) == MESSAGES
    decoder = MessageDecoder()
    assert [message for place in range(len(stream)) for message in decoder.feed(stream[place : place + 1])] == MESSAGES


@given(st.lists(st.sampled_from(MESSAGES)), st.lists(st.integers(0, 400)))
def test_pieces_do_not_matter(messages: list[Message], cuts: list[int]) -> None:
    stream = b"".join(map(encode, messages))
    places = sorted({0, len(stream), *(min(cut, len(stream)) for cut in cuts)})
    decoder = MessageDecoder()
    pieces = [stream[start:end] for start, end in pairwise(places)]
    assert [message for piece in pieces for message in decoder.feed(piece)] == messages


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b"{}",
        b'{"kind":"goodbye"}',
        b'{"kind":"turn"}',
        b'{"kind":"order","number":1,"task":"end"}',
        b'{"kind":"turn","played":1,"more":2}',
        b'{"kind":"report","counters":[]}',
        b'{"kind":"report","counters":{"a":{"hits":"x"}}}',
        b'{"kind":"counterreport","counters":{"a":{"hits":"x"}}}',
        b'{"kind":"counterreport","counters":{"a":{"spent_usd":"x"}}}',
        b'{"kind":"counterreport","counters":{"a":{"spent_usd":"NaN"}}}',
        b'{"kind":"counterreport","counters":{"a":{"spent_usd":[]}}}',
        b"\xff",
    ],
)
def test_what_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        MessageDecoder().feed(line + b"\n")


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    decoder = MessageDecoder()
    with pytest.raises(ValueError, match="no end"):
        [decoder.feed(b"x" * 1_000_000) for _ in range(1000)]
