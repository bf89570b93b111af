"""Sizes as options spell them, and numbers of things in words."""

import math
import re

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([kKmMgG]?)[bB]?)", re.ASCII)
_FACTORS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3}


def parse_size(text: str) -> int:
    """Return a size in bytes. Raises ValueError, which names the right spellings."""
    match = _SIZE.fullmatch(text)
    size = math.inf
    if match:
        size = float(match[1]) * _FACTORS[match[2].lower()]
    if not math.isfinite(size):
        raise ValueError(f"{text[:80]!r} is no size: it is a number of bytes, or one with kB, MB or GB such as 128MB")
    return int(size)


def counted(number: int, one: str, several: str = "") -> str:
    """Return a number of things in words, as ``2 hits``."""
    if number == 1:
        return f"1 {one}"
    return f"{number:,} {several or one + 's'}"
