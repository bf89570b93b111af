"""JSONPath (RFC 9535), read: what leads to values of a body. Before ``json_edits``, which changes what is there.

A path of names, ``[*]``, numbers and ``[?@.type == 'text']``, as nearly all are, becomes steps that are walked without
the library: that takes a tenth of its time. The library has all the rest (other filters, slices, ``..``), and is loaded
where a path has that.
"""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wiretape.recording import JSON

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
        by_library(text)
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
def by_library(text: str) -> Any:
    """Return a path as the library has it. Raises ValueError."""
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
