"""The SDKs' response classes as data: field order, null fill, and what the wire leaves out.

Between the events and the recording. A recording holds each object as its SDK class dumps it; this table stands for
the classes, so that what is written never depends on the SDK that someone happens to have installed.

The table is ``schemas.txt``, which names its sources.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Literal

_FIELD = re.compile(r"(?P<name>\w+)\??(?P<sent>!)?(?P<nesting>(?:\[\]|\{\})*)(?::(?P<type>\w+))?")


@dataclass(frozen=True, slots=True)
class Field:
    """One declared field of a class."""

    name: str
    sent: bool
    """Sent as null: what the wire does not leave out."""
    nesting: str
    """``[]`` for a list, ``{}`` for a mapping, one after the other for nested ones."""
    type: str | None


Shape = Mapping[str, Field]
"""A class: its fields by name, in order."""


@dataclass(frozen=True, slots=True)
class Table:
    """The classes, and the unions that stand for one of several by the value of ``type``."""

    classes: Mapping[str, Shape]
    unions: Mapping[str, Mapping[str, str]]
    types: Mapping[str, str]
    """What a recording can give as ``__type__``: fully qualified name -> class."""

    def resolve(self, name: str, value: Mapping[str, Any]) -> str:
        """The class of a value: the name itself, or the one that a union has for it."""
        if (union := self.unions.get(name)) is None:
            return name
        type_ = value.get("type")
        return union[type_] if isinstance(type_, str) and type_ in union else next(iter(union.values()))


@cache
def table() -> Table:
    """Return the parsed ``schemas.txt``."""
    text = (files("wiretape.providers") / "schemas.txt").read_text("utf-8")
    classes: dict[str, Shape] = {}
    unions: dict[str, Mapping[str, str]] = {}
    types: dict[str, str] = {}
    for line in re.sub(r"\n +", " ", re.sub(r"(?m)^#.*\n", "", text)).split("\n"):
        type_, is_class, fields = line.partition(": ")
        if is_class:
            module, _, name = type_.rpartition(".")
            classes[name] = {field.name: field for field in map(_field, fields.split())}
            if module:
                types[type_] = name
        elif line:
            name, _, members = line.partition(" = ")
            pairs = (member.partition("=") for member in members.split())
            unions[name] = {value: class_ for value, _, class_ in pairs}
    for event in unions["ResponseStreamEvent"].values():
        types["openai.types.responses." + re.sub(r"(?<!^)(?=[A-Z])", "_", event).lower() + f".{event}"] = event
    return Table(classes, unions, types)


def _field(text: str) -> Field:
    match = _FIELD.fullmatch(text)
    assert match, text
    return Field(match["name"], bool(match["sent"]), match["nesting"], match["type"])


def types() -> Mapping[str, str]:
    """Return what a recording can give as ``__type__``: fully qualified name -> class."""
    return table().types


@cache
def qualified(name: str) -> str:
    """Return the fully qualified name that a recording gives as ``__type__`` for a class."""
    return next(type_ for type_, class_ in types().items() if class_ == name)


def fill(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """An object as its class dumps it: declared fields in order, null where absent, then the others as they came.

    ollama-python's classes drop the others: they are kept all the same, as who asks may know them.
    """
    shape = table().classes[table().resolve(name, value)]
    filled: dict[str, Any] = {}
    for field in shape.values():
        came = value.get(field.name)
        filled[field.name] = None if came is None else _each(came, field, _dump)
    filled.update((key, extra) for key, extra in value.items() if key not in shape)
    return filled


def strip(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """An object as the wire has it: without the nulls that only the class's dump put there."""
    shape = table().classes[table().resolve(name, value)]
    stripped: dict[str, Any] = {}
    for key, item in value.items():
        field = shape.get(key)
        if field is None:
            stripped[key] = item
        elif item is not None or field.sent:
            stripped[key] = _each(item, field, _strip_value)
    return stripped


def _each(value: Any, field: Field, convert: Callable[[str, Any], Any]) -> Any:
    return value if field.type is None else _nested(value, field.nesting, field.type, convert)


def _nested(value: Any, nesting: str, type_: str, convert: Callable[[str, Any], Any]) -> Any:
    # What is not of the declared form stays as it came: the SDKs do not refuse it either.
    match nesting[:2]:
        case "[]":
            if not isinstance(value, list):
                return value
            return [_nested(item, nesting[2:], type_, convert) for item in value]
        case "{}":
            if not isinstance(value, dict):
                return value
            return {key: _nested(item, nesting[2:], type_, convert) for key, item in value.items()}
        case _:
            return convert(type_, value)


def _dump(type_: str | Literal["float", "time"], value: Any) -> Any:
    match type_:
        case "float":
            return _float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        case "time":
            return _time(value) if isinstance(value, str) else value
        case _:
            return fill(type_, value) if isinstance(value, dict) else value


def _float(number: int) -> float | int:
    try:
        return float(number)
    except OverflowError:
        return number


def _strip_value(type_: str, value: Any) -> Any:
    return strip(type_, value) if isinstance(value, dict) and type_ not in ("float", "time") else value


def _time(text: str) -> str:
    # pydantic keeps microseconds of a time and dumps UTC as Z; Ollama sends nanoseconds.
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment.isoformat().replace("+00:00", "Z")
