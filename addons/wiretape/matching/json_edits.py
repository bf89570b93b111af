"""What is at a JSONPath of a body, and of JSON inside its strings, is changed, in a copy. For rules.

    edit(compiled("$.metadata.user_id.session_id"), body, lambda value, place: REMOVED)

goes on into ``user_id`` where that is a string with JSON in it: a step to a name does so, no other. So ``[*]`` never
takes a user's text ``[1, 2]`` apart. Objects are walked by the names of their members, so that the order in which
things are found does not depend on that in which they were sent.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from wiretape.codecs import json_text
from wiretape.matching.json_path import JsonPath, Step, by_library, names, numbers
from wiretape.matching.marks import JsonText
from wiretape.recording import JSON


class _Removed:
    """What takes the place of a value that is to go."""


REMOVED: Final = _Removed()

type Place = tuple[str | int, ...]
"""Names and numbers that lead to a value."""

type Change = Callable[[JSON, Place], JSON | _Removed]
"""Value and where it is -> what is in its place; the same object where it stays."""

_LARGEST = 1 << 20
"""Characters of a string that is looked into as JSON."""


def edit(path: JsonPath, value: JSON, change: Change, *, into_texts: bool = True) -> JSON:
    """Return a value with what is at a path changed; the same object where nothing is.

    ``into_texts``: whether the path goes on into JSON inside a string.
    """
    if path.steps is not None:
        edited = _Edit(path.steps, change, into_texts=into_texts).edited(value, ())
    else:
        edited = _edited(_tree(_places(path.text, value, into_texts=into_texts)), value, change, ())
    return value if isinstance(edited, _Removed) else edited


class _Edit:
    """A change at a path that is walked here."""

    def __init__(self, steps: tuple[Step, ...], change: Change, *, into_texts: bool) -> None:
        self._steps = steps
        self._change = change
        self._into_texts = into_texts

    def edited(self, value: JSON, place: Place) -> JSON | _Removed:
        """Return a value that is at a place on the path, changed."""
        at = len(place)
        if at == len(self._steps):
            return self._change(value, place)
        step = self._steps[at]

        def inner(key: str | int, before: JSON) -> JSON | _Removed:
            return self.edited(before, (*place, key))

        if isinstance(value, dict):
            return _with_members(value, names(step, value), inner)
        if isinstance(value, list):
            return _with_items(value, numbers(step, value), inner)
        if self._into_texts and isinstance(step, str):
            return _with_inside(value, lambda inside: self.edited(inside, place))
        return value


type _Tree = dict[str | int | None, "_Tree"]
"""Several places: what is below a name or a number; None stands for a place that ends there."""


def _tree(places: Iterable[Place]) -> _Tree:
    root: _Tree = {}
    for place in places:
        node = root
        for step in place:
            node = node.setdefault(step, {})
        node[None] = {}
    return root


def _edited(tree: _Tree, value: JSON, change: Change, place: Place) -> JSON | _Removed:
    """Return a value with what is at some places in it changed: what is within a place before the place itself."""

    def inner(key: str | int, before: JSON) -> JSON | _Removed:
        return _edited(tree[key], before, change, (*place, key))

    def below(inside: JSON) -> JSON | _Removed:
        return _edited({key: each for key, each in tree.items() if key is not None}, inside, change, place)

    made = value
    if isinstance(value, dict):
        made = _with_members(value, sorted(key for key in tree if isinstance(key, str) and key in value), inner)
    elif isinstance(value, list):
        made = _with_items(value, sorted(key for key in tree if isinstance(key, int)), inner)
    elif any(isinstance(key, str) for key in tree):
        made = _with_inside(value, below)
    return change(made, place) if None in tree else made


type _Inner = Callable[[Any, JSON], JSON | _Removed]
"""Key, and the value there -> what is in its place."""


def _with_members(value: dict[str, JSON], keys: Sequence[str], edited: _Inner) -> JSON:
    made = value
    for name in keys:
        before = value[name]
        after = edited(name, before)
        if after is before:
            continue
        if made is value:
            made = {**value}
        if isinstance(after, _Removed):
            del made[name]
        else:
            made[name] = after
    return made


def _with_items(value: list[JSON], keys: Sequence[int], edited: _Inner) -> JSON:
    made = value
    is_shorter = False
    for number in keys:
        before = value[number]
        after = edited(number, before)
        if after is before:
            continue
        if made is value:
            made = [*value]
        made[number] = after
        is_shorter = is_shorter or isinstance(after, _Removed)
    return [item for item in made if not isinstance(item, _Removed)] if is_shorter else made


def _with_inside(value: JSON, edited: Callable[[JSON], JSON | _Removed]) -> JSON:
    """Return a string with the JSON in it changed, where it has some."""
    there = value.value if isinstance(value, JsonText) else inside(value)
    if there is None:
        return value
    made = edited(there)
    return value if made is there else JsonText(made)


def inside(text: JSON) -> dict[str, JSON] | None:
    """Return the object that a string has as JSON; None where it has none."""
    # What is another class of text has marks in it already.
    if type(text) is not str or len(text) > _LARGEST or text.lstrip()[:1] != "{":
        return None
    try:
        value = json_text.loads(text.encode(), json_text.DEEPEST_ON_WIRE)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _places(text: str, value: JSON, *, into_texts: bool) -> Iterator[Place]:
    """Yield where a path leads that the library knows."""
    from jsonpath.match import JSONPathMatch

    path = by_library(text)
    nodes = [JSONPathMatch(filter_context={}, obj=value, parent=None, path="$", parts=(), root=value)]
    for segment in path.segments:
        if into_texts and _is_of_names(segment):
            nodes = [*map(_looked_into, nodes)]
        nodes = [*segment.resolve(nodes)]
    return (tuple(node.parts) for node in nodes)


def _is_of_names(segment: Any) -> bool:
    from jsonpath.segments import JSONPathChildSegment
    from jsonpath.selectors import NameSelector

    is_child = isinstance(segment, JSONPathChildSegment)
    return is_child and all(isinstance(each, NameSelector) for each in segment.selectors)


def _looked_into(node: Any) -> Any:
    inner = node.obj.value if isinstance(node.obj, JsonText) else inside(node.obj)
    if inner is not None:
        node.obj = inner
    return node
