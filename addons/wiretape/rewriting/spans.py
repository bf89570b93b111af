"""Spans: places in a text, and what replaces each. Whatever finds what is to be replaced, or replaces it, uses them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a text, in characters, and what replaces it there."""

    start: int
    end: int
    detector: str
    """The name of what found it, for reports."""
    replacement: str

    def moved(self, distance: int) -> "Span":
        """Return the same span of a longer text that has ``distance`` characters before the one it was found in."""
        return Span(self.start + distance, self.end + distance, self.detector, self.replacement)


class Places:
    """Converts places in UTF-8 to places in the text. They have to be given in ascending order."""

    def __init__(self, data: bytes) -> None:
        """``data`` is the text in UTF-8."""
        self._data = data
        self._is_plain = data.isascii()
        self._bytes = 0
        self._characters = 0

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the first and last place in characters, given those in bytes."""
        return self._place(start), self._place(end)

    def _place(self, at: int) -> int:
        if self._is_plain:
            return at
        self._characters += len(self._data[self._bytes : at].decode("utf-8", "surrogatepass"))
        self._bytes = at
        return self._characters


def merged(spans: list[Span]) -> list[Span]:
    """Return spans in order; those that overlap become one."""
    if len(spans) < 2:
        return spans
    spans.sort(key=lambda span: (span.start, -span.end))
    kept = spans[:1]
    for span in spans[1:]:
        last = kept[-1]
        if span.start >= last.end:
            kept.append(span)
        elif span.end > last.end:
            kept[-1] = Span(last.start, span.end, last.detector, last.replacement)
    return kept


def replaced(text: str, spans: Sequence[Span]) -> str:
    """Return a text in which each span is replaced; the text itself where there are no spans."""
    if not spans:
        return text
    pieces: list[str] = []
    end = 0
    for span in spans:
        pieces += (text[end : span.start], span.replacement)
        end = span.end
    return "".join((*pieces, text[end:]))


def distribute(pieces: Iterable[str], spans: Sequence[Span]) -> Iterator[str]:
    """Yield the pieces of a text with the spans of the whole text replaced. There are as many pieces as before.

    A replacement stands in the piece where its span begins. The other pieces lose what they have of the span.
    """
    place = 0
    number = 0
    for piece in pieces:
        end = place + len(piece)
        kept: list[str] = []
        at = place
        while number < len(spans) and spans[number].start < end:
            span = spans[number]
            if span.start >= place:
                kept += (piece[at - place : span.start - place], span.replacement)
            at = min(span.end, end)
            if span.end > end:
                break
            number += 1
        kept.append(piece[at - place :])
        yield "".join(kept)
        place = end
