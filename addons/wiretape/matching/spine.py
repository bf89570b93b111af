"""A copy of a body as far as ways lead into it, which can be changed in place. Beside ``json_edits``, for ids.

The ids of a request are at the ends of a few ways that begin alike: each is gone once, and each object on it is copied
once. A path that changes a member (``json_edits.edit``) would copy all that is above it for each.

    spine = Spine(body)
    for call in spine.objects(("messages", None, "tool_calls", None)):
        call["id"] = "1"
    spine.value         # a body with other ids; the first one is as it was
"""

from collections.abc import Sequence
from typing import Any

from wiretape.matching.json_path import Step, names, numbers
from wiretape.recording import JSON


class Spine:
    """A copy of a value, as far as ways lead into it: the objects at their ends can be changed."""

    def __init__(self, value: JSON) -> None:
        self.value = _copied(value)
        self._own = {id(self.value)}
        self._known: dict[tuple[Step, ...], list[JSON]] = {}
        self._known[()] = [self.value] if isinstance(value, dict | list) else []

    def objects(self, way: tuple[Step, ...]) -> list[dict[str, JSON]]:
        """Return the objects to which a way leads, in order. It does not go on into strings."""
        return [node for node in self._nodes(way) if isinstance(node, dict)]

    def _nodes(self, way: tuple[Step, ...]) -> list[JSON]:
        known = self._known.get(way)
        if known is None:
            known = [child for node in self._nodes(way[:-1]) for child in self._children(node, way[-1])]
            self._known[way] = known
        return known

    def _children(self, node: Any, step: Step) -> list[JSON]:
        """Return what a step leads to, as far as it has an inside, as copies that stand in its place."""
        made = []
        for key in _keys(step, node):
            child = node[key]
            kind = type(child)
            if kind is not dict and kind is not list:
                continue
            if id(child) not in self._own:
                child = node[key] = {**child} if kind is dict else [*child]
                self._own.add(id(child))
            made.append(child)
        return made


def _copied(value: JSON) -> JSON:
    match value:
        case dict():
            return {**value}
        case list():
            return [*value]
    return value


def _keys(step: Step, node: JSON) -> Sequence[str | int]:
    """Return the names or the numbers of what a step leads to."""
    return names(step, node) if type(node) is dict else numbers(step, node)
