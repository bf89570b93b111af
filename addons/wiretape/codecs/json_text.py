"""JSON text <-> values, fast and without loss, at once or in parts. Everything that reads the JSON of others uses it.

Values have a bounded depth, so that code which walks through them never runs out of stack.
"""

import json
import math
from collections.abc import Iterator
from typing import Any

import orjson

from wiretape.codecs.remade import Remade

DEEPEST = 254
"""How many arrays and objects may be in each other in a file: as many as orjson writes."""

DEEPEST_ON_WIRE = 200
"""The same for a request or an answer, which has to fit into a file."""

_LONG = 1 << 18
"""How many characters of a text are encoded at a time."""

_LARGE = 1 << 22
"""How many bytes make a text large: it is not written again to tell its depth, because that would take
as much memory.
"""

# A table and a search for fixed bytes are ten times as fast as an expression.
_DIGITS_TO_NINE = bytes.maketrans(b"012345678", b"9" * 9)
_LONG_NUMBER = b"9" * 19


class NonFinite(float):
    """NaN or an infinity that was read, and will be written as it was: orjson writes a plain float of
    these as ``null``.
    """


def loads(data: bytes | bytearray, deepest: int = DEEPEST) -> Any:
    """Return the value of a JSON text, as ``json.loads`` does, which reads what orjson refuses or rounds: NaN, long
    integers.

    A number that is not finite is a NonFinite, which ``dumps`` writes as it came. Raises ValueError, also for a text
    that is nested more deeply than ``deepest``.
    """
    value = _loads(data)
    if len(data) > _LARGE:
        is_too_deep = not _ends_within(value, deepest)
    else:
        is_too_deep = _is_deeper(value, deepest)
    if is_too_deep:
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
    """Return a compact text of what ``loads`` has given, without any loss."""
    try:
        return orjson.dumps(value)
    except TypeError:  # orjson refuses integers of more than 64 bits, half a surrogate pair, and NaN.
        return json.dumps(value, separators=(",", ":")).encode("ascii")


def _is_deeper(value: Any, deepest: int) -> bool:
    boxed = value
    for _ in range(DEEPEST - deepest):
        boxed = [boxed]
    try:
        # Writing takes a fifth of the time of reading, and ends where the value is too deep.
        orjson.dumps(boxed)
    except TypeError:  # It is too deep, or has an integer of more than 64 bits or half a surrogate pair.
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
"""Down to this level, members are encoded one by one. Below are the elements of the answer of a recording."""


def indented(value: Any, level: int = 0, *, is_item: bool = False) -> Iterator[str]:
    """Yield the text of ``json.dumps(value, indent=2)`` in parts: at once, a large one takes many times its memory.

    Raises as ``json.dumps`` does.
    """
    margin = "\n" + "  " * level
    if isinstance(value, str) and len(value) > _LONG:
        yield '"'
        for start in range(0, len(value), _LONG):
            yield json.dumps(value[start : start + _LONG])[1:-1]
        yield '"'
        return
    # The elements of a stream are not searched for a long text: there are many.
    is_whole = level >= _APART and ((is_item and level == _APART) or not _holds_long(value))
    if is_whole or not isinstance(value, dict | list | Remade) or not value:
        # All line ends belong to the layout: a text in JSON contains none.
        yield json.dumps(value, indent=2).replace("\n", margin)
        return
    if isinstance(value, dict):
        before = "{"
        end = "}"
        members = _named(value)
    else:
        before = "["
        end = "]"
        members = (("", item) for item in value)
    for name, item in members:
        yield f"{before}{margin}  {name}"
        yield from indented(item, level + 1, is_item=not name)
        before = ","
    yield margin + end


def _holds_long(value: Any) -> bool:
    """Tell whether a value contains a text that is too long to be encoded at once."""
    if isinstance(value, str):
        return len(value) > _LONG
    return any(map(_holds_long, _inside(value)))


def _named(value: dict[Any, Any]) -> Iterator[tuple[str, Any]]:
    # json.dumps converts keys that are not texts.
    return ((json.dumps({key: 0})[1:-2], item) for key, item in value.items())


def canonical(value: Any) -> bytes:
    """Return a value as JSON; equal values give equal bytes."""
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # orjson does not write half a surrogate pair or a large integer.
        return json.dumps(value, sort_keys=True).encode()
    # orjson also writes NaN as null.
    if b"null" not in text:
        return text
    return json.dumps(value, sort_keys=True).encode()
