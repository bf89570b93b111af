"""Where something stands in a text, and what is put there. Under everything that finds or takes out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Where a secret stands in a text, in characters, and what replaces it."""

    start: int
    end: int
    detector: str
    replacement: str


class Places:
    """Places in UTF-8 -> places in the text. They are asked for in order."""

    def __init__(self, data: bytes) -> None:
        """``data`` is the text in UTF-8."""
        self._data = data
        self._is_plain = data.isascii()
        self._bytes = 0
        self._characters = 0

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the places of characters for those of bytes."""
        return self._place(start), self._place(end)

    def _place(self, at: int) -> int:
        if self._is_plain:
            return at
        self._characters += len(self._data[self._bytes : at].decode("utf-8", "surrogatepass"))
        self._bytes = at
        return self._characters


def merged(found: list[Span]) -> list[Span]:
    """Return spans in order; of those that overlap, one for all."""
    if len(found) < 2:
        return found
    found.sort(key=lambda span: (span.start, -span.end))
    kept = found[:1]
    for span in found[1:]:
        last = kept[-1]
        if span.start >= last.end:
            kept.append(span)
        elif span.end > last.end:
            kept[-1] = Span(last.start, span.end, last.detector, last.replacement)
    return kept


def replaced(text: str, found: Sequence[Span]) -> str:
    """Return a text with what replaces each of the spans; the text itself where there are none."""
    if not found:
        return text
    pieces: list[str] = []
    end = 0
    for span in found:
        pieces += (text[end : span.start], span.replacement)
        end = span.end
    return "".join((*pieces, text[end:]))


def distribute(pieces: Iterable[str], found: Sequence[Span]) -> Iterator[str]:
    """Yield the pieces of a text, as many, with the spans of the whole replaced.

    What replaces a span stands in the piece where it begins; the others lose what they have of it.
    """
    place = 0
    number = 0
    for piece in pieces:
        end = place + len(piece)
        kept: list[str] = []
        at = place
        while number < len(found) and found[number].start < end:
            span = found[number]
            if span.start >= place:
                kept += (piece[at - place : span.start - place], span.replacement)
            at = min(span.end, end)
            if span.end > end:
                break
            number += 1
        kept.append(piece[at - place :])
        yield "".join(kept) if len(kept) > 1 else kept[0]
        place = end
