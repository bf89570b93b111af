"""How much a session may spend: what ``budget`` says -> a value; and money in words."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

_BUDGET = re.compile(r"(\d{1,9}(?:\.\d{1,6})?) ?(?:USD|usd)(?: per (day|week|month))?", re.ASCII)

_SHOWN = 80
"""Characters of a wrong value that an error shows."""

_EXACT = Decimal("0.01")
"""US dollars from which cents are enough."""


class Per(StrEnum):
    """For how long a budget is, by UTC."""

    EVER = ""
    """Until it is reset."""
    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def name_at(self, at: float) -> str:
        """Return the name of the period that a moment is in: ``2026-11-28``, ``2026-W48``, ``2026-11``."""
        moment = datetime.fromtimestamp(at, UTC)
        if self is Per.DAY:
            return f"{moment:%Y-%m-%d}"
        if self is Per.WEEK:
            return f"{moment:%G-W%V}"
        return f"{moment:%Y-%m}" if self is Per.MONTH else ""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a session may spend."""

    usd: Decimal
    per: Per = Per.EVER

    def __str__(self) -> str:
        """Return it as the configuration writes it."""
        per = f" per {self.per}" if self.per else ""
        return f"{told(self.usd)}{per}"


def parse(text: str) -> Budget:
    """Return a budget. Raises ValueError, which names the right spellings."""
    match = _BUDGET.fullmatch(text)
    if not match:
        raise ValueError(f'{text[:_SHOWN]!r} is no budget: it is "5 USD", or "5 USD per day", per week or per month')
    return Budget(Decimal(match[1]), Per(match[2] or ""))


def told(usd: Decimal) -> str:
    """Return money in words: ``5 USD``, ``12.35 USD``, ``0.000123 USD``. What is not nothing is never told as 0."""
    if usd >= _EXACT:
        cents = usd.quantize(_EXACT)
        return f"{cents.normalize():f} USD" if cents == cents.to_integral_value() else f"{cents:f} USD"
    if not usd:
        return "0 USD"
    # Three digits of it, as the price of one short answer has.
    exponent = usd.adjusted() - 2
    return f"{usd.quantize(Decimal(1).scaleb(exponent)).normalize():f} USD"
