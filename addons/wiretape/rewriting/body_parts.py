"""The values of an answer's body, and where each of them is written in it. Under ``bodies``. Sans-IO.

A body has one of three forms, which its own text tells, whatever its content type says:

- *JSON*: it begins with a brace or a bracket. It is one value, or a value on each line (as Ollama streams). A list of
  values, as Gemini streams it, counts as its items.
- *events*: lines that begin with ``data:``. The lines of one event are one value together, or one each.
- *text*: anything else. All of it is one text.

``Body.parts`` yields a ``Part`` for each value and an ``OtherText`` for what is written beside the values, such as the
name of an event. A ``Part`` knows where its JSON text stands: ``part.place(3)`` is the place in the body of the fourth
character of that text, even where the text is cut up over several lines of an event.

A body may be large. Therefore it is walked again for each question that is asked of it, one line or value at a time;
nothing here holds all its values at once.
"""

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Any

import orjson

from wiretape.codecs.pieces import Pieces
from wiretape.rewriting.positions import locate

_LINE = re.compile(r"([^\r\n]*+)(\r\n|\r|\n|\Z)")
_LINE_OF_BYTES = re.compile(rb"([^\r\n]*+)(\r\n|\r|\n|\Z)")
_BLANK = "\ufeff \t\r\n"
_STARTS_JSON = ("{", "[")
NO_JSON = object()
"""What ``parsed`` returns for a text that is none."""


@dataclass(frozen=True, slots=True)
class Part:
    """A value of a body, and where its JSON text is written."""

    value: Any
    raw: str
    """The JSON text of the value. A value that is not JSON is its own text."""
    at: tuple[tuple[int, int], ...]
    """For each line of that text: where it begins in the text, and where it begins in the body."""
    is_json: bool = True

    def place(self, index: int, *, is_end: bool = False) -> int:
        """Return the place in the body of a character of the text, or of the end of what ends there."""
        look_up = bisect_right
        if is_end:
            look_up = bisect_left
        line = look_up(self.at, index, key=lambda each: each[0]) - 1
        here, there = self.at[max(line, 0)]
        return there + index - here


@dataclass(frozen=True, slots=True)
class OtherText:
    """A text that stands in a body beside its values, such as the name of an event."""

    start: int
    text: str


@dataclass(frozen=True, slots=True)
class Body:
    """The text of a body, which can be walked any number of times."""

    lines: Callable[[], Iterator[tuple[int, str]]]
    """Yields the lines without their ends, each with the place where it begins."""
    whole: Callable[[], str]
    """Returns the whole text."""
    data: bytearray | None = None
    """The text in UTF-8, where it came so."""

    @classmethod
    def of_text(cls, text: str) -> "Body":
        """Return the body that is this text."""
        return cls(lambda: ((match.start(), match[1]) for match in _LINE.finditer(text)), lambda: text)

    @classmethod
    def of_lines(cls, lines: Iterable[str]) -> "Body":
        """Return the body that these lines are when line ends join them. The lines may be computed at each walk."""

        def numbered() -> Iterator[tuple[int, str]]:
            start = 0
            for line in lines:
                yield start, line
                start += len(line) + 1

        return cls(numbered, lambda: "\n".join(lines))

    @classmethod
    def of_pieces(cls, pieces: Pieces) -> "Body":
        """Return the body that these bytes are. Each line is decoded by itself: no character is in two lines."""

        def lines() -> Iterator[tuple[int, str]]:
            start = 0
            view = memoryview(pieces.data)
            for match in _LINE_OF_BYTES.finditer(view):
                line = str(view[match.start() : match.end(1)], "utf-8", "surrogateescape")
                yield start, line
                start += len(line) + match.end() - match.end(1)

        return cls(lines, lambda: pieces.data.decode("utf-8", "surrogateescape"), pieces.data)

    def parts(self) -> "Iterator[Part | OtherText]":
        """Yield the values of the body and the other texts in it, in order."""
        begin, first = next(self._written(), (0, ""))
        if first in _STARTS_JSON:
            yield from self._json_parts(begin)
        elif any(line.startswith("data:") for _, line in self._lines(begin)):
            yield from _event_parts(self._lines(begin))
        else:
            yield OtherText(0, self.whole())

    def _written(self) -> Iterator[tuple[int, str]]:
        """Yield, for each line that is not blank, its first character and where that stands."""
        for start, line in self.lines():
            kept = line.lstrip(_BLANK)
            if kept:
                yield start + len(line) - len(kept), kept[0]

    def _lines(self, begin: int) -> Iterator[tuple[int, str]]:
        for start, line in self.lines():
            if start >= begin:
                yield start, line
            elif start + len(line) > begin:
                yield begin, line[begin - start :]

    def _json_parts(self, begin: int) -> "Iterator[Part | OtherText]":
        if not self._has_values_in_lines(begin):
            # A large body is parsed from its bytes, so that its decoded text is not in memory beside them meanwhile.
            value = NO_JSON
            if self.data is not None and not begin:
                with suppress(orjson.JSONDecodeError):
                    value = orjson.loads(self.data)
            raw = self.whole()[begin:]
            if value is NO_JSON:
                value = parsed(raw)
            if isinstance(value, list):  # Gemini streams a list unless the client asks for events.
                places = locate(raw, {(index,) for index in range(len(value))})
                for index, item in enumerate(value):
                    start, end = places[index,]
                    yield Part(item, raw[start:end], ((0, begin + start),))
                return
            if value is not NO_JSON:
                yield Part(value, raw, ((0, begin),))
                return
            if all(parsed(line) is NO_JSON for _, line in self.lines()):
                yield OtherText(0, self.whole())
                return
        for start, line in self.lines():
            value = parsed(line)
            if value is NO_JSON:
                yield OtherText(start, line)
            else:
                yield Part(value, line, ((0, start),))

    def _has_values_in_lines(self, begin: int) -> bool:
        """Tell whether the first line is a value by itself and more lines follow: then each line is a value."""
        written = (line for _, line in self._lines(begin) if line.strip())
        first = next(written)
        more = next(written, None)
        return more is not None and parsed(first) is not NO_JSON


def _event_parts(lines: Iterable[tuple[int, str]]) -> Iterator[Part | OtherText]:
    data: list[tuple[int, str]] = []
    for start, line in chain(lines, [(0, "")]):
        if line.startswith("data:"):
            begin = 5
            if line.startswith("data: "):
                begin = 6
            data.append((start + begin, line[begin:]))
        elif line:
            yield OtherText(start, line)
        elif data:
            yield from _data_parts(data)
            data = []


def _data_parts(data: Sequence[tuple[int, str]]) -> Iterator[Part]:
    """Yield the value of an event, or a value for each of its lines where they are not JSON together."""
    raw = "\n".join(line for _, line in data)
    value = parsed(raw)
    if value is not NO_JSON:
        here = accumulate((len(line) + 1 for _, line in data[:-1]), initial=0)
        yield Part(value, raw, tuple(zip(here, (start for start, _ in data), strict=True)))
        return
    for start, line in data:
        value = parsed(line)
        if value is not NO_JSON:
            yield Part(value, line, ((0, start),))
        elif line:
            yield Part(line, line, ((0, start),), is_json=False)


def parsed(raw: str) -> Any:
    """Return the value of a JSON text, also of one that orjson refuses; NO_JSON where it is none."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(raw)  # It reads what orjson refuses: NaN, half a surrogate pair.
    except (ValueError, RecursionError):
        return NO_JSON
