"""What is asked for while a proxy runs: JSON -> the values of ``wiretape.sessions.scopes``, checked whole.

The tables are described as those of ``wiretape.toml`` are, and their values are parsed by the same functions: a fault
here is what a ``[[fault]]`` is there. A member that is null is as one that is left out. Whatever is wrong raises
ConfigurationError, whose message begins with the place: ``faults[0].delay: is a time such as ...``.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from wiretape.config import Configuration
from wiretape.config.description import Flag, Key, ListOf, Rows, Table, Text
from wiretape.config.tables import FAULT, SESSION
from wiretape.exceptions import ConfigurationError
from wiretape.matching import presets
from wiretape.matching.presets import Preset
from wiretape.policy import DEFAULT_SESSION, Mode, Takes
from wiretape.replay import fault_config, pacing
from wiretape.sessions import config as session_config
from wiretape.sessions.model import Sessions, check_name
from wiretape.sessions.scopes import Overrides, Scope, SessionOverride, new_id

_FAULTS = 100
"""Faults that one override can have: each request is held against each of them."""

_TEST_ID = 1000
"""Characters of a ``test_id``."""

_OF_SESSION = {key.name: key for key in SESSION.keys}
_MATCH = Key("match", ListOf(Text(), "a list of texts", is_filled=True), 'As wiretape_match: ["exact"], ["codex"].')
_FAULT_ROWS = Key("faults", Rows(FAULT, "a list of faults, each as a [[fault]]"), "Faults, on purpose, beside others.")

_LAYERS = Key("layers", ListOf(Text(), "a list of names, each once", is_set=True), "The sessions below it, or none.")

SESSION_OVERRIDE = Table(
    (*(_OF_SESSION[name] for name in ("mode", "pace", "takes")), _LAYERS, _MATCH, _FAULT_ROWS), "an object"
)
"""What can be said of a session."""

SCOPE = Table(
    (
        Key("client", Text(), "The user of the proxy's URL.", is_needed=True),
        Key("session", Text(), "The session of its requests; by default that of whoever names none."),
        Key("test_id", Text(), "The test that it is."),
        Key("isolated", Flag(), "Whether what is recorded in it is of this test alone."),
        *(_OF_SESSION[name] for name in ("mode", "pace", "takes")),
        _MATCH,
        _FAULT_ROWS,
    ),
    "an object",
)
"""What can be said of a scope at its begin."""

SCOPE_CHANGE = Table((*(_OF_SESSION[name] for name in ("mode", "pace")), _FAULT_ROWS), "an object")
"""What can be changed of a scope."""

_ALL = Table((Key("sessions", Text(), ""), Key("scopes", Text(), "")), "an object")


@dataclass(frozen=True, slots=True)
class Known:
    """What there is that can be named."""

    providers: Collection[str]
    presets: Mapping[str, Preset]
    sessions: Sessions
    """As they are configured."""
    session: str = DEFAULT_SESSION
    """That of whoever names none."""

    @classmethod
    def of(cls, configuration: Configuration, session: str = DEFAULT_SESSION) -> Self:
        """Return what a configuration has. Raises ConfigurationError."""
        providers = configuration.providers().names
        return cls(providers, configuration.presets(), configuration.sessions(), session)


def session_override(value: Any, name: str, known: Known) -> SessionOverride:
    """Return what is to hold for a session. Raises ConfigurationError, and ValueError for a name that is none."""
    check_name(name)
    return _told(lambda: _override(_checked(SESSION_OVERRIDE, value), name, known))


def scope(value: Any, known: Known) -> Scope:
    """Return a scope that is to begin, with an id of its own. Raises ConfigurationError."""
    return _told(lambda: _scope(_checked(SCOPE, value), new_id(), known))


def changed_scope(former: Scope, value: Any, known: Known) -> Scope:
    """Return a scope with what is to be another from now on; what is null is as the session has it again.

    Raises ConfigurationError.
    """
    return _told(lambda: _changed(former, value, known))


def loads(text: str, known: Known) -> Overrides:
    """Return all overrides, from what ``dumps`` has made. Raises ConfigurationError."""
    return _told(lambda: _all(json.loads(text), known))


def dumps(overrides: Overrides) -> str:
    """Return all overrides as one line."""
    return json.dumps(overrides.as_json(), separators=(",", ":"))


def _all(value: Any, known: Known) -> Overrides:
    if not isinstance(value, dict) or value.keys() != {*_ALL.names}:
        raise ConfigurationError(f"has {' and '.join(_ALL.names)}")
    overrides = Overrides()
    for name, each in value["sessions"].items():
        overrides = overrides.with_session(name, session_override(each, name, known))
    for each in value["scopes"]:
        fields = {**each}
        scope_id = str(fields.pop("id"))
        overrides = overrides.with_scope(_scope(_checked(SCOPE, fields), scope_id, known))
    return overrides


def _scope(given: Mapping[str, Any], scope_id: str, known: Known) -> Scope:
    session = _parsed(given, "session", check_name) or known.session
    client = _parsed(given, "client", check_name)
    test_id = _parsed(given, "test_id", _test_id) or ""
    is_isolated = given.get("isolated", False)
    if is_isolated and not test_id:
        raise ConfigurationError("needs a test_id", ("isolated",))
    assert client
    return Scope(scope_id, client, session, test_id, is_isolated, _override(given, session, known))


def _changed(former: Scope, value: Any, known: Known) -> Scope:
    given = _checked(SCOPE_CHANGE, value)
    new = _override(given, former.session, known)
    override = former.override
    if "mode" in value:
        override = replace(override, mode=new.mode)
    if "pace" in value:
        override = replace(override, pace=new.pace)
    if "faults" in value:
        override = replace(override, faults=new.faults)
    return replace(former, override=override)


def _override(given: Mapping[str, Any], name: str, known: Known) -> SessionOverride:
    faults = given.get("faults", [])
    if len(faults) > _FAULTS:
        raise ConfigurationError(f"are at most {_FAULTS}, not {len(faults)}", ("faults",))
    layers = _parsed(given, "layers", lambda value: tuple(map(check_name, value)))
    override = SessionOverride(
        mode=_parsed(given, "mode", Mode),
        pace=_parsed(given, "pace", pacing.parse),
        takes=_parsed(given, "takes", Takes),
        layers=layers,
        match=_parsed(given, "match", lambda value: _match(value, known)),
        faults=fault_config.parse(faults, known.providers),
    )
    configured = known.sessions.get(name)
    if override.mode and configured.modes and override.mode not in configured.modes:
        raise ConfigurationError(f"is one of {', '.join(configured.modes)} in session {name}", ("mode",))
    if layers:
        session_config.check_layers(known.sessions.changed([override.over(configured)]))
    return override


def _match(words: list[str], known: Known) -> tuple[str, ...]:
    presets.choose(",".join(words), known.presets)
    return tuple(words)


def _test_id(text: str) -> str:
    if len(text) > _TEST_ID:
        raise ValueError(f"is a text of at most {_TEST_ID} characters, not of {len(text)}")
    text.encode()  # Half a character would fit into no file.
    return text


def _checked(table: Table, value: Any) -> dict[str, Any]:
    """Return what is given of a table, looked at as a whole. Raises ConfigurationError."""
    given = value
    if isinstance(value, dict):
        given = {name: each for name, each in value.items() if each is not None}
    table.check(given, ())
    return dict(given)


def _parsed[T](given: Mapping[str, Any], name: str, parse: Callable[[Any], T]) -> T | None:
    if name not in given:
        return None
    try:
        return parse(given[name])
    except UnicodeEncodeError as e:
        raise ConfigurationError("is no text: it has half a character", (name,)) from e
    except ValueError as e:
        raise ConfigurationError(str(e), (name,)) from e


def _told[T](make: Callable[[], T]) -> T:
    """Return what is made; what is wrong is told with its place."""
    try:
        return make()
    except ConfigurationError as e:
        place = _place(e.path)
        raise ConfigurationError(f"{place}: {e}" if place else str(e), e.path) from e
    except UnicodeEncodeError as e:
        raise ConfigurationError("a text has half a character") from e


def _place(path: tuple[str | int, ...]) -> str:
    """Return what a path is called in JSON: ``faults[0].delay``."""
    place = ""
    for each in path:
        # A rule of faults is told of by the name of its table.
        name = "faults" if each == "fault" else each
        place += f"[{name}]" if isinstance(name, int) else f".{name}"
    return place.removeprefix(".")
