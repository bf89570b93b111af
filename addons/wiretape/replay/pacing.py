"""When each chunk of a replay leaves. Values in, seconds out: no clock in here."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

_FACTOR = re.compile(r"(\d+(?:\.\d+)?)x", re.ASCII)
_RATE = re.compile(r"(\d+(?:\.\d+)?)tps(?:,ttft=(\d+(?:\.\d+)?)(ms|s))?", re.ASCII)

LONGEST = 86_400.0
"""Seconds after which the last chunk has left, whatever a recording says and a pace makes of it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a replay is. The default is at once."""

    factor: float | None = None
    """As recorded, so many times faster."""
    rate: float | None = None
    """Tokens a second."""
    first: float = 0.0
    """With a rate: seconds to the first token."""

    def __str__(self) -> str:
        """Return it as the option spells it."""
        if self.rate is not None:
            first = f",ttft={_spelled(self.first)}s" if self.first else ""
            return f"{_spelled(self.rate)}tps{first}"
        if self.factor is None:
            return "instant"
        return "recorded" if self.factor == 1 else f"{_spelled(self.factor)}x"


def _spelled(number: float) -> str:
    """Return a number without an exponent."""
    return format(Decimal(repr(number)).normalize(), "f")


INSTANT = Pace()


def parse(text: str) -> Pace:
    """Return the pace that the option spells. Raises ValueError, which names the right spellings."""
    if text == "instant":
        return INSTANT
    if text == "recorded":
        return Pace(factor=1.0)
    if (match := _FACTOR.fullmatch(text)) and 0 < float(match[1]) < math.inf:
        return Pace(factor=float(match[1]))
    if (match := _RATE.fullmatch(text)) and 0 < float(match[1]) < math.inf:
        unit = {"ms": 0.001, "s": 1.0}[match[3] or "s"]
        return Pace(rate=float(match[1]), first=min(LONGEST, float(match[2] or 0) * unit))
    raise ValueError(
        f"{text[:80]!r} is no pace: it is instant, recorded, a factor such as 2x or 0.5x, "
        "or tokens a second such as 50tps or 50tps,ttft=300ms"
    )


def schedule(pace: Pace, chunks: int, at: Sequence[float], tokens: int) -> tuple[float, ...]:
    """Return the seconds from the request's end to each chunk's leaving.

    ``at`` are the recorded times in milliseconds, empty where none are known: then a pace as recorded is at once.
    With a rate the tokens are spread evenly over the chunks; an answer in one piece leaves when all would have come.
    """
    if pace.rate is not None:
        each = tokens / chunks / pace.rate if chunks else 0.0
        return tuple(min(LONGEST, pace.first + each * (index if chunks > 1 else 1)) for index in range(chunks))
    if pace.factor is None or len(at) != chunks:
        return (0.0,) * chunks
    return tuple(min(LONGEST, max(0.0, moment) / 1000 / pace.factor) for moment in at)
