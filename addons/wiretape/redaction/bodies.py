"""Takes secrets out of the bytes of an answer, which are given in pieces, as they came. Sans-IO.

An answer is cleaned after its content coding is undone and before anything is made of it, so that its recording and its
capture say the same. It goes in three steps:

1. ``body_parts`` reads the body as values (events, lines of JSON, JSON) and other texts.
2. ``streams`` finds the secrets of the values, also those that are cut up over several events.
3. Each secret is replaced in the body where it is written.

So the pieces keep their number, and with it the times at which they came; and every other byte stays as it was.

A JSON object may have two members of one name. A parser sees only the last of them, so in such a part the text itself
is searched as well (``_Values.hiding``).
"""

import codecs
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import accumulate
from typing import Any

from wiretape.codecs.pieces import Pieces
from wiretape.redaction import encodings, streams
from wiretape.redaction.body_parts import Body, OtherText, Part
from wiretape.redaction.changes import Change
from wiretape.redaction.positions import Path, locate
from wiretape.redaction.spans import Span, distribute, merged
from wiretape.redaction.streams import SecretFinder

_NAME = re.compile(r'"\s*:')
_TIMES = 3
"""How often a value is cleaned at most. With one secret gone, the text around it may look like another one."""


def cleaned(pieces: Sequence[bytes], finder: SecretFinder) -> Sequence[bytes]:
    """Return the pieces of a body without its secrets: as many pieces, or the very same object where there are none.

    No piece is empty, unless the body has fewer bytes left than pieces.
    """
    return cleaned_again(pieces, partial(_cleaned, finder=finder))


def cleaned_again[T](value: T, clean: Callable[[T], T]) -> T:
    """Return a value that was cleaned again and again until nothing changed any more, as far as ``_TIMES`` goes."""
    for _ in range(_TIMES):
        before = value
        value = clean(before)
        if value is before:
            break
    return value


def _cleaned(pieces: Sequence[bytes], finder: SecretFinder) -> Sequence[bytes]:
    if isinstance(pieces, Pieces):
        body = pieces
    else:
        body = Pieces(pieces)
    if _is_no_text(body.data):
        return pieces
    try:
        spans = _secrets(Body.of_pieces(body), finder)
    except RecursionError:
        spans = encodings.in_json("".join(_texts(body)), finder.spans, finder.member)
    if not spans:
        return pieces
    changed = Pieces(piece.encode("utf-8", "surrogateescape") for piece in distribute(_texts(body), spans))
    if changed == pieces:
        return pieces
    return _none_empty(changed)


def _is_no_text(data: bytearray) -> bool:
    """Tell whether a body is binary, such as audio or a picture."""
    if b"\0" not in data:
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def _texts(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield the text of each piece. A character that is cut up belongs to the piece in which it ends."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    text = None
    for piece in pieces:
        if text is not None:
            yield text
        text = decoder.decode(piece)
    if text is not None:
        yield text + decoder.decode(b"", final=True)


def _none_empty(pieces: Sequence[bytes]) -> Sequence[bytes]:
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


class _Values:
    """The values of a body, parsed anew at each walk; a walk also notes the other texts and the parts
    that hide some.
    """

    def __init__(self, body: Body) -> None:
        self._body = body
        self.others: dict[str, None] = {}
        self.hiding: set[int] = set()
        """The numbers of the parts in which a member hides another one of the same name."""

    def __iter__(self) -> Iterator[Any]:
        number = 0
        for part in self._body.parts():
            if isinstance(part, OtherText):
                self.others[part.text] = None
                continue
            if part.is_json and _hides(part):
                self.hiding.add(number)
            number += 1
            yield part.value


def secrets(text: str, finder: SecretFinder) -> list[Span]:
    """Return where the text of a body has secrets. Each replacement is written as the form of the body needs it."""
    return _secrets(Body.of_text(text), finder)


def secrets_of_lines(lines: Iterable[str], finder: SecretFinder) -> list[Span]:
    """Return the secrets of the text that these lines, none of which has a line end, are when line ends join them."""
    return _secrets(Body.of_lines(lines), finder)


def _secrets(body: Body, finder: SecretFinder) -> list[Span]:
    values = _Values(body)
    inside = streams.secrets(values, finder)
    others = [*values.others]
    in_others = {others[index]: spans for index, spans in encodings.each(others, finder.spans)}
    if not (inside or in_others or values.hiding):
        return []
    wanted: dict[str | int, list[Change]] = {}
    for change in inside.changes:
        wanted.setdefault(change.path[0], []).append(change)
    secrets_of_body: list[Span] = []
    number = 0
    for part in body.parts():
        if isinstance(part, OtherText):
            spans = in_others.get(part.text, ())
            secrets_of_body += (span.moved(part.start) for span in spans)
            continue
        secrets_of_body += _written(part, wanted.get(number, ()))
        if part.is_json and (inside.names or number in values.hiding):
            for span in encodings.in_json(part.raw, finder.spans, finder.member):
                start = part.place(span.start)
                end = part.place(span.end, is_end=True)
                secrets_of_body.append(Span(start, end, span.detector, span.replacement))
        number += 1
    return merged(secrets_of_body)


def _written(part: Part, changes: Sequence[Change]) -> Iterator[Span]:
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
    if '": ' not in like:
        separators = (",", ":")
    dumped = json.dumps(value, ensure_ascii=like.isascii(), separators=separators)
    try:
        dumped.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return json.dumps(value, separators=separators)
    return dumped


def _hides(part: Part) -> bool:
    """Tell whether an object has two members of one name: a parser sees only the last of them."""
    if len(_NAME.findall(part.raw)) == _members(part.value):
        return False
    return _has_twins(part.raw)


def _has_twins(raw: str) -> bool:
    twins = False

    def look(pairs: list[tuple[str, Any]]) -> None:
        nonlocal twins
        twins = twins or len({name for name, _ in pairs}) < len(pairs)

    try:
        json.loads(raw, object_pairs_hook=look)
    except RecursionError:
        return True
    return twins


def _members(value: Any) -> int:
    """Count the members of all objects in a value."""
    if isinstance(value, dict):
        return len(value) + sum(_members(item) for item in value.values() if isinstance(item, (dict, list)))
    if isinstance(value, list):
        return sum(_members(item) for item in value if isinstance(item, (dict, list)))
    return 0
