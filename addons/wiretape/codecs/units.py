"""Sizes and ages as options spell them; numbers of things, and money, in words."""

import math
import re
from decimal import Decimal

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([kKmMgG]?)[bB]?)", re.ASCII)
_FACTORS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3}

_CENT = Decimal("0.01")
"""From so many US dollars on, cents are enough."""


def parse_size(text: str) -> int:
    """Return a size in bytes. Raises ValueError, which names the right spellings."""
    match = _SIZE.fullmatch(text)
    size = math.inf
    if match:
        size = float(match[1]) * _FACTORS[match[2].lower()]
    if not math.isfinite(size):
        raise ValueError(f"{text[:80]!r} is no size: it is a number of bytes, or one with kB, MB or GB such as 128MB")
    return int(size)


_AGE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(m|h|d|w)", re.ASCII)
_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


def parse_age(text: str) -> float:
    """Return an age in seconds. Raises ValueError, which names the right spellings."""
    match = _AGE.fullmatch(text)
    if match is None or not float(match[1]):
        raise ValueError(f"{text[:80]!r} is no age: it is a number of minutes, hours, days or weeks such as 90d")
    return float(match[1]) * _SECONDS[match[2]]


def age_in_words(seconds: float) -> str:
    """Return an age as people tell it: in days, or in hours or minutes where it is shorter than two."""
    for unit, word in (("d", "day"), ("h", "hour")):
        if seconds >= 2 * _SECONDS[unit]:
            return counted(int(seconds // _SECONDS[unit]), word)
    return counted(int(seconds // _SECONDS["m"]), "minute")


def counted(number: int, one: str, several: str = "") -> str:
    """Return a number of things in words, as ``2 hits``."""
    if number == 1:
        return f"1 {one}"
    return f"{number:,} {several or one + 's'}"


def usd(amount: Decimal) -> str:
    """Return money in words: ``5 USD``, ``12.35 USD``, ``0.000123 USD``. What is not nothing is never told as 0."""
    if amount >= _CENT:
        cents = amount.quantize(_CENT)
        return f"{cents.normalize():f} USD" if cents == cents.to_integral_value() else f"{cents:f} USD"
    if not amount:
        return "0 USD"
    # Three digits of it, as the price of one short answer has.
    exponent = amount.adjusted() - 2
    return f"{amount.quantize(Decimal(1).scaleb(exponent)).normalize():f} USD"
