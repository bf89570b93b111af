"""Embeddings as numbers <-> as base64 of them. Part of the wire: a recording has numbers, whichever was asked for.

SDKs ask for base64 by themselves, so a request that does is the same as one that does not. What the bytes are is told
by ``output_dtype``: float32 where it is absent, else numbers of one byte, of which a binary embedding has eight
dimensions each. What is not what it should be stays as it came: a text.
"""

import base64
import math
import struct
from collections.abc import Mapping
from typing import Any

_TYPES = {None: "f", "float": "f", "int8": "b", "binary": "b", "uint8": "B", "ubinary": "B"}
"""``output_dtype`` -> the number's type as ``struct`` calls it."""


def to_numbers(item: Any, sent: Mapping[str, Any]) -> Any:
    """Return an item of the answer's ``data`` with its base64 as numbers, by what the request had ``sent``."""
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
    """Return an item of a recording's ``data`` as it was asked for: its numbers, or base64 where they can be that."""
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
    # In a recording all of them are as the SDK has them, with a fraction.
    return {**item, "embedding": [int(n) if isinstance(n, float) and n.is_integer() else n for n in numbers]}


def _packed(numbers: list[float], type_: str) -> str | None:
    """Return numbers as base64; None where a digit would be lost by that: so they came from who does not heed it."""
    form = f"<{len(numbers)}{type_}"
    try:
        raw = struct.pack(form, *(numbers if type_ == "f" else map(int, numbers)))
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
    # NaN is equal to nothing, and float32 has it.
    return one == other or (math.isnan(one) and math.isnan(other))
