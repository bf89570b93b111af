"""Which fields an answer has, and of which types: what programs rely on, whatever the answer says. Below ``drift``.

The chunks of a stream count together, so it makes no difference into how many an answer was cut. An object that names
its type, as an event or a part of a message does, is looked at among those of its type alone. What is null counts as
what is absent: SDKs fill in what a provider leaves out. What a model has made up, as the arguments of a tool, is no
part of the shape.

    {"choices": [{"index": 0, "delta": {"content": "Hi"}}], "usage": null}
    ->  choices: list    choices[]: object    choices[].index: number    choices[].delta: object    ...
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

type Path = tuple[str, ...]
"""Names of members; ``[]`` for the items of a list, ``<text>`` for what of an object is of its type alone."""

type Shape = Mapping[Path, frozenset[str]]
"""Fields, and of which types their values are."""

_ITEMS = "[]"

_MOST = 5_000
"""Fields that are looked at."""

_DEEPEST = 60

_NAME = 80
"""Characters of a type's name."""

_MADE_UP = frozenset({"args", "arguments", "input", "logit_bias", "metadata", "parsed"})
"""Members whose objects a model, or who has asked, has filled with names of their own."""

_VECTORS = frozenset({"embedding", "embeddings", "float", "values"})
"""Members that are vectors: how long one is belongs to its type."""

_PASSING = frozenset({"ping", "keepalive"})
"""Types of events that come when it takes long."""


@dataclass(frozen=True, slots=True)
class ShapeChange:
    """A field that came, went, or is of another type now."""

    path: str
    before: tuple[str, ...]
    """Its types; none where it was not there."""
    after: tuple[str, ...]

    def __str__(self) -> str:
        if not self.before:
            return f"{self.path} came ({' or '.join(self.after)})"
        if not self.after:
            return f"{self.path} went ({' or '.join(self.before)})"
        return f"{self.path}: {' or '.join(self.before)} -> {' or '.join(self.after)}"


@dataclass(slots=True)
class _Fields:
    """The fields that were seen so far."""

    types: dict[Path, set[str]] = field(default_factory=dict)

    def note(self, path: Path, type_: str) -> bool:
        """Note the type of a field; return whether it is to be looked into."""
        if path not in self.types and len(self.types) >= _MOST:
            return False
        self.types.setdefault(path, set()).add(type_)
        return True


def shape(elements: Iterable[Any]) -> Shape:
    """Return the shape of the objects that an answer is made of, together."""
    fields = _Fields()
    for element in elements:
        if not (isinstance(element, Mapping) and element.get("type") in _PASSING):
            _collect(element, (), fields)
    return {path: frozenset(types) for path, types in fields.types.items()}


def _collect(value: Any, path: Path, fields: _Fields) -> None:
    if value is None or len(path) > _DEEPEST:
        return
    name = next((step for step in reversed(path) if step != _ITEMS), "")
    if isinstance(value, Mapping):
        if fields.note(path, "object") and name not in _MADE_UP:
            _collect_members(value, path, fields)
    elif isinstance(value, list):
        if name in _VECTORS and _is_vector(value):
            fields.note(path, f"{len(value)} numbers")
        elif fields.note(path, "list"):
            for each in value:
                _collect(each, (*path, _ITEMS), fields)
    else:
        fields.note(path, _type(value))


def _collect_members(value: Mapping[str, Any], path: Path, fields: _Fields) -> None:
    type_ = value.get("type")
    if isinstance(type_, str) and len(type_) <= _NAME:
        path = (*path, f"<{type_}>")
        fields.note(path, "object")
    for name, each in value.items():
        _collect(each, (*path, name), fields)


def _is_vector(value: Sequence[Any]) -> bool:
    return len(value) > 0 and all(isinstance(each, int | float) for each in value)


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "number"
    return "text"


def changes(before: Shape, after: Shape) -> list[ShapeChange]:
    """Return how a shape has changed, in the order of paths.

    Of what came or went with all that is in it the whole is told; of a list that is empty on one side nobody knows
    what would be in it.
    """
    found = []
    for path in sorted(before.keys() | after.keys()):
        were = before.get(path, frozenset())
        are = after.get(path, frozenset())
        if were != are and _tells(before, path) and _tells(after, path):
            found.append(ShapeChange(_said(path), tuple(sorted(were)), tuple(sorted(are))))
    return found


def _tells(shape_: Shape, path: Path) -> bool:
    """Return whether a shape tells of a field, be it that there is none: what it is in is there, and is not empty."""
    return path in shape_ or (path[-1:] != (_ITEMS,) and (len(path) <= 1 or path[:-1] in shape_))


def _said(path: Path) -> str:
    said = ""
    for step in path:
        dot = "." if said and step != _ITEMS and not step.startswith("<") else ""
        said += dot + step
    return said or "the answer"
