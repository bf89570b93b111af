"""Embeddings as numbers, or as base64 of them. A recording always has numbers, whichever the client has asked for.

SDKs ask for base64 by themselves, so a request that does is the same as one that does not. ``output_dtype`` tells what
the bytes are: float32 where it is absent, otherwise numbers of one byte, each of which has eight dimensions of a binary
embedding. A text that is not what it should be stays as it came.
"""

import base64
import math
import struct
from collections.abc import Mapping
from typing import Any

_TYPES = {None: "f", "float": "f", "int8": "b", "binary": "b", "uint8": "B", "ubinary": "B"}
"""``output_dtype`` -> the type of the number, as ``struct`` names it."""


def to_numbers(item: Any, sent: Mapping[str, Any]) -> Any:
    """Return an item of ``data`` of an answer with numbers for its base64, as the request had ``sent`` it."""
    type_ = _type(sent)
    if type_ is None or not isinstance(item, dict) or not isinstance(item.get("embedding"), str):
        return item
    try:
        raw = base64.b64decode(item["embedding"], validate=True)
        numbers = struct.unpack(f"<{len(raw) // struct.calcsize(type_)}{type_}", raw)
    except (ValueError, struct.error):
        return item
    return {**item, "embedding": [*numbers]}


def to_wire(item: Any, sent: Mapping[str, Any], *, base64_wanted: bool) -> Any:
    """Return an item of ``data`` of a recording as the client asked for it: numbers, or base64 where
    that is possible.
    """
    type_ = _type(sent)
    if type_ is None or (type_ == "f" and not base64_wanted):
        return item
    numbers = None
    if isinstance(item, dict):
        numbers = item.get("embedding")
    if not isinstance(numbers, list) or not all(isinstance(n, int | float) for n in numbers):
        return item
    if base64_wanted:
        text = _packed(numbers, type_)
        if text is None:
            return item
        return {**item, "embedding": text}
    # A recording has all of them as SDKs do, with a fraction.
    return {**item, "embedding": [*map(_without_fraction, numbers)]}


def _without_fraction(number: float) -> float:
    if isinstance(number, float) and number.is_integer():
        return int(number)
    return number


def _packed(numbers: list[float], type_: str) -> str | None:
    """Return numbers as base64, or None where a digit would be lost: then the provider had not sent base64."""
    form = f"<{len(numbers)}{type_}"
    try:
        if type_ == "f":
            raw = struct.pack(form, *numbers)
        else:
            raw = struct.pack(form, *map(int, numbers))
    except (OverflowError, ValueError, struct.error):
        return None
    unpacked = [*struct.unpack(form, raw)]
    if unpacked != numbers and not all(map(_is_same, numbers, unpacked)):
        return None
    return base64.b64encode(raw).decode("ascii")


def _type(sent: Mapping[str, Any]) -> str | None:
    output_dtype = sent.get("output_dtype")
    if not isinstance(output_dtype, str | None):
        return None
    return _TYPES.get(output_dtype)


def _is_same(one: float, other: float) -> bool:
    # float32 has NaN, which is not equal to itself.
    return one == other or (math.isnan(one) and math.isnan(other))
