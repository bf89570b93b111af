"""How much a session may spend: what ``budget`` says -> a value."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from wiretape.codecs.units import usd

_BUDGET = re.compile(r"(\d{1,9}(?:\.\d{1,6})?) ?(?:USD|usd)(?: per (day|week|month))?", re.ASCII)

_SHOWN = 80
"""Characters of a wrong value that an error shows."""


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
        return f"{usd(self.usd)}{per}"


def parse(text: str) -> Budget:
    """Return a budget. Raises ValueError, which names the right spellings."""
    match = _BUDGET.fullmatch(text)
    if not match:
        raise ValueError(f'{text[:_SHOWN]!r} is no budget: it is "5 USD", or "5 USD per day", per week or per month')
    return Budget(Decimal(match[1]), Per(match[2] or ""))
