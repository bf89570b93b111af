"""The prices of one model, and what a usage costs by them. Exact: decimal numbers, in US dollars.

A part of the input or of the output that has a price of its own is taken out of the whole; what has none costs what the
whole does. So no token is counted twice, and none is forgotten.

    Rates(input=Decimal(3), cached=Decimal("0.3"), output=Decimal(15)).cost(Usage(input=1000, cached=900, output=10))
      -> 100 tokens at 3 dollars a million, 900 at 0.3, 10 at 15: Decimal("0.00072")
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time
from decimal import Decimal

from wiretape.providers.usage import Usage

_NOTHING = Decimal(0)

_MILLION = -6
"""The power of ten of a token's share in a price."""


@dataclass(frozen=True, slots=True)
class Rates:
    """US dollars for a million tokens of each kind; None where they cost what the whole does that they are part of."""

    input: Decimal | None = None
    cached: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    output: Decimal | None = None
    reasoning: Decimal | None = None
    input_audio: Decimal | None = None
    output_audio: Decimal | None = None
    input_image: Decimal | None = None
    output_image: Decimal | None = None
    request: Decimal | None = None
    """US dollars for each request."""

    def cost(self, usage: Usage) -> Decimal | None:
        """Return what a usage costs; None where there are tokens without a price, or it is not known how many."""
        if usage.input is None and usage.output is None:
            return None
        kept = min(usage.cache_write_1h or 0, usage.cache_write or 0)
        write = self.input if self.cache_write is None else self.cache_write
        read = _sum(
            usage.input or 0,
            self.input,
            (
                (usage.cached, self.cached),
                (kept, write if self.cache_write_1h is None else self.cache_write_1h),
                ((usage.cache_write or 0) - kept, write),
                (usage.input_audio, self.input_audio),
                (usage.input_image, self.input_image),
            ),
        )
        parts = (
            (usage.output_audio, self.output_audio),
            (usage.output_image, self.output_image),
            (usage.reasoning, self.reasoning),
        )
        written = _sum(usage.output or 0, self.output, parts)
        if read is None or written is None or (usage.input is None and self.input != _NOTHING):
            return None
        return ((read + written).scaleb(_MILLION) + (self.request or _NOTHING)).normalize()


KINDS = tuple(each.name for each in fields(Rates))
"""The names of all prices."""


def _sum(whole: int, price: Decimal | None, parts: Iterable[tuple[int | None, Decimal | None]]) -> Decimal | None:
    """Return the price of a whole with its parts, a million times; None where some of it has no price."""
    cost = _NOTHING
    rest = whole
    for number, own in parts:
        # Answers may say anything: the parts are not to be more than the whole.
        part = min(number or 0, rest)
        if part and own is not None:
            cost += own * part
            rest -= part
    if not rest:
        return cost
    return None if price is None else cost + price * rest


@dataclass(frozen=True, slots=True)
class Tier:
    """What holds for requests with more than so many tokens of input, for all of their tokens."""

    above: int
    rates: Rates


@dataclass(frozen=True, slots=True)
class Period:
    """What holds from a day on, or within some hours of each day, by UTC."""

    tiers: tuple[Tier, ...]
    """From the fewest tokens to the most; the first is above none."""
    since: date | None = None
    hours: tuple[time, time] | None = None

    def holds(self, at: datetime) -> bool:
        """Return whether it holds at a moment."""
        if self.since is not None and at.date() < self.since:
            return False
        if self.hours is None:
            return True
        begin, end = self.hours
        now = at.time()
        if end < begin:
            return now >= begin or now < end
        return begin <= now < end


type PriceList = Sequence[Period]
"""The prices of a model over time. Of several that hold the last one counts; where none does, the first."""


def rates_at(prices: PriceList, at: float, tokens: int) -> Rates:
    """Return what holds at a moment, in seconds since 1970, for a request with so many tokens of input."""
    moment = datetime.fromtimestamp(at, UTC)
    period = next((each for each in reversed(prices) if each.holds(moment)), prices[0])
    return next(tier.rates for tier in reversed(period.tiers) if tokens > tier.above or tier is period.tiers[0])
