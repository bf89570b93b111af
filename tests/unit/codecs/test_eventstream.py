"""Messages of AWS's event streams: what is in them, and what is none."""

import struct

import pytest

from wiretape.codecs.eventstream import Message, begins, encode, frames, messages


def text(name: str, value: str) -> bytes:
    return struct.pack(f">B{len(name)}sBH", len(name), name.encode(), 7, len(value)) + value.encode()


def message(headers: bytes, payload: bytes) -> bytes:
    size = 12 + len(headers) + len(payload) + 4
    return struct.pack(">IIi", size, len(headers), 0) + headers + payload + b"\0\0\0\0"


def test_messages_have_headers_and_a_payload() -> None:
    other = (
        struct.pack(">B1sB", 1, b"t", 0) + struct.pack(">B1sBq", 1, b"n", 5, 7) + struct.pack(">B1sBH", 1, b"b", 6, 0)
    )
    body = message(text(":event-type", "chunk") + other + text("x", ""), b'{"a":1}') + message(b"", b"")
    assert [*messages(body)] == [Message({":event-type": "chunk", "x": ""}, b'{"a":1}'), Message({}, b"")]
    assert [*messages(bytearray(body))] == [*messages(body)]
    assert [*messages(b"")] == []


WHOLE = message(text("a", "b"), b"payload")


@pytest.mark.parametrize("size", range(1, len(WHOLE)))
def test_a_message_that_is_cut_off_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="cut off"):
        [*messages(WHOLE[:size])]


@pytest.mark.parametrize(
    "body",
    [
        message(b"\x01a\x20", b""),
        message(b"\xff", b""),
        message(struct.pack(">B1sB", 1, b"a", 7), b""),
        struct.pack(">IIi", 16, 100, 0) + b"\0" * 4,
        struct.pack(">IIi", 0, 0, 0) + b"\0" * 4,
    ],
)
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="message"):
        [*messages(body)]


def test_a_message_is_encoded_with_its_lengths_and_checksums() -> None:
    # An example of AWS's: a message without headers, and one with a header.
    assert encode(b"", b"") == bytes.fromhex("000000100000000005c248eb7d98c8ff")
    assert encode(b"", b"{'foo':'bar'}") == bytes.fromhex("0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936")
    body = encode(text("a", "b"), b"payload") + encode(b"", b"x")
    assert [*messages(body)] == [Message({"a": "b"}, b"payload"), Message({}, b"x")]
    for frame in frames(body):
        whole = encode(body[frame.headers_start : frame.payload], body[frame.payload : frame.payload_end])
        assert whole == body[frame.start : frame.end]


@pytest.mark.parametrize(
    ("data", "is_one"),
    [
        (encode(b"", b"x"), True),
        (encode(text("a", "b"), b"")[:20], True),
        (encode(b"", b"x")[:12], False),
        (message(b"", b"x"), False),
        (b"\0" * 16, False),
        (b"", False),
        (b'{"a": 1}' * 2, False),
    ],
)
def test_a_stream_begins_with_a_checksum_that_is_right(data: bytes, is_one: bool) -> None:
    assert begins(data) is is_one
