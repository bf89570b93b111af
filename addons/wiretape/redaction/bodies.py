"""The bytes of an answer, piece by piece as they came -> the same without secrets. Sans-IO; after the content coding.

An answer is cleaned before anything is made of it, so that its recording and its capture say the same. What it means
is looked at, as ``streams`` does, in whichever form it has (server-sent events, lines of JSON, JSON, text), and what is
to go is taken out where it is written: the pieces keep their number, and so their times, and all else stays byte for
byte as it came.
"""

import codecs
import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, chain
from typing import Any

import orjson

from wiretape.codecs.pieces import Pieces
from wiretape.redaction import encodings, streams
from wiretape.redaction.positions import Path, locate
from wiretape.redaction.spans import Span, distribute, merged
from wiretape.redaction.streams import Change, SecretFinder

_LINE = re.compile(r"([^\r\n]*+)(\r\n|\r|\n|\Z)")
_LINE_OF_BYTES = re.compile(rb"([^\r\n]*+)(\r\n|\r|\n|\Z)")
_BLANK = "\ufeff \t\r\n"
_STARTS_JSON = ("{", "[")
_NAME = re.compile(r'"\s*:')
_NO_JSON = object()
_TIMES = 3
"""So often is looked again at what is left: with one secret gone, what was around it may look like another."""


def cleaned(pieces: Sequence[bytes], finder: SecretFinder) -> Sequence[bytes]:
    """Return the pieces of a body without its secrets, as many; the very same where there are none.

    None is empty but where the body has fewer bytes than pieces by then.
    """
    return cleaned_again(pieces, partial(_cleaned, finder=finder))


def cleaned_again[T](value: T, clean: Callable[[T], T]) -> T:
    """Return a value cleaned until it stays the very same: what is left of it is looked at again."""
    for _ in range(_TIMES):
        before = value
        value = clean(before)
        if value is before:
            break
    return value


def _cleaned(pieces: Sequence[bytes], finder: SecretFinder) -> Sequence[bytes]:
    body = pieces if isinstance(pieces, Pieces) else Pieces(pieces)
    if _is_no_text(body.data):
        return pieces
    try:
        found = _secrets(_Body.of_pieces(body), finder)
    except RecursionError:
        found = encodings.in_json("".join(_texts(body)), finder.spans, finder.member)
    if not found:
        return pieces
    changed = Pieces(piece.encode("utf-8", "surrogateescape") for piece in distribute(_texts(body), found))
    if changed == pieces:
        return pieces
    return _none_empty(changed)


def _is_no_text(data: bytearray) -> bool:
    """Return whether a body is sound, or a picture."""
    if b"\0" in data:
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            return True
    return False


def _texts(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield the text of each piece. A character that is cut is in the piece in which it ends."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    text = None
    for piece in pieces:
        if text is not None:
            yield text
        text = decoder.decode(piece)
    if text is not None:
        yield text + decoder.decode(b"", final=True)


def _none_empty(pieces: Sequence[bytes]) -> Sequence[bytes]:
    """Return the pieces cut anew where one is empty: an empty one would end a stream that is replayed."""
    if all(pieces):
        return pieces
    body = b"".join(pieces)
    if len(body) < len(pieces):
        return pieces
    ends = [*accumulate(map(len, pieces))]
    for index in range(len(ends)):
        ends[index] = max(ends[index], index + 1, ends[index - 1] + 1 if index else 0)
    for index in reversed(range(len(ends))):
        ends[index] = min(ends[index], len(body) - (len(ends) - 1 - index))
    return tuple(body[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True))


@dataclass(frozen=True, slots=True)
class _Part:
    """A value of a body, and where it is written."""

    value: Any
    raw: str
    """Its JSON text; a text that is no JSON stands for itself."""
    at: tuple[tuple[int, int], ...]
    """Where each line of the JSON text begins: in it, and in the body."""
    is_json: bool = True

    def place(self, index: int, *, is_end: bool = False) -> int:
        """Return where a character of the JSON text stands in the body."""
        line = (bisect_left if is_end else bisect_right)(self.at, index, key=lambda each: each[0]) - 1
        here, there = self.at[max(line, 0)]
        return there + index - here


@dataclass(frozen=True, slots=True)
class _Other:
    """What is written in a body and is no part of it, such as the name of an event."""

    start: int
    text: str


@dataclass(frozen=True, slots=True)
class _Body:
    """A body's text, which is looked through line by line, and again where something is found: never all its values."""

    lines: Callable[[], Iterator[tuple[int, str]]]
    """Its lines without their ends, each with where it begins."""
    whole: Callable[[], str]
    data: bytearray | None = None
    """The same in UTF-8, where it is there."""

    @classmethod
    def of_text(cls, text: str) -> "_Body":
        """Return that of a text."""
        return cls(lambda: ((match.start(), match[1]) for match in _LINE.finditer(text)), lambda: text)

    @classmethod
    def of_lines(cls, lines: Iterable[str]) -> "_Body":
        """Return that of lines, which may be made anew each time."""

        def numbered() -> Iterator[tuple[int, str]]:
            start = 0
            for line in lines:
                yield start, line
                start += len(line) + 1

        return cls(numbered, lambda: "\n".join(lines))

    @classmethod
    def of_pieces(cls, pieces: Pieces) -> "_Body":
        """Return that of bytes. No character is in two lines: each line is decoded by itself."""

        def lines() -> Iterator[tuple[int, str]]:
            start = 0
            view = memoryview(pieces.data)
            for match in _LINE_OF_BYTES.finditer(view):
                line = str(view[match.start() : match.end(1)], "utf-8", "surrogateescape")
                yield start, line
                start += len(line) + match.end() - match.end(1)

        return cls(lines, lambda: pieces.data.decode("utf-8", "surrogateescape"), pieces.data)

    def parts(self) -> "Iterator[_Part | _Other]":
        """Yield the values of the body, in order, and what else is written in it."""
        begin, first = next(self._written(), (0, ""))
        if first in _STARTS_JSON:
            yield from self._json_parts(begin)
        elif any(line.startswith("data:") for _, line in self._lines(begin)):
            yield from _event_parts(self._lines(begin))
        else:
            yield _Other(0, self.whole())

    def _written(self) -> Iterator[tuple[int, str]]:
        """Yield where each line begins that is not blank, and its first character."""
        for start, line in self.lines():
            if kept := line.lstrip(_BLANK):
                yield start + len(line) - len(kept), kept[0]

    def _lines(self, begin: int) -> Iterator[tuple[int, str]]:
        for start, line in self.lines():
            if start >= begin:
                yield start, line
            elif start + len(line) > begin:
                yield begin, line[begin - start :]

    def _json_parts(self, begin: int) -> "Iterator[_Part | _Other]":
        if not self._has_values_in_lines(begin):
            # Of a large body there are not both texts at once while it is parsed.
            value = _NO_JSON
            if self.data is not None and not begin:
                with suppress(orjson.JSONDecodeError):
                    value = orjson.loads(self.data)
            raw = self.whole()[begin:]
            if value is _NO_JSON:
                value = _parsed(raw)
            if isinstance(value, list):  # Gemini's stream, where nobody asked for events: the places of its items tell.
                places = locate(raw, {(index,) for index in range(len(value))})
                for index, item in enumerate(value):
                    start, end = places[index,]
                    yield _Part(item, raw[start:end], ((0, begin + start),))
                return
            if value is not _NO_JSON:
                yield _Part(value, raw, ((0, begin),))
                return
            if all(_parsed(line) is _NO_JSON for _, line in self.lines()):
                yield _Other(0, self.whole())
                return
        for start, line in self.lines():
            value = _parsed(line)
            if value is _NO_JSON:
                yield _Other(start, line)
            else:
                yield _Part(value, line, ((0, start),))

    def _has_values_in_lines(self, begin: int) -> bool:
        """Return whether the first line is a value and not all: then all together are none."""
        written = (line for _, line in self._lines(begin) if line.strip())
        first = next(written)
        more = next(written, None)
        return more is not None and _parsed(first) is not _NO_JSON


class _Values:
    """The values of a body's parts, parsed each time anew; and what is seen on the way."""

    def __init__(self, body: _Body) -> None:
        self._body = body
        self.others: dict[str, None] = {}
        self.hiding: set[int] = set()
        """The parts in which something is not seen."""

    def __iter__(self) -> Iterator[Any]:
        number = 0
        for part in self._body.parts():
            if isinstance(part, _Other):
                self.others[part.text] = None
                continue
            if part.is_json and _hides(part):
                self.hiding.add(number)
            number += 1
            yield part.value


def secrets(text: str, finder: SecretFinder) -> list[Span]:
    """Return the secrets of a body's text, with what replaces each as it is to be written."""
    return _secrets(_Body.of_text(text), finder)


def secrets_of_lines(lines: Iterable[str], finder: SecretFinder) -> list[Span]:
    """Return those of the text that lines are when they are joined by line ends; none of them has one."""
    return _secrets(_Body.of_lines(lines), finder)


def _secrets(body: _Body, finder: SecretFinder) -> list[Span]:
    values = _Values(body)
    inside = streams.secrets(values, finder)
    different = [*values.others]
    in_others = {different[index]: spans for index, spans in encodings.each(different, finder.spans)}
    if not (inside or in_others or values.hiding):
        return []
    wanted: dict[str | int, list[Change]] = {}
    for change in inside.changes:
        wanted.setdefault(change.path[0], []).append(change)
    found: list[Span] = []
    number = 0
    for part in body.parts():
        if isinstance(part, _Other):
            spans = in_others.get(part.text, ())
            found += (Span(part.start + s.start, part.start + s.end, s.detector, s.replacement) for s in spans)
            continue
        found += _written(part, wanted.get(number, ()))
        if part.is_json and (inside.names or number in values.hiding):
            for span in encodings.in_json(part.raw, finder.spans, finder.member):
                start = part.place(span.start)
                end = part.place(span.end, is_end=True)
                found.append(Span(start, end, span.detector, span.replacement))
        number += 1
    return merged(found)


def _written(part: _Part, changes: Sequence[Change]) -> Iterator[Span]:
    """Yield where the changes of a part stand in the body, with the new values as they are written."""
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
    compact = '": ' not in like
    dumped = json.dumps(value, ensure_ascii=like.isascii(), separators=(",", ":") if compact else None)
    try:
        dumped.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":") if compact else None)
    return dumped


def _hides(part: _Part) -> bool:
    """Return whether an object has two members of one name, of which the first is not seen."""
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
    if isinstance(value, dict):
        return len(value) + sum(_members(item) for item in value.values() if isinstance(item, (dict, list)))
    if isinstance(value, list):
        return sum(_members(item) for item in value if isinstance(item, (dict, list)))
    return 0


def _event_parts(lines: Iterable[tuple[int, str]]) -> Iterator[_Part | _Other]:
    data: list[tuple[int, str]] = []
    for start, line in chain(lines, [(0, "")]):
        if line.startswith("data:"):
            begin = 5
            if line.startswith("data: "):
                begin = 6
            data.append((start + begin, line[begin:]))
        elif line:
            yield _Other(start, line)
        elif data:
            yield from _data_parts(data)
            data = []


def _data_parts(data: Sequence[tuple[int, str]]) -> Iterator[_Part]:
    """Yield the value of an event, or where its lines are no JSON together, what each of them is."""
    raw = "\n".join(line for _, line in data)
    value = _parsed(raw)
    if value is not _NO_JSON:
        here = accumulate((len(line) + 1 for _, line in data[:-1]), initial=0)
        yield _Part(value, raw, tuple(zip(here, (start for start, _ in data), strict=True)))
        return
    for start, line in data:
        value = _parsed(line)
        is_json = value is not _NO_JSON
        if line:
            yield _Part(value if is_json else line, line, ((0, start),), is_json)


def _parsed(raw: str) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(raw)  # What orjson refuses: NaN, half a surrogate pair.
    except (ValueError, RecursionError):
        return _NO_JSON
