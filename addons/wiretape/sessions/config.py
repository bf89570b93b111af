"""The sessions of a configuration: what ``[session.NAME]`` says -> values. Beside ``session``, whose values these are.

``wiretape.config`` has looked at keys and types before; here is what only sessions know.
"""

from collections.abc import Callable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from wiretape.codecs.units import parse_age
from wiretape.exceptions import ConfigurationError
from wiretape.policy import Freshness, Mode, OnExpiry, parse_form, parse_mode, parse_on_expiry, parse_takes
from wiretape.replay import pacing
from wiretape.sessions.model import Session, Sessions, check_name

if TYPE_CHECKING:
    from wiretape.pricing.budget import Budget

_MOST = 64
"""Sessions that one can stand on: each is looked into for a request that has no recording."""


def parse(entries: Mapping[str, Mapping[str, Any]]) -> Sessions:
    """Return the sessions, by their names.

    Raises ConfigurationError, with the path below the file; also where layers go round in a circle.
    """
    sessions = Sessions({name: _session(name, entry) for name, entry in entries.items()})
    check_layers(sessions)
    return sessions


def check_layers(sessions: Sessions) -> None:
    """Raise ConfigurationError where layers go round in a circle, or are too many."""
    if circle := _circle(sessions):
        way = " -> ".join(circle)
        raise ConfigurationError(f"layers go round in a circle: {way}", ("session", circle[0]), at="layers")
    for name in sessions.names:
        if len(sessions.order(name, _MOST + 2)) > _MOST + 1:
            raise ConfigurationError(f"stands on more than {_MOST} other sessions", ("session", name), at="layers")


def _flag(value: bool) -> bool:
    return value


def _budget(text: str) -> "Budget":
    from wiretape.pricing import budget  # Most starts need none of it.

    return budget.parse(text)


def _each[T](parse_one: Callable[[str], T]) -> Callable[[list[str]], tuple[T, ...]]:
    return lambda values: tuple(map(parse_one, values))


_FIELDS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "layers": ("layers", _each(check_name)),
    "mode": ("mode", parse_mode),
    "modes": ("modes", _each(parse_mode)),
    "pace": ("pace", pacing.parse),
    "takes": ("takes", parse_takes),
    "format": ("form", parse_form),
    "frozen": ("frozen", _flag),
    "budget": ("budget", _budget),
    "max_age": ("max_age", parse_age),
    "on_expiry": ("on_expiry", parse_on_expiry),
}
"""Key -> field of ``Session``, or of its ``freshness``, and how its value is read."""


def _session(name: str, entry: Mapping[str, Any]) -> Session:
    path = ("session", name)
    try:
        check_name(name)
    except ValueError as e:
        raise ConfigurationError(str(e), path) from e
    given: dict[str, Any] = {}
    for key, value in entry.items():
        field, read = _FIELDS[key]
        try:
            given[field] = read(value)
        except ValueError as e:
            raise ConfigurationError(str(e), (*path, key)) from e
    max_age = given.pop("max_age", None)
    on_expiry = given.pop("on_expiry", OnExpiry.WARN)
    if max_age is not None:
        given["freshness"] = Freshness(max_age, on_expiry)
    elif "on_expiry" in entry:
        raise ConfigurationError("is without effect: no max_age says when a recording expires", (*path, "on_expiry"))
    modes = given.get("modes", tuple(Mode))
    # A session that allows these alone has one of these, whatever the proxy's option says.
    if "modes" in given:
        given.setdefault("mode", modes[0])
    mode = given.get("mode")
    if mode is not None and mode not in modes:
        raise ConfigurationError(f"mode is {mode}, which is none of its modes: {', '.join(modes)}", path, at="mode")
    words = tuple((key, _said(value)) for key, value in entry.items())
    return Session(name, words=words, **given)


def _said(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _circle(sessions: Sessions) -> tuple[str, ...]:
    """Return a circle of layers, its first session at its end again; none where there is none."""
    try:
        # In the order of the names, so that an error is the same each time; each layer is looked at once.
        TopologicalSorter({name: sessions.get(name).layers for name in sessions.names}).prepare()
    except CycleError as e:
        return tuple(reversed(e.args[1]))
    return ()
