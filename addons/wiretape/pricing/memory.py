"""The prices that the library gave, on this machine's disk: so a run that meets no new model needs no library.

One small file of JSON. It holds for one installation of the library; what cannot be read, or is another's, is as
nothing, and what cannot be written is asked for again next time.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from wiretape.pricing.rates import KINDS, Period, Rates, Tier
from wiretape.store import atomic

_MOST = 2_000
"""Models that are remembered: clients name them."""

_LARGEST = 4_000_000
"""Bytes of a file that is read."""

type Key = tuple[str, str, str]
"""A provider, a model and a tier."""


class PriceMemory:
    """The file. For one thread."""

    def __init__(self, file: Path | None, version: str) -> None:
        """``version`` is the library's. Without a file it remembers for the time of this process."""
        self._file = file
        self._version = version
        self._known = _read(file, version) if file else {}

    def get(self, key: Key) -> Sequence[Period] | None:
        """Return the prices of a model, which may be none; None where it was not asked for yet."""
        return self._known.get(key)

    def put(self, key: Key, prices: Sequence[Period]) -> None:
        """Remember the prices of a model."""
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[key] = prices
        if self._file is None:
            return
        rows = [[*each, [_told(period) for period in periods]] for each, periods in self._known.items()]
        text = json.dumps({"library": self._version, "prices": rows})
        try:
            atomic.write_file(self._file, text.encode(), replace=True, private=True)
        except OSError:
            self._file = None  # It is a help, and no more.


def _read(file: Path, version: str) -> dict[Key, Sequence[Period]]:
    try:
        if file.stat().st_size > _LARGEST:
            return {}
        told = json.loads(file.read_bytes())
        if told["library"] != version:
            return {}
        rows = told["prices"][:_MOST]
        return {(str(one), str(two), str(three)): [_period(each) for each in last] for one, two, three, last in rows}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return {}


def _told(period: Period) -> dict[str, Any]:
    return {
        "since": period.since and period.since.isoformat(),
        "hours": period.hours and [each.isoformat() for each in period.hours],
        "tiers": [[tier.above, _prices(tier.rates)] for tier in period.tiers],
    }


def _prices(rates: Rates) -> dict[str, str]:
    return {name: str(price) for name in KINDS if (price := getattr(rates, name)) is not None}


def _period(told: Mapping[str, Any]) -> Period:
    tiers = tuple(
        Tier(int(above), Rates(**{name: Decimal(price) for name, price in prices.items()}))
        for above, prices in told["tiers"]
    )
    hours = told["hours"] and (time.fromisoformat(told["hours"][0]), time.fromisoformat(told["hours"][1]))
    if not tiers:
        raise ValueError("a period has a tier")
    return Period(tiers, told["since"] and date.fromisoformat(told["since"]), hours)
