"""JSON text -> values, fast and with nothing lost, and back, at once or in parts. Under all that reads others' JSON.

What comes back is bounded in depth, so that nobody who walks through it has to fear for the stack.
"""

import json
import math
from collections.abc import Iterator
from typing import Any

import orjson

from wiretape.codecs.remade import Remade

DEEPEST = 254
"""Arrays and objects inside each other, of a file: as deep as orjson writes."""

DEEPEST_ON_WIRE = 200
"""The same of a request or an answer, which has to fit into a file."""

_LONG = 1 << 18
"""Characters of a text that are encoded at a time."""

_LARGE = 1 << 22
"""Bytes of a text that is not written again to tell its depth, as that takes as much memory."""

# A table and a search for fixed bytes: ten times as fast as an expression.
_DIGITS_TO_NINE = bytes.maketrans(b"012345678", b"9" * 9)
_LONG_NUMBER = b"9" * 19


class NonFinite(float):
    """NaN or an infinity that was read, and is to be written so: orjson writes ``null`` for a plain float of these."""


def loads(data: bytes | bytearray, deepest: int = DEEPEST) -> Any:
    """As ``json.loads``, which it falls back to for what orjson refuses, or would round: NaN, integers of any size.

    What is no finite number is a NonFinite, which ``dumps`` writes as it came. Raises ValueError, also for what is
    nested more deeply than ``deepest``.
    """
    value = _loads(data)
    is_within = _ends_within(value, deepest) if len(data) > _LARGE else not _is_deeper(value, deepest)
    if not is_within:
        raise ValueError("it is nested too deeply")
    return value


def _loads(data: bytes | bytearray) -> Any:
    if _LONG_NUMBER not in data.translate(_DIGITS_TO_NINE):
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            pass
    try:
        return json.loads(data, parse_constant=NonFinite, parse_float=_float)
    except RecursionError as e:
        raise ValueError("it is nested too deeply") from e


def _float(text: str) -> float:
    number = float(text)
    if math.isfinite(number):
        return number
    return NonFinite(number)


def dumps(value: Any) -> bytes:
    """A compact text of what ``loads`` has given, and nothing in it lost."""
    try:
        return orjson.dumps(value)
    except TypeError:  # An integer of more than 64 bits, half a surrogate pair, NaN: orjson refuses them.
        return json.dumps(value, separators=(",", ":")).encode("ascii")


def _is_deeper(value: Any, deepest: int) -> bool:
    boxed = value
    for _ in range(DEEPEST - deepest):
        boxed = [boxed]
    try:
        # To write it takes a fifth of the time of reading it, and ends where it is too deep.
        orjson.dumps(boxed)
    except TypeError:  # Too deep, or an integer of more than 64 bits, or half a surrogate pair.
        return not _ends_within(value, deepest)
    return False


def _ends_within(value: Any, deepest: int) -> bool:
    level = [value]
    for _ in range(deepest):
        level = [inner for each in level for inner in _inside(each) if isinstance(inner, dict | list)]
        if not level:
            return True
    return False


def _inside(value: Any) -> Any:
    match value:
        case dict():
            return value.values()
        case list():
            return value
    return ()


_APART = 3
"""Levels whose members are encoded one by one: below these are the elements of a recording's answer."""


def indented(value: Any, level: int = 0, *, is_item: bool = False) -> Iterator[str]:
    """The text that ``json.dumps(value, indent=2)`` gives, in parts: whole, a large one takes many times its memory.

    Raises as ``json.dumps`` does.
    """
    margin = "\n" + "  " * level
    if isinstance(value, str) and len(value) > _LONG:
        yield '"'
        for start in range(0, len(value), _LONG):
            yield json.dumps(value[start : start + _LONG])[1:-1]
        yield '"'
        return
    # The elements of a stream, of which there are many, are not looked through for a long text.
    is_whole = level >= _APART and ((is_item and level == _APART) or not _holds_long(value))
    if is_whole or not isinstance(value, dict | list | Remade) or not value:
        # No text of JSON holds a line end: each is one of the layout's.
        yield json.dumps(value, indent=2).replace("\n", margin)
        return
    before, end = ("{", "}") if isinstance(value, dict) else ("[", "]")
    members = _named(value) if isinstance(value, dict) else (("", item) for item in value)
    for name, item in members:
        yield f"{before}{margin}  {name}"
        yield from indented(item, level + 1, is_item=not name)
        before = ","
    yield margin + end


def _holds_long(value: Any) -> bool:
    """Whether there is a text of which the whole JSON text would be too much."""
    if isinstance(value, str):
        return len(value) > _LONG
    return any(map(_holds_long, _inside(value)))


def _named(value: dict[Any, Any]) -> Iterator[tuple[str, Any]]:
    # json.dumps has its own ways with keys that are no text.
    return ((json.dumps({key: 0})[1:-2], item) for key, item in value.items())


def canonical(value: Any) -> bytes:
    """Return a value as JSON, equal for values that are."""
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # It holds what orjson does not write: half a surrogate pair, a large integer.
        return json.dumps(value, sort_keys=True).encode()
    # It writes NaN so too.
    if b"null" not in text:
        return text
    return json.dumps(value, sort_keys=True).encode()
