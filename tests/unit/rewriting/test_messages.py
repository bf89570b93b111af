"""Messages of AWS with other payloads: right lengths and checksums, in the chunks in which they came."""

import json
from itertools import repeat
from typing import Any

import pytest

from delta_forms import Written, message, messages, read_messages, recut, wrapped_messages
from wiretape.codecs import eventstream
from wiretape.rewriting.changes import Change
from wiretape.rewriting.messages import Messages
from wiretape.rewriting.spans import Span

ELEMENTS: list[dict[str, Any]] = [{"delta": {"text": "one"}}, {"delta": {"text": "t\u00e9xt"}}, {"stop": 1}]
CHANGE = Change((1, "delta", "text"), "another", "x")


@pytest.mark.parametrize("written", [messages, wrapped_messages])
@pytest.mark.parametrize("size", [1, 13, 1000])
def test_a_changed_value_is_in_a_whole_message(size: int, written: Written) -> None:
    body = b"".join(written(ELEMENTS))
    pieces = recut(body, repeat(size))
    values = Messages(body)
    assert [each.get("delta") for each in values] == [each.get("delta") for each in ELEMENTS]
    after = values.in_pieces(pieces, [CHANGE], None)
    assert read_messages(b"".join(after)) == [ELEMENTS[0], {"delta": {"text": "another"}}, ELEMENTS[2]]
    assert len(after) == len(pieces)
    assert all(after) or size == 1


def test_the_bytes_of_a_message_leave_in_the_chunks_in_which_they_came() -> None:
    raw = messages(ELEMENTS)
    at = raw[1].index(b"t\\u00e9xt")
    pieces = [raw[0] + raw[1][:20], raw[1][20:at], raw[1][at : at + 6], raw[1][at + 6 :], raw[2]]
    after = Messages(b"".join(pieces)).in_pieces(pieces, [CHANGE], None)
    assert after[0].startswith(raw[0])
    assert [len(new) - len(old) for new, old in zip(after, pieces, strict=True)] == [0, 0, 1, -3, 0]
    assert after[1:2] == (pieces[1],)


def test_without_a_change_the_pieces_are_the_very_same() -> None:
    pieces = messages(ELEMENTS)
    assert Messages(b"".join(pieces)).in_pieces(pieces, [], None) is pieces


def test_the_json_of_a_payload_may_be_changed_besides() -> None:
    (piece,) = messages([{"a": {"b": 1}}])
    values = Messages(piece)
    after = values.in_pieces([piece], [], lambda _, raw: [Span(raw.index("b"), raw.index("b") + 1, "x", "longer")])
    assert read_messages(b"".join(after)) == [{"a": {"longer": 1}}]


@pytest.mark.parametrize("payload", [b"\xff\xfe", b"", b"text", b'{"bytes": "!"}', b'{"bytes": "dGV4dA=="}'])
def test_payloads_that_are_no_json_or_hold_none_stay(payload: bytes) -> None:
    value = None
    if payload.startswith(b"{"):
        value = json.loads(payload)
    body = message(payload)
    values = Messages(body)
    assert [*values] == [value]
    assert values.in_pieces([body], [], lambda _, __: ()) == [body]


def test_what_is_no_message_is_refused() -> None:
    with pytest.raises(ValueError, match="cut off"):
        Messages(message(b"{}")[:-1])


def test_headers_stay() -> None:
    body = message(b'{"a":"b"}', "someEvent")
    after = Messages(body).in_pieces([body], [Change((0, "a"), "cc", "x")], None)
    (told,) = eventstream.messages(b"".join(after))
    assert (told.headers, told.payload) == ({":event-type": "someEvent"}, b'{"a":"cc"}')
