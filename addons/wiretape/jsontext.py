"""JSON text -> values, fast and with nothing lost, and back, part by part. Under everything that reads JSON of others.

What comes back is bounded in depth, so that nobody who walks through it has to fear for the stack.
"""

import json
from collections.abc import Iterator
from typing import Any

import orjson

from wiretape.remade import Remade

DEEPEST = 254
"""Arrays and objects inside each other, of a file: as deep as orjson writes."""

DEEPEST_ON_WIRE = 200
"""The same of a request or an answer, which has to fit into a file."""

# A table and a search for fixed bytes: ten times as fast as an expression.
_DIGITS_TO_NINE = bytes.maketrans(b"012345678", b"9" * 9)
_LONG_NUMBER = b"9" * 19


def loads(data: bytes, deepest: int = DEEPEST) -> Any:
    """As ``json.loads``, which it falls back to for what orjson refuses, or would round: NaN, integers of any size.

    Raises ValueError, also for what is nested more deeply than ``deepest``.
    """
    value = _loads(data)
    if _is_deeper(value, deepest):
        raise ValueError("it is nested too deeply")
    return value


def _loads(data: bytes) -> Any:
    if _LONG_NUMBER not in data.translate(_DIGITS_TO_NINE):
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            pass
    try:
        return json.loads(data)
    except RecursionError as e:
        raise ValueError("it is nested too deeply") from e


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
    for _ in range(deepest + 1):
        level = [inner for each in level for inner in _inside(each)]
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


def indented(value: Any, level: int = 0) -> Iterator[str]:
    """The text that ``json.dumps(value, indent=2)`` gives, in parts: whole, a large one takes many times its memory.

    Raises as ``json.dumps`` does.
    """
    margin = "\n" + "  " * level
    if level == _APART or not isinstance(value, dict | list | Remade) or not value:
        # No text of JSON holds a line end: each is one of the layout's.
        yield json.dumps(value, indent=2).replace("\n", margin)
        return
    before, end = ("{", "}") if isinstance(value, dict) else ("[", "]")
    members = _named(value) if isinstance(value, dict) else (("", item) for item in value)
    for name, item in members:
        yield f"{before}{margin}  {name}"
        yield from indented(item, level + 1)
        before = ","
    yield margin + end


def _named(value: dict[Any, Any]) -> Iterator[tuple[str, Any]]:
    # json.dumps has its own ways with keys that are no text.
    return ((json.dumps({key: 0})[1:-2], item) for key, item in value.items())
