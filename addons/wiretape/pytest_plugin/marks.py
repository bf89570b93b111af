"""What the markers of a test say: those of its module and its class as well, of which the nearest counts."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from wiretape.codecs import misspelled
from wiretape.policy import parse_takes
from wiretape.pytest_plugin import modes
from wiretape.pytest_plugin.modes import RunMode
from wiretape.replay import pacing
from wiretape.sessions.model import check_name


@dataclass(frozen=True, slots=True)
class Marked:
    """What is said of a test. What nothing is said of is None."""

    session: str | None = None
    mode: RunMode | None = None
    pace: str | None = None
    match: tuple[str, ...] | None = None
    takes: str | None = None
    isolated: bool = False


def _pace(text: str) -> str:
    pacing.parse(text)
    return text


def _match(names: Iterable[str]) -> tuple[str, ...]:
    if isinstance(names, str):
        names = names.split(",")
    return tuple(names)


def _flag(value: bool) -> bool:
    if not isinstance(value, bool):
        raise TypeError("it is True or False")
    return value


_READ: Mapping[str, Callable[[Any], Any]] = {
    "session": check_name,
    "mode": modes.parse,
    "pace": _pace,
    "match": _match,
    "takes": lambda text: str(parse_takes(text)),
    "isolated": _flag,
}


def marked(item: pytest.Item) -> Marked:
    """Return what a test's markers say. Raises pytest.UsageError, which names the test."""
    given: dict[str, Any] = {}
    for marker in item.iter_markers("wiretape"):
        if marker.args:
            raise _wrong(item, f"takes no value without a name: {marker.args[0]!r}")
        for name, value in marker.kwargs.items():
            given.setdefault(name, value)
    if unknown := given.keys() - _READ:
        raise _wrong(item, misspelled.said(unknown, [*_READ], kind="argument"))
    try:
        return Marked(**{name: _READ[name](value) for name, value in given.items() if value is not None})
    except (TypeError, ValueError) as e:
        raise _wrong(item, str(e)) from e


def _wrong(item: pytest.Item, problem: str) -> pytest.UsageError:
    return pytest.UsageError(f"{item.nodeid}: @pytest.mark.wiretape: {problem}")
