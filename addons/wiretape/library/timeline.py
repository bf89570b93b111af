"""When an answer came, piece by piece: a capture -> moments with the words that came in them. Sans-IO.

A chunk of the wire holds a part of an event, one, or several. Its words are those of the events that it completed, so
the words of all moments are the answer's. Of an answer with several choices, which come mixed, they are those of the
first.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from wiretape.codecs import body_form
from wiretape.codecs.body_form import BodyForm
from wiretape.codecs.sse import SseDecoder
from wiretape.library.conversation import PartKind, turns_of_elements
from wiretape.recording.capture import Capture

_MOST = 20_000
"""Chunks that are looked at."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A chunk that came."""

    at_ms: float
    """From the request's last byte."""
    size: int
    """Bytes."""
    words: str
    """What was said in it, for people; empty for what is no part of the answer's words."""
    is_thought: bool = False
    """Whether the words were thought, not said."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The moments of an answer."""

    moments: Sequence[Moment]

    @property
    def total_ms(self) -> float:
        """When the last byte came."""
        return self.moments[-1].at_ms if self.moments else 0.0

    @property
    def first_word_ms(self) -> float | None:
        """When the first word came; None where there is none."""
        return next((moment.at_ms for moment in self.moments if moment.words), None)

    @property
    def gaps_ms(self) -> list[float]:
        """How long after each chunk with words the next one with words came."""
        times = [moment.at_ms for moment in self.moments if moment.words]
        return [later - sooner for sooner, later in pairwise(times)]

    @property
    def median_gap_ms(self) -> float | None:
        """The median of these; None where there are fewer than two chunks with words."""
        return median(self.gaps_ms) if self.gaps_ms else None


def timeline(capture: Capture) -> Timeline | None:
    """Return the timeline of a captured answer; None where its chunks are not kept."""
    if capture.chunks is None:
        return None
    chunks = capture.chunks[:_MOST]
    decoder = _decoder(capture)
    moments = []
    for at_ms, chunk in zip(capture.at[:_MOST], chunks, strict=True):
        elements = decoder.feed(chunk) if decoder else ()
        words, is_thought = _said(elements)
        moments.append(Moment(at_ms, len(chunk), words, is_thought))
    return Timeline(moments)


class _Events:
    """Reads events, each of which has an element."""

    def __init__(self) -> None:
        self._decoder = SseDecoder()

    def feed(self, chunk: bytes) -> list[Any]:
        return [*map(_element, (event.data for event in self._decoder.feed(chunk)))]


class _Lines:
    """Reads lines, each of which is an element."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[Any]:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return [*map(_element, lines)]


def _decoder(capture: Capture) -> _Events | _Lines | None:
    content_type = next((value for name, value in capture.headers if name == "content-type"), "")
    start = b"".join((capture.chunks or ())[:4])
    match body_form.of(content_type, start):
        case BodyForm.EVENTS:
            return _Events()
        case BodyForm.LINES:
            return _Lines()
    return None


def _element(data: str | bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _said(elements: Sequence[Any]) -> tuple[str, bool]:
    """Return the words of some elements, and whether they were thought."""
    pieces = [_piece(each) for each in elements if isinstance(each, dict)]
    said = "".join(words for words, is_thought in pieces if not is_thought)
    if said:
        return said, False
    thought = "".join(words for words, _ in pieces)
    return thought, bool(thought)


def _piece(element: dict[str, Any]) -> tuple[str, bool]:
    kind = str(element.get("type", ""))
    if kind.startswith("response."):
        # Its last events say all of it once more.
        delta = element.get("delta")
        return (delta if isinstance(delta, str) and kind.endswith("text.delta") else "", "reasoning" in kind)
    if _is_of_another_choice(element):
        return "", False
    parts = [part for turn in turns_of_elements([element]) for part in turn.parts]
    said = "".join(part.text for part in parts if part.kind is PartKind.TEXT)
    if said:
        return said, False
    return "".join(part.text for part in parts if part.kind is PartKind.REASONING), True


def _is_of_another_choice(element: dict[str, Any]) -> bool:
    """Return whether an element has a piece of a choice that is not the first."""
    for name in ("choices", "candidates"):
        choices = element.get(name)
        if isinstance(choices, list) and choices and isinstance(choices[0], dict):
            index = choices[0].get("index")
            return isinstance(index, int) and index > 0
    return False
