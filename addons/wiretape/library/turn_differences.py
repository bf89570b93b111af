"""Two conversations beside each other, turn by turn, with what differs marked inside the texts. Sans-IO.

Programs go on from where they were: two requests that are alike have the same turns at their beginning and at their
end. What is between is compared in order. Within a text words are compared; the work is bounded, whatever the texts
are: of long ones what they have in common at both ends is left out before.
"""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest

from rapidfuzz.distance import Indel

from wiretape.library.conversation import Part, Turn

_WORD = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")

_COMPARED = 4000
"""Words of a text that are compared one by one."""


class Side(StrEnum):
    """Where a piece of text is."""

    BOTH = "both"
    HERE = "here"
    THERE = "there"


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text."""

    side: Side
    text: str


@dataclass(frozen=True, slots=True)
class PartPair:
    """A part of a turn, in both conversations or in one."""

    here: Part | None
    there: Part | None
    pieces: Sequence[Piece]
    """The texts of both, as one."""

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        return self.here == self.there


@dataclass(frozen=True, slots=True)
class TurnPair:
    """A turn, in both conversations or in one."""

    here: Turn | None
    there: Turn | None
    parts: Sequence[PartPair]

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        return self.here == self.there

    @property
    def role(self) -> str:
        """Whose it is."""
        turn = self.here or self.there
        assert turn
        return turn.role


def compared(here: Sequence[Turn], there: Sequence[Turn]) -> list[TurnPair]:
    """Return the turns of two conversations beside each other."""
    start = _common(here, there)
    end = _common(here[start:][::-1], there[start:][::-1])
    ours = here[start : len(here) - end]
    theirs = there[start : len(there) - end]
    pairs = [_pair(turn, turn) for turn in here[:start]]
    pairs += [_pair(one, two) for one, two in _aligned(ours, theirs)]
    return [*pairs, *(_pair(turn, turn) for turn in here[len(here) - end :])]


def _common(here: Sequence[object], there: Sequence[object]) -> int:
    """Return how many items two sequences begin with that are the same."""
    length = min(len(here), len(there))
    return next((place for place in range(length) if here[place] != there[place]), length)


def _aligned(here: Sequence[Turn], there: Sequence[Turn]) -> Iterator[tuple[Turn | None, Turn | None]]:
    """Yield the turns of both in order, those of one role beside each other."""
    ours = deque(here)
    theirs = deque(there)
    while ours and theirs:
        if ours[0].role == theirs[0].role:
            yield ours.popleft(), theirs.popleft()
        elif len(ours) >= len(theirs):
            yield ours.popleft(), None
        else:
            yield None, theirs.popleft()
    yield from ((turn, None) for turn in ours)
    yield from ((None, turn) for turn in theirs)


def _pair(here: Turn | None, there: Turn | None) -> TurnPair:
    both = zip_longest(here.parts if here else (), there.parts if there else ())
    return TurnPair(here, there, [PartPair(one, two, pieces(_text(one), _text(two))) for one, two in both])


def _text(part: Part | None) -> str:
    return part.text if part else ""


def pieces(here: str, there: str) -> list[Piece]:
    """Return two texts as one, in which each piece says which of them has it."""
    if here == there:
        return [Piece(Side.BOTH, here)] if here else []
    ours = _WORD.findall(here)
    theirs = _WORD.findall(there)
    start = _common(ours, theirs)
    end = _common(ours[start:][::-1], theirs[start:][::-1])
    found = [Piece(Side.BOTH, "".join(ours[:start]))]
    found += _between(ours[start : len(ours) - end], theirs[start : len(theirs) - end])
    found.append(Piece(Side.BOTH, "".join(ours[len(ours) - end :])))
    return [piece for piece in found if piece.text]


def _between(here: Sequence[str], there: Sequence[str]) -> Iterator[Piece]:
    if len(here) > _COMPARED or len(there) > _COMPARED:
        yield Piece(Side.HERE, "".join(here))
        yield Piece(Side.THERE, "".join(there))
        return
    for code in Indel.opcodes(there, here):
        old = "".join(there[code.src_start : code.src_end])
        new = "".join(here[code.dest_start : code.dest_end])
        if code.tag == "equal":
            yield Piece(Side.BOTH, new)
        else:
            yield Piece(Side.HERE, new)
            yield Piece(Side.THERE, old)
