"""Changes of a JSON value: which value at which path is replaced by another one. Under ``streams``,
which makes them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from wiretape.codecs.remade import Remade
from wiretape.rewriting.channels import JSON
from wiretape.rewriting.positions import Path


@dataclass(frozen=True, slots=True)
class Change:
    """Replaces the value at a path."""

    path: Path
    value: JSON
    detector: str
    is_first: bool = True
    """Whether this is the first changed piece of what was found: reports name this place, and no other, for it."""


def outermost(changed: list[Change]) -> list[Change]:
    """Return the changes but for those inside of a value that another change replaces."""
    outer = {change.path for change in changed if not isinstance(change.value, str)}
    if not outer:
        return changed
    return [
        change for change in changed if not any(change.path[:length] in outer for length in range(len(change.path)))
    ]


def applied(value: JSON, changed: Iterable[Change]) -> JSON:
    """Return a value with the changes made. What does not change is the very same object as before."""
    tree: dict[str | int, Any] = {}
    for change in changed:
        node = tree
        for step in change.path[:-1]:
            node = node.setdefault(step, {})
        node[change.path[-1]] = change
    return _apply(value, tree)


def _apply(value: JSON, tree: Mapping[str | int, Any]) -> JSON:
    if isinstance(value, Remade):
        return value.mapped(lambda at, item: _apply_inner(item, tree.get(at)))
    copied: Any
    if isinstance(value, dict):
        copied = {**value}
    else:
        copied = [*value]
    for step, inner in tree.items():
        copied[step] = _apply_inner(copied[step], inner)
    return copied


def _apply_inner(value: JSON, inner: Change | Mapping[str | int, Any] | None) -> JSON:
    if inner is None:
        return value
    if isinstance(inner, Change):
        return inner.value
    return _apply(value, inner)


def renamed(value: JSON, names: Mapping[str, str]) -> JSON:
    """Return a value in which the members with these names have other names."""
    if isinstance(value, Remade):
        return value.mapped(lambda _, item: renamed(item, names))
    if isinstance(value, dict):
        return {names.get(name, name): renamed(item, names) for name, item in value.items()}
    if not isinstance(value, list):
        return value
    return [renamed(item, names) for item in value]


def shown(path: Path) -> str:
    """Return a path as people read it: ``[1].__data__.choices[0].delta.content``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif text:
            text += f".{step}"
        else:
            text = step
    return text
