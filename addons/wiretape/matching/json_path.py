"""JSONPath (RFC 9535) into a body, and into JSON inside its strings: what is there is changed, in a copy. For rules.

A path of names, ``[*]``, numbers and ``[?@.type == 'text']``, as nearly all are, is walked here: that takes a tenth of
the library's time. The library has all the rest (other filters, slices, ``..``), and is loaded where a path has that.

    edit(compiled("$.metadata.user_id.session_id"), body, lambda value: REMOVED)

goes on into ``user_id`` where that is a string with JSON in it. Objects are walked by the names of their members, so
that the order in which things are found does not depend on that in which they were sent.
"""

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from wiretape.recording import JSON


class _Removed:
    """What takes the place of a value that is to go."""


REMOVED: Final = _Removed()

type Change = Callable[[JSON], JSON | _Removed]
"""Value -> what is in its place; the same object where it stays."""

_ANY = None
"""The step to every member or item."""


@dataclass(frozen=True, slots=True)
class _Where:
    """The step to every item that has a member of this value, or has none of it."""

    name: str
    value: str
    is_equal: bool

    def selects(self, item: JSON) -> bool:
        """Return whether the step leads to an item."""
        has_it = isinstance(item, dict) and item.get(self.name) == self.value
        return has_it is self.is_equal


type Step = str | int | _Where | None

_SIMPLE = re.compile(
    r"""\.([A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff]*) | \.(\*) | \[(\*)\] | \[(\d+)\]
    | \['([^'\\]*)'\] | \["([^"\\]*)"\] | \[\?\s*@\.([A-Za-z_][A-Za-z0-9_]*)\s*(==|!=)\s*'([^'\\]*)'\s*\]""",
    re.VERBOSE,
)

_LARGEST = 1 << 20
"""Characters of a string that is looked into as JSON."""


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A path that was checked."""

    text: str
    steps: tuple[Step, ...] | None
    """Where it has no more than names, numbers and ``[*]``."""


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
        found = _SIMPLE.match(text, at)
        if found is None:
            return None
        name, any_member, any_item, number, single, double, member, operator, wanted = found.groups()
        if any_member or any_item:
            steps.append(_ANY)
        elif number:
            steps.append(int(number))
        elif member:
            steps.append(_Where(member, wanted, is_equal=operator == "=="))
        else:
            steps.append(next(each for each in (name, single, double) if each is not None))
        at = found.end()
    return tuple(steps)


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


def edit(path: JsonPath, value: JSON, change: Change) -> JSON:
    """Return a value with what is at a path changed; the same object where nothing is."""
    if path.steps is not None:
        changed = _edit(path.steps, 0, value, change)
        return value if isinstance(changed, _Removed) else changed
    for place in _places(path.text, value):
        changed = _edit(place, 0, value, change)
        value = value if isinstance(changed, _Removed) else changed
    return value


def _edit(steps: tuple[Step, ...], at: int, value: JSON, change: Change) -> JSON | _Removed:
    if at == len(steps):
        return change(value)
    if isinstance(value, dict):
        return _edit_object(steps, at, value, change)
    if isinstance(value, list):
        return _edit_list(steps, at, value, change)
    if isinstance(value, str):
        return _edit_text(steps, at, value, change)
    return value


def _edit_object(steps: tuple[Step, ...], at: int, value: dict[str, JSON], change: Change) -> JSON:
    step = steps[at]
    if step is _ANY:
        names = sorted(value)
    elif isinstance(step, str) and step in value:
        names = [step]
    else:
        return value
    made = value
    for name in names:
        before = value[name]
        after = _edit(steps, at + 1, before, change)
        if after is before:
            continue
        if made is value:
            made = {**value}
        if isinstance(after, _Removed):
            del made[name]
        else:
            made[name] = after
    return made


def _edit_list(steps: tuple[Step, ...], at: int, value: list[JSON], change: Change) -> JSON:
    made = value
    is_shorter = False
    for number in _numbers(steps[at], value):
        before = value[number]
        after = _edit(steps, at + 1, before, change)
        if after is before:
            continue
        if made is value:
            made = [*value]
        made[number] = after
        is_shorter = is_shorter or isinstance(after, _Removed)
    return [item for item in made if not isinstance(item, _Removed)] if is_shorter else made


def _numbers(step: Step, items: list[JSON]) -> Sequence[int]:
    """Return which items a step leads to."""
    match step:
        case None:
            return range(len(items))
        case int():
            return range(step, step + 1) if step < len(items) else ()
        case _Where():
            return [number for number, item in enumerate(items) if step.selects(item)]
    return ()


def _edit_text(steps: tuple[Step, ...], at: int, value: str, change: Change) -> JSON:
    inner = inside(value)
    if inner is None:
        return value
    made = _edit(steps, at, inner, change)
    return value if made is inner or isinstance(made, _Removed) else _written(made)


def _written(value: JSON) -> str:
    """Return a value as the JSON of a string, in one way whatever the one was in which it came."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except (TypeError, ValueError):  # It has half a surrogate pair, or very long integers.
        return repr(value)


def inside(text: str) -> dict[str, JSON] | list[JSON] | None:
    """Return the object or the list that a string has as JSON; None where it has none."""
    if len(text) > _LARGEST or text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        value = orjson.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def _places(text: str, value: JSON) -> Iterator[tuple[Step, ...]]:
    """Return where a path leads that the library knows: as steps of names and numbers, the last place first.

    So what is removed of a list moves nothing that is to be changed yet.
    """
    from jsonpath.match import JSONPathMatch

    path = _by_library(text)
    nodes = [JSONPathMatch(filter_context={}, obj=value, parent=None, path="$", parts=(), root=value)]
    for segment in path.segments:
        nodes = [*segment.resolve([_looked_into(node) for node in nodes])]
    places = dict.fromkeys(tuple(node.parts) for node in nodes)
    return reversed([*places])


def _looked_into(node: Any) -> Any:
    if isinstance(node.obj, str):
        inner = inside(node.obj)
        if inner is not None:
            node.obj = inner
    return node
