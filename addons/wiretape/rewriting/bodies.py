"""Replaces texts in the bytes of a body, which are given in pieces, as they came. Sans-IO; knows no provider.

A body's values (events, lines of JSON, JSON) are changed where they are written. So the pieces keep their number, and
with it the times at which they came; and every other byte stays as it was. It goes in these steps:

1. ``Values`` walks the values of the body, for ``streams`` to find what has to change in them.
2. ``spans`` tells where in the body those changes are written.
3. ``in_pieces`` replaces them there.

For ``data: {"delta": "/home/a"}``, in which the value of ``delta`` changes, the span is that of ``"/home/a"`` with its
quotes: a value that changes is encoded anew, and no other one is.
"""

import codecs
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from wiretape.codecs.pieces import Pieces
from wiretape.rewriting.body_parts import Body, OtherText, Part
from wiretape.rewriting.changes import Change
from wiretape.rewriting.positions import Path, locate
from wiretape.rewriting.spans import Span, distribute, merged


def is_no_text(data: bytes | bytearray) -> bool:
    """Tell whether a body is binary, such as audio or a picture."""
    if b"\0" not in data:
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


class Values:
    """The values of a body, parsed anew at each walk, which also notes the texts beside them."""

    def __init__(self, body: Body, see: Callable[[int, Part], None] | None = None) -> None:
        """``see`` is called with each part and its number."""
        self._body = body
        self._see = see
        self.others: dict[str, None] = {}
        self.count = 0
        """How many values the walk has given so far."""

    def __iter__(self) -> Iterator[Any]:
        self.count = 0
        for part in self._body.parts():
            if isinstance(part, OtherText):
                self.others[part.text] = None
                continue
            if self._see is not None:
                self._see(self.count, part)
            self.count += 1
            yield part.value


type FindInJson = Callable[[int, str], Iterable[Span]]
"""Returns what is to be replaced in the JSON text of a value, given the value's number."""


def spans(
    body: Body, changes: Iterable[Change], others: Mapping[str, Sequence[Span]], find_in_json: FindInJson | None
) -> list[Span]:
    """Return where the changes of a body's values are written, and what else is to be replaced in it.

    ``others`` has that for the texts beside the values, and ``find_in_json`` finds it in the JSON text of a value.
    """
    by_number: dict[str | int, list[Change]] = {}
    for change in changes:
        by_number.setdefault(change.path[0], []).append(change)
    if not (by_number or any(others.values()) or find_in_json):
        return []
    in_body: list[Span] = []
    number = 0
    for part in body.parts():
        if isinstance(part, OtherText):
            in_body += (span.moved(part.start) for span in others.get(part.text, ()))
            continue
        in_body += written(part, by_number.get(number, ()))
        if part.is_json and find_in_json is not None:
            for span in find_in_json(number, part.raw):
                start = part.place(span.start)
                end = part.place(span.end, is_end=True)
                in_body.append(Span(start, end, span.detector, span.replacement))
        number += 1
    return merged(in_body)


def written(part: Part, changes: Sequence[Change]) -> Iterator[Span]:
    """Yield where the changes of a part stand in the body, each with the text of its new value."""
    if not changes:
        return
    if not part.is_json:
        start = part.at[0][1]
        for change in changes:
            yield Span(start, start + len(part.raw), change.detector, change.value)
        return
    inside: dict[Path, Change] = {change.path[1:]: change for change in changes}
    for path, (start, end) in locate(part.raw, inside).items():
        change = inside[path]
        yield Span(part.place(start), part.place(end, is_end=True), change.detector, _dumped(change.value, part.raw))


def _dumped(value: Any, like: str) -> str:
    """Return the JSON text of a value, written as the text ``like`` is: with or without blanks and escapes."""
    separators = (", ", ": ")
    if not isinstance(value, str) and '": ' not in like:
        separators = (",", ":")
    dumped = json.dumps(value, ensure_ascii=like.isascii(), separators=separators)
    try:
        dumped.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return json.dumps(value, separators=separators)
    return dumped


def inside_json(text: str, like: str) -> str:
    """Return what stands between the quotes of a text in JSON, with escapes where the JSON text ``like`` has them."""
    return _dumped(text, like)[1:-1]


def in_pieces(pieces: Sequence[bytes], in_body: Sequence[Span]) -> Sequence[bytes]:
    """Return the pieces of a body with the spans of its text replaced: as many pieces, or the very same object where
    nothing is replaced.

    No piece is empty, unless the body has fewer bytes left than pieces.
    """
    if not in_body:
        return pieces
    changed = Pieces(piece.encode("utf-8", "surrogateescape") for piece in distribute(texts(pieces), in_body))
    if changed == pieces:
        return pieces
    return none_empty(changed)


def texts(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield the text of each piece. A character that is cut up belongs to the piece in which it ends."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    text = None
    for piece in pieces:
        if text is not None:
            yield text
        text = decoder.decode(piece)
    if text is not None:
        yield text + decoder.decode(b"", final=True)


def none_empty(pieces: Sequence[bytes]) -> Sequence[bytes]:
    """Return pieces of which none is empty, cut anew where needed: an empty one would end a stream on replay."""
    if all(pieces):
        return pieces
    body = b"".join(pieces)
    if len(body) < len(pieces):
        return pieces
    ends = [*accumulate(map(len, pieces))]
    before = 0
    for index, end in enumerate(ends):
        ends[index] = max(end, before + 1)
        before = ends[index]
    for index in reversed(range(len(ends))):
        ends[index] = min(ends[index], len(body) - (len(ends) - 1 - index))
    return tuple(body[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True))
