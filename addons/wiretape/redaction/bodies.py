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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import orjson

from wiretape.redaction import encodings, streams
from wiretape.redaction.positions import Path, locate
from wiretape.redaction.spans import Span, distributed, merged
from wiretape.redaction.streams import Change, Finder

_LINE = re.compile(r"([^\r\n]*+)(\r\n|\r|\n|\Z)")
_STARTS_JSON = ("{", "[")
_NAME = re.compile(r'"\s*:')
_NO_JSON = object()
_TIMES = 3
"""So often is looked again at what is left: with one secret gone, what was around it may look like another."""


def cleaned(pieces: Sequence[bytes], finder: Finder) -> tuple[bytes, ...]:
    """Return the pieces of a body without its secrets, as many; the very same where there are none.

    None is empty but where the body has fewer bytes than pieces by then.
    """
    for _ in range(_TIMES):
        before = (*pieces,)
        pieces = _cleaned(before, finder)
        if pieces == before:
            break
    return (*pieces,)


def _cleaned(pieces: tuple[bytes, ...], finder: Finder) -> tuple[bytes, ...]:
    texts = _decoded(pieces)
    if texts is None:
        return pieces
    text = "".join(texts)
    try:
        found = secrets(text, finder)
    except RecursionError:
        found = encodings.in_json(text, finder.spans, finder.member)
    if not found:
        return pieces
    return _none_empty([piece.encode("utf-8", "surrogateescape") for piece in distributed(texts, found)])


def _decoded(pieces: Sequence[bytes]) -> list[str] | None:
    """Return the text of each piece, or None where they are none: sound, a picture.

    A character that is cut is in the piece in which it ends.
    """
    if any(b"\0" in piece for piece in pieces):
        try:
            b"".join(pieces).decode("utf-8")
        except UnicodeDecodeError:
            return None
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    texts = [decoder.decode(piece) for piece in pieces]
    if texts:
        texts[-1] += decoder.decode(b"", final=True)
    return texts


def _none_empty(pieces: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the pieces cut anew where one is empty: an empty one would end a stream that is replayed."""
    body = b"".join(pieces)
    if all(pieces) or len(body) < len(pieces):
        return (*pieces,)
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


def secrets(text: str, finder: Finder) -> list[Span]:
    """Return the secrets of a body's text, with what replaces each as it is to be written."""
    parts, others = _parts(text)
    elements = [part.value for part in parts]
    found: list[Span] = []
    places: dict[str, list[int]] = {}
    for start, line in others:
        places.setdefault(line, []).append(start)
    different = [*places]
    for index, spans in encodings.each(different, finder.spans):
        for start in places[different[index]]:
            found += (Span(start + s.start, start + s.end, s.detector, s.replacement) for s in spans)
    wanted: dict[int, list[Change]] = {}
    inside = streams.secrets(elements, finder)
    for change in inside.changes:
        number = change.path[0]
        assert isinstance(number, int)
        wanted.setdefault(number, []).append(change)
    for index, changes in wanted.items():
        found += _written(parts[index], changes)
    for part in parts:
        if part.is_json and (inside.names or _hides(part)):
            for span in encodings.in_json(part.raw, finder.spans, finder.member):
                start, end = part.place(span.start), part.place(span.end, is_end=True)
                found.append(Span(start, end, span.detector, span.replacement))
    return merged(found)


def _written(part: _Part, changes: Sequence[Change]) -> Iterator[Span]:
    """Yield where the changes of a part stand in the body, with the new values as they are written."""
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


def _parts(text: str) -> tuple[list[_Part], list[tuple[int, str]]]:
    """Return the values of a body, in order, and what else is written in it, each with where it begins."""
    start = len(text) - len(text.lstrip("\ufeff \t\r\n"))
    if text[start : start + 1] in _STARTS_JSON:
        return _json_parts(text, start)
    lines = [(match.start(), match[1]) for match in _LINE.finditer(text, start)]
    if any(line.startswith("data:") for _, line in lines):
        return _event_parts(lines)
    return [], [(0, text)]


def _json_parts(text: str, start: int) -> tuple[list[_Part], list[tuple[int, str]]]:
    raw = text[start:]
    value = _parsed(raw)
    if isinstance(value, list):  # Gemini's stream, where nobody asked for events: the places of its items tell.
        wanted = {(index,) for index in range(len(value))}
        places = locate(raw, wanted)
        spans = [places[index,] for index in range(len(value))]
        items = zip(value, spans, strict=True)
        return [_Part(item, raw[begin:end], ((0, start + begin),)) for item, (begin, end) in items], []
    if value is not _NO_JSON:
        return [_Part(value, raw, ((0, start),))], []
    parts: list[_Part] = []
    others: list[tuple[int, str]] = []
    for match in _LINE.finditer(text):
        value = _parsed(match[1])
        if value is _NO_JSON:
            others.append((match.start(), match[1]))
        else:
            parts.append(_Part(value, match[1], ((0, match.start()),)))
    return (parts, others) if parts else ([], [(0, text)])


def _event_parts(lines: Sequence[tuple[int, str]]) -> tuple[list[_Part], list[tuple[int, str]]]:
    parts: list[_Part] = []
    others: list[tuple[int, str]] = []
    data: list[tuple[int, str]] = []
    for start, line in [*lines, (0, "")]:
        if line.startswith("data:"):
            begin = 6 if line.startswith("data: ") else 5
            data.append((start + begin, line[begin:]))
        elif line:
            others.append((start, line))
        elif data:
            parts += _data_parts(data)
            data = []
    return parts, others


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
