"""Replaces texts in a body that is a stream of AWS's messages, as Bedrock's streams are. Sans-IO.

The payload of a message is JSON, or JSON with the JSON of another API in it as base64 (``{"bytes": "eyJ0..."}``). The
values of the payloads are what ``bodies.Values`` is for a body of text. A message whose payload changes gets another
length and other checksums; all else stays byte for byte as it was, and each changed byte stays in the chunk in which
the message had it. A payload that is binary is left out.
"""

import base64
from collections.abc import Callable, Iterable, Iterator, Sequence
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

_AT_THE_START = ((0, 0),)
"""Where the text of a payload begins in itself."""


@dataclass(frozen=True, slots=True)
class _Message:
    """A message with the text of its payload."""

    frame: Frame
    part: Part
    around: str | None = None
    """The payload itself, where the text is in it as base64."""

    def payload(self, text: str) -> bytes:
        """Return the payload with another text."""
        data = text.encode("utf-8", "surrogateescape")
        if self.around is None:
            return data
        start, end = locate(self.around, {(_INSIDE,)})[_INSIDE,]
        inside = base64.b64encode(data).decode("ascii")
        return f'{self.around[:start]}"{inside}"{self.around[end:]}'.encode("utf-8", "surrogateescape")


class Messages:
    """The values of a body's messages, parsed anew at each walk."""

    def __init__(self, body: bytes | bytearray, see: Callable[[int, Part], None] | None = None) -> None:
        """``see`` is called with each part and its number."""
        self._body = body
        self._see = see
        self._frames: list[Frame] = []
        self.is_whole = True
        """Whether no message is cut off or malformed. What follows such a one is left out."""
        try:
            self._frames.extend(eventstream.frames(body))
        except ValueError:
            self.is_whole = False

    def __iter__(self) -> Iterator[Any]:
        for number, message in enumerate(self._messages()):
            if self._see is not None:
                self._see(number, message.part)
            yield message.part.value

    def _messages(self) -> Iterator[_Message]:
        for frame in self._frames:
            data = self._body[frame.payload : frame.payload_end]
            if not bodies.is_no_text(data):
                yield _message(frame, data.decode("utf-8", "surrogateescape"))

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
        if not by_number and find_in_json is None:
            return
        for number, message in enumerate(self._messages()):
            part = message.part
            inside = [*bodies.written(part, by_number.get(number, ()))]
            if part.is_json and find_in_json is not None:
                inside += find_in_json(number, part.raw)
            text = replaced(part.raw, merged(inside))
            if text != part.raw:
                yield from self._differing(message.frame, message.payload(text))

    def _differing(self, frame: Frame, payload: bytes) -> Iterator[Span]:
        headers = bytes(self._body[frame.headers_start : frame.payload])
        message = eventstream.encode(headers, payload)
        old = bytes(self._body[frame.payload : frame.payload_end])
        before = _alike(old, payload)
        behind = _alike(old[before:][::-1], payload[before:][::-1])
        yield _span(frame.start, frame.headers_start, message[: frame.headers_start - frame.start])
        yield _span(frame.payload + before, frame.payload_end - behind, payload[before : len(payload) - behind])
        yield _span(frame.payload_end, frame.end, message[frame.payload_end - frame.end :])


def _message(frame: Frame, raw: str) -> _Message:
    value = parsed(raw)
    if value is NO_JSON:
        return _Message(frame, Part(raw, raw, _AT_THE_START, is_json=False))
    if isinstance(value, dict) and isinstance(value.get(_INSIDE), str):
        inside = _decoded(value[_INSIDE])
        inside_value = parsed(inside)
        if inside_value is not NO_JSON:
            return _Message(frame, Part(inside_value, inside, _AT_THE_START), raw)
    return _Message(frame, Part(value, raw, _AT_THE_START))


def _decoded(text: str) -> str:
    """Return the text that base64 encodes; an empty one where it is no base64."""
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "surrogateescape")
    except ValueError:
        return ""


def _alike(one: bytes, other: bytes) -> int:
    """Return how many bytes two texts have in common at their beginning."""
    differing = (at for at, (mine, theirs) in enumerate(zip(one, other, strict=False)) if mine != theirs)
    return next(differing, min(len(one), len(other)))


def _span(start: int, end: int, data: bytes) -> Span:
    return Span(start, end, "", data.decode("latin-1"))
