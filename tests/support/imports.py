"""The house as its imports have it: rooms are packages, an arrow is an import, a floor is above all that it imports.

    .venv/bin/python tests/support/imports.py

prints the rooms with their floors, how many arrows there are, and how long the modules are. ``test_imports`` fails
where an arrow runs against the order of ``ORDER``.
"""

import ast
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from places import PACKAGE

ORDER = (
    ("policy", "exceptions", "codecs"),
    ("network", "store", "recording", "rewriting"),
    ("metrics",),
    ("redaction", "providers"),
    ("matching", "pricing"),
    ("replay",),
    ("sessions",),
    ("config",),
    ("tape",),
    ("journal",),
    ("call_log",),
    ("library",),
    ("cluster",),
    ("control",),
    ("proxy",),
    ("cli",),
    ("pytest_plugin",),
)
"""The rooms, from the ground upwards: each may import those that are before it. Beside each other none may."""

RULES: Mapping[str, frozenset[str]] = {
    "policy": frozenset(),
    "exceptions": frozenset(),
    "codecs": frozenset(),
    "network": frozenset({"codecs", "policy", "exceptions"}),
    "metrics": frozenset({"codecs", "policy", "network", "exceptions"}),
    "store": frozenset({"codecs", "policy", "exceptions"}),
    "recording": frozenset({"codecs", "policy", "exceptions"}),
    "rewriting": frozenset({"codecs", "policy", "exceptions"}),
    "redaction": frozenset({"rewriting", "recording", "codecs", "policy", "exceptions"}),
    "providers": frozenset({"recording", "network", "metrics", "codecs", "policy", "exceptions"}),
    "pricing": frozenset({"providers", "store", "codecs", "policy", "exceptions"}),
    "matching": frozenset({"providers", "redaction", "rewriting", "recording", "codecs", "policy", "exceptions"}),
}
"""What a room may import, where that is less than all that is below it."""

OUTSIDE: Mapping[str, frozenset[str]] = {
    "mitmproxy": frozenset({"proxy", "cli"}),
    "obstore": frozenset({"store"}),
    "prometheus_client": frozenset({"metrics"}),
    "starlette": frozenset({"control"}),
    "uvicorn": frozenset({"control"}),
    "genai_prices": frozenset({"pricing"}),
    "typer": frozenset({"cli"}),
    "rich": frozenset({"cli"}),
    "pytest": frozenset({"pytest_plugin"}),
}
"""Which rooms may know a library of others."""


def modules() -> Iterator[tuple[str, Path]]:
    """Yield every module, by its dotted name below ``wiretape``; the package itself has the empty name."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


@cache
def tree(path: Path) -> ast.Module:
    """Return what a module's text is parsed to."""
    return ast.parse(path.read_text("utf-8"))


def room(module: str) -> str:
    """Return the room that a module is in."""
    return module.partition(".")[0]


@cache
def imported(path: Path) -> Sequence[str]:
    """Return the dotted names that a module imports, wherever in it."""
    names: list[str] = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names.extend(each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.extend(f"{node.module}.{each.name}" for each in node.names)
    return names


def arrows() -> Iterator[tuple[str, str]]:
    """Yield each import of one of our modules by another: both by their dotted names."""
    known = {name for name, _ in modules()}
    for name, path in modules():
        for each in imported(path):
            if not each.startswith("wiretape."):
                continue
            target = each.removeprefix("wiretape.")
            # ``from wiretape.a import b`` is of the module b, or of a name in a.
            yield name, target if target in known else target.rpartition(".")[0]


def between_rooms() -> dict[tuple[str, str], list[str]]:
    """Return the arrows from room to room, each with the imports that it is made of."""
    found: dict[tuple[str, str], list[str]] = {}
    for source, target in arrows():
        pair = room(source), room(target)
        if all(pair) and pair[0] != pair[1]:
            found.setdefault(pair, []).append(f"{source} -> {target}")
    return found


def floors(pairs: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Return the floor of each room, 1 on the ground. Raises CycleError where rooms import each other in a circle."""
    below: dict[str, set[str]] = {}
    for source, target in pairs:
        below.setdefault(source, set()).add(target)
    found: dict[str, int] = {}
    for name in TopologicalSorter(below).static_order():
        found[name] = 1 + max((found[each] for each in below.get(name, ())), default=0)
    return found


def main() -> None:
    """Print what the house looks like."""
    pairs = between_rooms()
    by_floor = floors(pairs)
    lengths = [len(path.read_text("utf-8").splitlines()) for _, path in modules()]
    for name, number in sorted(by_floor.items(), key=lambda item: (item[1], item[0])):
        print(f"{number:3} {name:12} -> {', '.join(sorted(target for source, target in pairs if source == name))}")
    print(f"{len(by_floor)} rooms on {max(by_floor.values())} floors, {len(pairs)} arrows")
    print(f"{len(lengths)} modules: median {statistics.median(lengths):.0f} lines, largest {max(lengths)}")


if __name__ == "__main__":
    main()
