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


def to_base64(item: Any, sent: Mapping[str, Any]) -> Any:
    """Return an item of the answer's ``data`` with its numbers as base64, where no digit is lost by that."""
    type_ = _type(sent)
    numbers = item.get("embedding") if isinstance(item, dict) else None
    if type_ is None or not isinstance(numbers, list) or not all(isinstance(n, int | float) for n in numbers):
        return item
    form = f"<{len(numbers)}{type_}"
    try:
        raw = struct.pack(form, *(numbers if type_ == "f" else map(int, numbers)))
    except (OverflowError, ValueError, struct.error):
        return item
    unpacked = [*struct.unpack(form, raw)]
    if unpacked != numbers and not all(map(_is_same, numbers, unpacked)):
        return item  # No such numbers: these came as they are from a provider that does not heed the form.
    return {**item, "embedding": base64.b64encode(raw).decode("ascii")}


def _type(sent: Mapping[str, Any]) -> str | None:
    output_dtype = sent.get("output_dtype")
    return _TYPES.get(output_dtype) if isinstance(output_dtype, str | None) else None


def _is_same(one: float, other: float) -> bool:
    # NaN is equal to nothing, and float32 has it.
    return one == other or (math.isnan(one) and math.isnan(other))
