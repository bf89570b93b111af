"""A team's own prices: what ``[[price]]`` tables say -> values. They go before all others, in their order.

``wiretape.config`` has looked at keys and types before; here is what only prices know.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from wiretape.codecs.wildcards import Wildcard
from wiretape.exceptions import ConfigurationError
from wiretape.pricing.rates import KINDS, Rates

_SHOWN = 80
"""Characters of a wrong value that an error shows."""

_ALL = Wildcard("*")


@dataclass(frozen=True, slots=True)
class PriceRow:
    """What the tokens of some models cost."""

    rates: Rates
    provider: Wildcard = _ALL
    model: Wildcard = _ALL

    def matches(self, provider: str, models: Collection[str]) -> bool:
        """Return whether it is for a provider, and for one of the names of a model."""
        return self.provider.matches(provider) and any(map(self.model.matches, models))


def parse(entries: Sequence[Mapping[str, Any]], providers: Collection[str]) -> tuple[PriceRow, ...]:
    """Return the rows of the ``[[price]]`` tables.

    ``providers`` are the names that a row's provider can have. Raises ConfigurationError, with the path below the file.
    """
    return tuple(_row(number, entry, providers) for number, entry in enumerate(entries))


def _row(number: int, entry: Mapping[str, Any], providers: Collection[str]) -> PriceRow:
    path = ("price", number)
    prices = {name: Decimal(str(entry[name])) for name in KINDS if name in entry}
    if not prices:
        raise ConfigurationError(f"has no price: it needs one of {', '.join(KINDS)}", path)
    for part, whole in (("input", "input"), ("cach", "input"), ("output", "output"), ("reasoning", "output")):
        of_it = next((name for name in prices if name.startswith(part) and name != whole), "")
        if of_it and whole not in prices:
            raise ConfigurationError(f"{of_it} is a part of the {whole}, which has no price", path, at=of_it)
    provider = entry.get("provider", "*")
    if not any(map(Wildcard(provider).matches, providers)):
        known = ", ".join(sorted({*providers}))
        raise ConfigurationError(f"no provider is named {provider[:_SHOWN]!r}; there are {known}", path, at="provider")
    return PriceRow(Rates(**prices), Wildcard(provider), Wildcard(entry.get("model", "*")))
