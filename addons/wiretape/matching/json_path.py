"""JSONPath (RFC 9535) into a body, and into JSON inside its strings: what is there is changed, in a copy. For rules.

A path of names, ``[*]``, numbers and ``[?@.type == 'text']``, as nearly all are, is walked here: that takes a tenth of
the library's time. The library has all the rest (other filters, slices, ``..``), and is loaded where a path has that.

    edit(compiled("$.metadata.user_id.session_id"), body, lambda value, place: REMOVED)

goes on into ``user_id`` where that is a string with JSON in it: a step to a name does so, no other. So ``[*]`` never
takes a user's text ``[1, 2]`` apart. Objects are walked by the names of their members, so that the order in which
things are found does not depend on that in which they were sent.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wiretape.codecs import json_text
from wiretape.matching.marks import JsonText
from wiretape.recording import JSON


class _Removed:
    """What takes the place of a value that is to go."""


REMOVED: Final = _Removed()

type Place = tuple[str | int, ...]
"""Names and numbers that lead to a value."""

type Change = Callable[[JSON, Place], JSON | _Removed]
"""Value and where it is -> what is in its place; the same object where it stays."""

_ANY = None
"""The step to every member or item."""


@dataclass(frozen=True, slots=True)
class _Condition:
    """What a member of an item is to be."""

    name: str
    operator: str
    value: str

    def holds(self, item: JSON) -> bool:
        """Return whether it is so. What an item has not is unequal to all, and not greater than anything."""
        there = item.get(self.name) if isinstance(item, dict) else None
        match self.operator:
            case "==":
                return bool(there == self.value)
            case "!=":
                return bool(there != self.value)
        return isinstance(there, str) and there > self.value


@dataclass(frozen=True, slots=True)
class _Where:
    """The step to every item of which all conditions hold."""

    conditions: tuple[_Condition, ...]

    def selects(self, item: JSON) -> bool:
        """Return whether the step leads to an item."""
        return all(each.holds(item) for each in self.conditions)


type Step = str | int | _Where | None

_STEP = re.compile(
    r"""\.([A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff]*) | \.(\*) | \[(\*)\] | \[(\d{1,9})\]
    | \['([^'\\]*)'\] | \["([^"\\]*)"\] | \[\?([^\[\]"|()]+)\]""",
    re.VERBOSE,
)
_CONDITION = re.compile(r"@\.([A-Za-z_][A-Za-z0-9_]*)\s*(==|!=|>)\s*'([^'\\]*)'")

_LARGEST = 1 << 20
"""Characters of a string that is looked into as JSON."""


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A path that was checked."""

    text: str
    steps: tuple[Step, ...] | None
    """Where it has no more than names, numbers, ``[*]`` and simple conditions."""

    @property
    def member(self) -> tuple[tuple[Step, ...], str] | None:
        """The way to objects and the name of a member of theirs, where the path is no more than this."""
        if not self.steps or not isinstance(self.steps[-1], str):
            return None
        return self.steps[:-1], self.steps[-1]


@functools.lru_cache(maxsize=4096)
def compiled(text: str) -> JsonPath:
    """Return a path. Raises ValueError, which says what is wrong with it."""
    steps = _steps(text)
    if steps is None:
        _by_library(text)
    return JsonPath(text, steps)


def _steps(text: str) -> tuple[Step, ...] | None:
    if not text.startswith("$"):
        raise ValueError(f"{text!r} is no JSONPath: it begins with $, as in $.metadata.user_id")
    steps: list[Step] = []
    at = 1
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            return None
        name, any_member, any_item, number, single, double, conditions = found.groups()
        if any_member or any_item:
            steps.append(_ANY)
        elif number:
            steps.append(int(number))
        elif conditions:
            where = _where(conditions)
            if where is None:
                return None
            steps.append(where)
        else:
            steps.append(next(each for each in (name, single, double) if each is not None))
        at = found.end()
    return tuple(steps)


def _where(text: str) -> _Where | None:
    conditions = []
    for each in text.split("&&"):
        found = _CONDITION.fullmatch(each.strip())
        if found is None:
            return None
        conditions.append(_Condition(*found.groups()))
    return _Where(tuple(conditions))


@functools.lru_cache(maxsize=1024)
def _by_library(text: str) -> Any:
    # It takes a tenth of a second to load.
    from jsonpath import JSONPathError

    try:
        return _environment().compile(text)
    except JSONPathError as e:
        reason = str(e).partition("\n")[0]
        raise ValueError(f"{text!r} is no JSONPath: {reason}") from e


@functools.cache
def _environment() -> Any:
    from wiretape.matching import json_path_patterns

    return json_path_patterns.environment()


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


def names(step: Step, value: dict[str, JSON]) -> Sequence[str]:
    """Return to which members a step leads."""
    match step:
        case None:
            return sorted(value)
        case str():
            return (step,) if step in value else ()
        case _Where():
            return [name for name in sorted(value) if step.selects(value[name])]
    return ()


def numbers(step: Step, items: list[JSON]) -> Sequence[int]:
    """Return which items a step leads to."""
    match step:
        case None:
            return range(len(items))
        case int():
            return range(step, step + 1) if step < len(items) else ()
        case _Where():
            return [number for number, item in enumerate(items) if step.selects(item)]
    return ()


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

    path = _by_library(text)
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
