"""Messages of the event streams of AWS: bytes <-> headers and payloads. It does not know what they mean.

The native streams of Bedrock have this form. Checksums are not checked: the bytes are recorded as they came. They are
made where a payload is changed. Source: Smithy's specification of ``application/vnd.amazon.eventstream``: a message is

    its size (4 bytes), the size of its headers (4), CRC-32 of these (4), headers, payload, CRC-32 of all before (4)
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

MEDIA_TYPE = "application/vnd.amazon.eventstream"

_PRELUDE = 12
_CHECKSUM = 4

_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""The type of a header -> how many bytes its value has. Types 6 (bytes) and 7 (text) have a length before it."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message."""

    headers: dict[str, str]
    """The headers that are texts, such as ``:event-type``."""
    payload: bytes


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a message stands in a body."""

    start: int
    payload: int
    """Where its payload begins, behind its headers."""
    end: int

    @property
    def headers_start(self) -> int:
        """Where its headers begin."""
        return self.start + _PRELUDE

    @property
    def payload_end(self) -> int:
        """Where its payload ends, before the last checksum."""
        return self.end - _CHECKSUM


def begins(data: bytes | bytearray) -> bool:
    """Tell whether bytes begin as a stream of messages does: with two sizes, and a checksum that is right for them."""
    return data[:1] == b"\0" and len(data) > _PRELUDE and zlib.crc32(data[:8]) == int.from_bytes(data[8:_PRELUDE])


def frames(body: bytes | bytearray) -> Iterator[Frame]:
    """Yield where the messages of a body stand. Raises ValueError where one is cut off or malformed."""
    at = 0
    while at < len(body):
        if len(body) - at < _PRELUDE:
            raise ValueError("a message is cut off")
        size, of_headers = struct.unpack_from(">II", body, at)
        if size < _PRELUDE + of_headers + _CHECKSUM or size > len(body) - at:
            raise ValueError("a message is cut off, or is none")
        yield Frame(at, at + _PRELUDE + of_headers, at + size)
        at += size


def messages(body: bytes | bytearray) -> Iterator[Message]:
    """Yield the messages of a body. Raises ValueError where one is cut off or malformed."""
    view = memoryview(body)
    for frame in frames(body):
        headers = _headers(bytes(view[frame.headers_start : frame.payload]))
        yield Message(headers, bytes(view[frame.payload : frame.payload_end]))


def encode(headers: bytes, payload: bytes) -> bytes:
    """Return the bytes of a message, given its encoded headers."""
    prelude = struct.pack(">II", _PRELUDE + len(headers) + len(payload) + _CHECKSUM, len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))


def _headers(data: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    at = 0
    try:
        while at < len(data):
            name_ends = at + 1 + data[at]
            type_ = data[name_ends]
            value = name_ends + 1
            if type_ in (6, 7):
                (size,) = struct.unpack_from(">H", data, value)
                value += 2
            else:
                size = _SIZES[type_]
            if type_ == 7:
                name = data[at + 1 : name_ends].decode("utf-8", "replace")
                headers[name] = data[value : value + size].decode("utf-8", "replace")
            at = value + size
    except (IndexError, KeyError, struct.error) as e:
        raise ValueError("a message has a header that is none") from e
    return headers
