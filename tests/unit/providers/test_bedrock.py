"""Bedrock's own streams: an exception comes with status 200, and the last message says that it is whole."""

import base64
import json
import struct
import zlib
from collections.abc import Mapping

import pytest

from wiretape.providers import bedrock
from wiretape.providers.answers import BrokeOffError, HoldsError


def message(headers: Mapping[str, str], payload: object = None) -> bytes:
    """Return a message of AWS's event stream."""
    told = b""
    for name, value in headers.items():
        told += bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
    body = json.dumps(payload or {}).encode()
    prelude = struct.pack(">II", 16 + len(told) + len(body), len(told))
    prelude += struct.pack(">I", zlib.crc32(prelude))
    return prelude + told + body + struct.pack(">I", zlib.crc32(prelude + told + body))


def event(type_: str) -> bytes:
    return message({":message-type": "event", ":event-type": type_})


@pytest.mark.parametrize(
    "body",
    [
        event("messageStart") + event("contentBlockDelta") + event("messageStop"),
        event("messageStart") + event("messageStop") + event("metadata"),
        event("chunk"),  # Of an API without a first message.
        b"",
    ],
)
def test_a_stream_that_is_whole(body: bytes) -> None:
    bedrock.must_be_whole(body)


def test_a_stream_without_its_last_message() -> None:
    with pytest.raises(BrokeOffError, match="without its last message"):
        bedrock.must_be_whole(event("messageStart") + event("contentBlockDelta"))


def test_a_message_that_is_cut_or_changed() -> None:
    whole = event("messageStart") + event("messageStop")
    for body in (whole[:-3], whole[:-20] + b"x" + whole[-19:]):
        with pytest.raises(BrokeOffError, match="the stream broke off"):
            bedrock.must_be_whole(body)


@pytest.mark.parametrize(
    ("headers", "payload", "error"),
    [
        (
            {":message-type": "exception", ":exception-type": "throttlingException"},
            {"message": "slow down"},
            {"type": "throttlingException", "message": "slow down"},
        ),
        (
            {":message-type": "error", ":error-code": "InternalFailure", ":error-message": "no"},
            None,
            {"type": "InternalFailure", "message": "no"},
        ),
        ({":message-type": "exception"}, None, {"type": "error", "message": None}),
    ],
)
def test_an_exception_in_a_stream(headers: dict[str, str], payload: object, error: object) -> None:
    with pytest.raises(HoldsError) as raised:
        bedrock.must_be_whole(event("messageStart") + message(headers, payload) + event("messageStop"))
    assert raised.value.args[0] == error or error in vars(raised.value).values()


def test_the_objects_of_a_stream() -> None:
    inner = {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"outputTokenCount": 7}}
    wrapped = {"bytes": base64.b64encode(json.dumps(inner).encode()).decode()}
    named = {":message-type": "event", ":event-type": "chunk"}
    whole = message(named, {"role": "assistant"}) + message(named, wrapped)
    assert [*bedrock.elements(whole)] == [{"role": "assistant"}, inner]
    assert [*bedrock.elements(whole[:-3])] == [{"role": "assistant"}]
    assert [*bedrock.elements(message(named, {"bytes": "x"}))] == []
