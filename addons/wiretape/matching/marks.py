"""What stands in a reduced request in the place of a value that was taken out, and how such a request is written.

A mark is a name between two characters NUL: ``\\0date\\0``, ``\\0call-ids 3\\0``. A client can send these very letters,
so a text with marks is a ``Marked``: it is written with a byte that nothing has that was sent, and no request with the
letters of a mark is ever the same as one with the mark. For people, it is a text like any other.
"""

import json
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from wiretape.codecs.json_text import NonFinite
from wiretape.recording import JSON

NUL = "\0"

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_SUBCLASS


class Marked(str):
    """A text with marks in it."""

    __slots__ = ("data",)

    data: bytes
    """What it is written as."""

    def __new__(cls, text: str, data: bytes | None = None) -> "Marked":
        """``data``: what it is written as, where that is not the text."""
        made = super().__new__(cls, text)
        made.data = dumps(text) if data is None else data
        return made


def mark(name: str, number: int = 0) -> str:
    """Return what stands for a value: with a number where equal values have to be equal in the other request too."""
    return f"{NUL}{name} {number}{NUL}" if number else f"{NUL}{name}{NUL}"


def literal(text: str) -> str:
    """Return what stands for a piece of a text beside marks."""
    return text.replace(NUL, NUL + NUL)


class JsonText(NamedTuple):
    """A string that has JSON, of which something was taken out. It is compared by its value, not by its layout."""

    value: JSON

    def written(self) -> str:
        """Return the string."""
        data = dumps(self.value)
        if b"\0" not in data:
            return data.decode()
        return Marked(_for_people(self.value).replace("\\u0000", NUL), data)


def _for_people(value: JSON) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


class Located(str):
    """A text of which is known already what is in it at some places."""

    __slots__ = ("findings",)

    findings: Sequence[Any]
    """What was found."""

    def __new__(cls, text: str, findings: Sequence[Any]) -> "Located":
        """A text, and what was found in it."""
        made = super().__new__(cls, text)
        made.findings = findings
        return made


class Written(NamedTuple):
    """A value that is written already."""

    data: bytes


def dumps(value: JSON) -> bytes:
    """Return a reduced value as bytes, which are equal for equal ones alone; without a NUL where no mark is in it."""
    try:
        data = orjson.dumps(value, default=_fragment, option=_OPTIONS)
    except TypeError:  # orjson writes no half of a surrogate pair and no integer of more than 64 bits.
        return _slowly(value)
    # It writes what is no number as null.
    return _slowly(value) if b"null" in data and _has_no_number(value) else data


def trimmed(data: bytes) -> bytes:
    """Return the same bytes in no more memory than they need, for keeping: those of ``dumps`` take 4 kB at least."""
    return memoryview(data).tobytes()


def _has_no_number(value: JSON) -> bool:
    kind = type(value)
    if kind is dict:
        return any(map(_has_no_number, value.values()))
    if kind is list:
        return any(map(_has_no_number, value))
    return kind is float and not math.isfinite(value)


def _fragment(value: Any) -> orjson.Fragment:
    return orjson.Fragment(_data(value))


def _data(value: Any) -> bytes:
    """Return as what it is written that is no value of JSON."""
    match value:
        case Marked():
            return b"\0" + value.data
        case Written():
            return value.data
        case NonFinite():
            return json.dumps(value).encode()
        # These two become texts before a request is compared.
        case Located():
            places = [[each.start, each.end, each.wanted.label] for each in value.findings]
            return b"\0\0" + dumps(places) + dumps(str(value))
        case JsonText():
            return b"\0\0\0" + dumps(value.value)
    raise TypeError


def _slowly(value: JSON) -> bytes:
    kind = type(value)
    if kind is dict:
        return b"{%s}" % b",".join(b"%s:%s" % (_slowly(name), _slowly(value[name])) for name in sorted(value))
    if kind is list:
        return b"[%s]" % b",".join(map(_slowly, value))
    if kind in (Marked, Written, NonFinite, Located, JsonText):
        return _data(value)
    return json.dumps(value).encode()
