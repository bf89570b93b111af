"""The sessions of a configuration: TOML text -> values. Beside ``session``, whose values these are."""

from collections.abc import Callable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from wiretape.codecs import misspelled, toml_text
from wiretape.policy import Mode, parse_form, parse_mode, parse_takes
from wiretape.replay import pacing
from wiretape.sessions.model import Session, Sessions, check_name

_MOST = 64
"""Sessions that one can stand on: each is looked into for a request that has no recording."""


def parse(file: str, text: str) -> Sessions:
    """The ``[session.NAME]`` tables of a TOML text.

    Raises ValueError, naming the file, the table and the right values; also where layers go round in a circle.
    """
    table = toml_text.loads(file, text)
    entries = table.get("session", {})
    if not isinstance(entries, dict):
        raise ValueError(f"{file}: a session begins with [session.NAME]")  # noqa: TRY004  a value from outside
    sessions = Sessions({name: _session(file, name, entry) for name, entry in entries.items()})
    if circle := _circle(sessions):
        raise ValueError(f"{file}: [session.{circle[0]}]: layers go round in a circle: {' -> '.join(circle)}")
    for name in sessions.names:
        if len(sessions.order(name, _MOST + 2)) > _MOST + 1:
            raise ValueError(f"{file}: [session.{name}]: stands on more than {_MOST} other sessions")
    return sessions


def _list[T](parse_one: Callable[[str], T]) -> Callable[[Any], tuple[T, ...]]:
    def parse_all(value: Any) -> tuple[T, ...]:
        if not isinstance(value, list) or not value or len({*map(repr, value)}) != len(value):
            raise ValueError("is a list of one or more names, each once")
        return tuple(_text(parse_one)(each) for each in value)

    return parse_all


def _text[T](parse_one: Callable[[str], T]) -> Callable[[Any], T]:
    def parse_text(value: Any) -> T:
        if not isinstance(value, str):
            raise ValueError(f"is a text, not {value!r}")  # noqa: TRY004  a value from outside
        return parse_one(value)

    return parse_text


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"is true or false, not {value!r}")  # noqa: TRY004
    return value


_KEYS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "layers": ("layers", _list(check_name)),
    "mode": ("mode", _text(parse_mode)),
    "modes": ("modes", _list(parse_mode)),
    "pace": ("pace", _text(pacing.parse)),
    "takes": ("takes", _text(parse_takes)),
    "format": ("form", _text(parse_form)),
    "frozen": ("frozen", _flag),
}
"""Key -> field of ``Session``, and how its value is read."""


def _session(file: str, name: str, entry: Any) -> Session:
    where = f"{file}: [session.{name}]"
    try:
        check_name(name)
    except ValueError as e:
        raise ValueError(f"{where}: {e}") from e
    if not isinstance(entry, dict):
        raise ValueError(f"{where}: is a table, not {entry!r}")  # noqa: TRY004
    if unknown := sorted(set(entry) - set(_KEYS)):
        dotted = any(isinstance(entry[key], dict) for key in unknown)
        hint = f'; a name with a dot is written [session."{name}.{unknown[0]}"]' if dotted else ""
        raise misspelled.unknown(where, unknown, _KEYS, hint)
    given: dict[str, Any] = {}
    for key, value in entry.items():
        field, read = _KEYS[key]
        try:
            given[field] = read(value)
        except ValueError as e:
            raise ValueError(f"{where}: {key}: {e}") from e
    modes = given.get("modes", tuple(Mode))
    # A session that allows these alone has one of these, whatever the proxy's option says.
    mode = given.setdefault("mode", modes[0]) if "modes" in given else given.get("mode")
    if mode is not None and mode not in modes:
        raise ValueError(f"{where}: mode is {mode}, which is none of its modes: {', '.join(modes)}")
    words = tuple((key, ", ".join(value) if isinstance(value, list) else str(value)) for key, value in entry.items())
    return Session(name, words=words, **given)


def _circle(sessions: Sessions) -> tuple[str, ...]:
    """A circle of layers, its first session at its end again; none where there is none."""
    try:
        # In the order of the names, so that an error is the same each time; each layer is looked at once.
        TopologicalSorter({name: sessions.get(name).layers for name in sessions.names}).prepare()
    except CycleError as e:
        return tuple(reversed(e.args[1]))
    return ()
