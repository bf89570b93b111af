"""What a call costs: by a team's own prices, by what the provider says itself, else by the library's. For any thread.

    prices = Prices(rows)
    prices.price("openai", "gpt-4o", Usage(input=1000, output=50), time.time())   # Decimal("0.003")

The first price of a model on this machine costs half a second, those after it some microseconds. So whoever serves
requests does not ask: the thread that writes the log of calls does.
"""

import logging
import threading
from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from wiretape.pricing import installed, names
from wiretape.providers.usage import Usage

if TYPE_CHECKING:
    from wiretape.pricing.memory import PriceMemory
    from wiretape.pricing.rates import Period
    from wiretape.pricing.rows import PriceRow


logger = logging.getLogger(__name__)

_NAME = 200
"""Characters of the name of a model, at most: clients name them."""


class Prices:
    """All prices that are known here."""

    def __init__(self, rows: "Sequence[PriceRow]" = (), memory: Path | None = None) -> None:
        """``rows`` are the team's own. ``memory`` is a file that keeps what the library gave, if any."""
        self._rows = rows
        self._file = memory
        self._memory: PriceMemory | None = None
        self._lock = threading.Lock()
        self._has_failed = False

    @cached_property
    def are_known(self) -> bool:
        """Whether there are any: rows, or the library."""
        return bool(self._rows) or bool(installed.version())

    def price(self, provider: str, model: str, usage: Usage, at: float) -> Decimal | None:
        """Return what tokens cost at a provider, in US dollars; None where that is not known.

        ``model`` is what was asked for; the usage may name the one that has answered, which goes first. ``at`` is when,
        in seconds since 1970.
        """
        if not has_tokens(usage):
            return None  # A refusal, say: nobody is to look up the model that it names.
        models = [each for each in dict.fromkeys((usage.model or "", model)) if 0 < len(each) <= _NAME]
        for row in self._rows:
            if row.matches(provider, models):
                return row.rates.cost(usage)
        if usage.billed_usd is not None:
            return Decimal(usage.billed_usd)
        if provider in names.FREE and (usage.input or usage.output):
            return Decimal(0)
        if provider in names.FREE or provider in names.SUBSCRIBED:
            return None
        for each in models:
            if prices := self._prices(provider, each, usage.tier or ""):
                from wiretape.pricing.rates import rates_at  # As with the library: whoever serves needs none of it.

                return rates_at(prices, at, usage.input or 0).cost(usage)
        return None

    def _prices(self, provider: str, model: str, tier: str) -> "Sequence[Period]":
        from wiretape.pricing.memory import PriceMemory

        key = (provider, model, tier)
        with self._lock:
            if self._memory is None:
                self._memory = PriceMemory(self._file, installed.version())
            known = self._memory.get(key)
            if known is None and not self._has_failed:
                known = self._found(provider, model, tier)
                if known is not None:
                    self._memory.put(key, known)
        return known or ()

    def _found(self, provider: str, model: str, tier: str) -> "Sequence[Period] | None":
        """Ask the library; None where it fails, as a version can that nobody has tried: it is not asked again then."""
        from wiretape.pricing import library

        theirs, name = names.provider_and_model(provider, model)
        try:
            return library.find(theirs, name, tier)
        except Exception:
            self._has_failed = True
            logger.exception("the package genai-prices cannot be used: no price is known but those of [[price]]")
            return None


def has_tokens(usage: Usage) -> bool:
    """Return whether an answer tells anything that could have a price."""
    return usage.billed_usd is not None or any((usage.input, usage.output))
