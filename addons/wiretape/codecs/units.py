"""Sizes as options spell them -> bytes; numbers of things -> words. Under every option that bounds something."""

import math
import re

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([kKmMgG]?)[bB]?)", re.ASCII)
_FACTORS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3}


def parse_size(text: str) -> int:
    """Bytes, as an option spells them. Raises ValueError, which names the right spellings."""
    match = _SIZE.fullmatch(text)
    size = float(match[1]) * _FACTORS[match[2].lower()] if match else math.inf
    if not math.isfinite(size):
        raise ValueError(f"{text[:80]!r} is no size: it is a number of bytes, or one with kB, MB or GB such as 128MB")
    return int(size)


def counted(number: int, one: str, several: str = "") -> str:
    """So many of them, as ``2 hits``."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"
