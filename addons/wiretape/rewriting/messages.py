"""Replaces texts in a body that is a stream of AWS's messages, as Bedrock's streams are. Sans-IO.

The payload of a message is JSON, or JSON with the JSON of another API in it as base64 (``{"bytes": "eyJ0..."}``). The
values of the payloads are what ``bodies.Values`` is for a body of text. A message whose payload changes gets another
length and other checksums; all else stays byte for byte as it was, and each changed byte stays in the chunk in which
the message had it.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from wiretape.codecs import eventstream
from wiretape.codecs.eventstream import Frame
from wiretape.codecs.pieces import Pieces
from wiretape.rewriting import bodies
from wiretape.rewriting.bodies import FindInJson
from wiretape.rewriting.body_parts import NO_JSON, Part, parsed
from wiretape.rewriting.changes import Change
from wiretape.rewriting.positions import locate
from wiretape.rewriting.spans import Span, distribute, merged, replaced

_INSIDE = "bytes"
"""The member that has the JSON of another API."""


@dataclass(frozen=True, slots=True)
class _Payload:
    """The JSON text of a message."""

    value: Any
    """None where it is no JSON."""
    raw: str
    around: str | None = None
    """The payload itself, where the text is in it as base64."""

    def encoded(self, raw: str) -> bytes:
        """Return the payload with another text."""
        data = raw.encode("utf-8", "surrogateescape")
        if self.around is None:
            return data
        start, end = locate(self.around, {(_INSIDE,)})[_INSIDE,]
        inside = base64.b64encode(data).decode("ascii")
        return f'{self.around[:start]}"{inside}"{self.around[end:]}'.encode("utf-8", "surrogateescape")


class Messages:
    """The values of a body's messages, parsed anew at each walk."""

    def __init__(self, body: bytes | bytearray) -> None:
        """Raises ValueError where a message is cut off or malformed."""
        self._body = body
        self._frames = [*eventstream.frames(body)]

    def __iter__(self) -> Iterator[Any]:
        return (self._payload(frame).value for frame in self._frames)

    def _payload(self, frame: Frame) -> _Payload:
        raw = self._body[frame.payload : frame.payload_end].decode("utf-8", "surrogateescape")
        value = parsed(raw)
        if value is NO_JSON:
            return _Payload(None, raw)
        if isinstance(value, dict) and isinstance(value.get(_INSIDE), str):
            try:
                inside = base64.b64decode(value[_INSIDE], validate=True).decode("utf-8", "surrogateescape")
            except (ValueError, binascii.Error):
                return _Payload(value, raw)
            inside_value = parsed(inside)
            if inside_value is not NO_JSON:
                return _Payload(inside_value, inside, raw)
        return _Payload(value, raw)

    def in_pieces(
        self, pieces: Sequence[bytes], changes: Iterable[Change], find_in_json: FindInJson | None
    ) -> Sequence[bytes]:
        """Return the pieces of the body with its values changed: as many pieces, or the very same object where nothing
        changes.
        """
        spans = [*self._spans(changes, find_in_json)]
        if not spans:
            return pieces
        texts = (piece.decode("latin-1") for piece in pieces)
        return bodies.none_empty(Pieces(piece.encode("latin-1") for piece in distribute(texts, spans)))

    def _spans(self, changes: Iterable[Change], find_in_json: FindInJson | None) -> Iterator[Span]:
        """Yield which bytes of the body change; a byte is a character here."""
        by_number: dict[str | int, list[Change]] = {}
        for change in changes:
            by_number.setdefault(change.path[0], []).append(change)
        for number, frame in enumerate(self._frames):
            if number not in by_number and find_in_json is None:
                continue
            payload = self._payload(frame)
            if payload.value is None:
                continue
            part = Part(payload.value, payload.raw, ((0, 0),))
            inside = [*bodies.written(part, by_number.get(number, ()))]
            if find_in_json is not None:
                inside += find_in_json(number, payload.raw)
            if inside:
                yield from self._differing(frame, payload.encoded(replaced(payload.raw, merged(inside))))

    def _differing(self, frame: Frame, payload: bytes) -> Iterator[Span]:
        headers = bytes(self._body[frame.headers_start : frame.payload])
        message = eventstream.encode(headers, payload)
        old = bytes(self._body[frame.payload : frame.payload_end])
        before = _alike(old, payload)
        behind = _alike(old[before:][::-1], payload[before:][::-1])
        yield _span(frame.start, frame.headers_start, message[: frame.headers_start - frame.start])
        yield _span(frame.payload + before, frame.payload_end - behind, payload[before : len(payload) - behind])
        yield _span(frame.payload_end, frame.end, message[frame.payload_end - frame.end :])


def _alike(one: bytes, other: bytes) -> int:
    """Return how many bytes two texts have in common at their beginning."""
    differing = (at for at, (mine, theirs) in enumerate(zip(one, other, strict=False)) if mine != theirs)
    return next(differing, min(len(one), len(other)))


def _span(start: int, end: int, data: bytes) -> Span:
    return Span(start, end, "", data.decode("latin-1"))
