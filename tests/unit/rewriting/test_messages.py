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
def test_payloads_that_are_no_json_or_hold_none_are_texts(payload: bytes) -> None:
    value = payload.decode("utf-8", "surrogateescape")
    if payload.startswith(b"{"):
        value = json.loads(payload)
    body = message(payload)
    values = Messages(body)
    assert [*values] == [value]
    pieces = [body]
    assert values.in_pieces(pieces, [], lambda _, __: ()) is pieces
    if isinstance(value, str):
        (changed,) = values.in_pieces(pieces, [Change((0,), "new", "x")], None)
        assert changed == message(b"new")


def test_a_payload_that_is_binary_is_left_out() -> None:
    body = message(b"\0\xff") + message(b'{"a": 1}')
    assert [*Messages(body)] == [{"a": 1}]


def test_messages_before_one_that_is_cut_off_are_read() -> None:
    pieces = [message(b'"a"'), message(b'"b"')[:-1]]
    values = Messages(b"".join(pieces))
    assert not values.is_whole
    assert [*values] == ["a"]
    assert [*values.in_pieces(pieces, [Change((0,), "c", "x")], None)] == [message(b'"c"'), pieces[1]]


def test_each_part_is_shown_with_its_number() -> None:
    seen: list[tuple[int, str]] = []
    values = Messages(message(b'"a"') + message(b"b"), lambda number, part: seen.append((number, part.raw)))
    assert [*values] == ["a", "b"]
    assert seen == [(0, '"a"'), (1, "b")]


def test_headers_stay() -> None:
    body = message(b'{"a":"b"}', "someEvent")
    after = Messages(body).in_pieces([body], [Change((0, "a"), "cc", "x")], None)
    (told,) = eventstream.messages(b"".join(after))
    assert (told.headers, told.payload) == ({":event-type": "someEvent"}, b'{"a":"cc"}')
