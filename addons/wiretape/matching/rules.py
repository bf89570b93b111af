"""Rules on when two requests are the same though they differ, as data. What carries them out is ``reduction``.

A rule takes something out of both requests before they are compared, the recorded one and the present one: a member,
an id, a date in a text. What is equal then is the same by that rule. Rules come from three places, and are applied in
this order:

    built-in    what no provider answers by: ``built_in``, for everyone
    presets     what known programs vary: ``config/presets.toml``, chosen by the client's User-Agent or by name
    own         ``[[match]]`` of ``wiretape.toml``

All of them are ``MatchRule``s in one ``MatchPolicy``. Which of them hold for a request tells their ``Selector``: so the
rules of a preset are those that are for its clients alone. For example, a rule for a date that an agent tells itself:

    MatchRule("today", replace=(Replacement(r"Today's date is (\\d{4}-\\d\\d-\\d\\d)", name="date"),))
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from wiretape.codecs.wildcards import Wildcard


class Kind(StrEnum):
    """What can be looked for in texts by its form."""

    DATES = "dates"
    TIMES = "times"
    DURATIONS = "durations"
    UUIDS = "uuids"
    ULIDS = "ulids"
    HEX_IDS = "hex-ids"
    PATHS = "paths"
    PORTS = "ports"
    PIDS = "pids"
    VERSIONS = "versions"
    GIT = "git"


class Unordered(StrEnum):
    """Lists whose order does not count."""

    TOOLS = "tools"
    TOOL_RESULTS = "tool-results"
    """The results of calls that were made at once."""


class Loose(StrEnum):
    """How a recording is found that no rule makes the same, where ``wiretape_match`` asks for it; never by default."""

    POSITION = "position"
    """The n-th call of a session to an endpoint and a model is the n-th that was recorded."""
    CONVERSATION = "conversation"
    """What is said counts, without ``system`` and ``tools``."""


@dataclass(frozen=True, slots=True)
class MatchContext:
    """Whose request is compared. Rules are chosen by it."""

    provider: str = ""
    endpoints: tuple[str, ...] = ()
    """The endpoint's names: that of recordings, and its path."""
    model: str = ""
    client: str = ""
    """Its ``User-Agent``."""
    session: str = ""


@dataclass(frozen=True, slots=True)
class Selector:
    """Which requests a rule is for. Each list has patterns with ``*``; an empty one is of all."""

    providers: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()

    def selects(self, context: MatchContext) -> bool:
        """Return whether the rule is for a request of this context."""
        return (
            _is_any(self.providers, (context.provider,))
            and _is_any(self.endpoints, context.endpoints)
            and _is_any(self.models, (context.model,))
            and _is_any(self.clients, (context.client,))
            and _is_any(self.sessions, (context.session,))
        )


def _is_any(patterns: Sequence[str], names: Sequence[str]) -> bool:
    return not patterns or any(Wildcard(pattern).matches(name) for pattern in patterns for name in names)


@dataclass(frozen=True, slots=True)
class Replacement:
    """A pattern in texts: what it finds is taken out."""

    pattern: str
    """In RE2's syntax. Where it has a group, the first one is taken out, else all that it finds."""
    path: str = ""
    """A JSONPath: where it is looked for; empty for every text of the body."""
    name: str = ""
    """What is taken out, for people, and for binding. What is called ``home``, ``cwd`` or ``tmp`` is a directory, and
    is taken out wherever else it stands."""
    is_tracked: bool = False
    """Whether equal values have to be equal in the other request too, as ids have."""


@dataclass(frozen=True, slots=True)
class MatchRule:
    """A rule."""

    name: str
    reason: str = ""
    """Why two requests are the same without what it takes out."""
    applies: Selector = field(default_factory=Selector)
    ignore: tuple[str, ...] = ()
    """JSONPaths: what is there does not count. A path goes on into JSON inside a string."""
    ids: tuple[str, ...] = ()
    """JSONPaths: what is there counts by the order in which each first appears, not by its letters."""
    references: tuple[str, ...] = ()
    """JSONPaths: what is there counts as the id that it equals; where the request has none, as it is."""
    replace: tuple[Replacement, ...] = ()
    kinds: tuple[Kind, ...] = ()
    paths: tuple[str, ...] = ()
    """JSONPaths: where the kinds are looked for; empty for every text of the body."""
    unordered: tuple[Unordered, ...] = ()
    numbers: bool = False
    """Whether ``1`` and ``1.0`` are the same."""
    whitespace: bool = False
    """Whether any blanks and line ends between words are the same."""
    bind: bool = True
    """Whether what is taken out of the recorded request becomes, in the answer, what is in the present one."""


PLACES = ("cwd", "tmp", "home")
"""The directories that a client works in, by the names that values have which are one of them."""


@dataclass(frozen=True, slots=True)
class Places:
    """The directories that a client works in, as far as they are known; empty where not.

    One directory can have several paths, as by a symbolic link and without it.
    """

    cwd: tuple[str, ...] = ()
    home: tuple[str, ...] = ()
    tmp: tuple[str, ...] = ()

    def known(self) -> dict[str, tuple[str, ...]]:
        """Return the paths of those that are known, by their names."""
        named = {name: getattr(self, name) for name in PLACES}
        return {name: paths for name, paths in named.items() if paths}


def parse_places(text: str) -> Places:
    """Return the directories that ``wiretape_places`` names, an object of JSON. Raises ValueError."""
    if not text:
        return Places()
    try:
        told = json.loads(text)
    except ValueError as e:
        raise ValueError(f"{text!r} is no JSON: {e}") from e
    if not isinstance(told, dict) or not told.keys() <= {*PLACES}:
        raise ValueError(f"{text!r} names no directories: it is an object with paths for {', '.join(PLACES)}")
    return Places(**{name: _paths(text, value) for name, value in told.items()})


def _paths(text: str, value: Any) -> tuple[str, ...]:
    paths = [value] if isinstance(value, str) else value
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise ValueError(f"{text!r} names no directories: a path is a text, several are a list of texts")
    return tuple(path for path in paths if path)


_CONTEXTS = 1000
"""Contexts for which it is kept which rules were chosen."""


@dataclass(frozen=True, slots=True)
class MatchPolicy:
    """All rules that there are, and what is known of who asks. The empty one has exact matches alone."""

    rules: tuple[MatchRule, ...] = ()
    places: Places = Places()
    """Those of the client that asks now."""
    loose: tuple[Loose, ...] = ()
    """How else a recording may be found, after the rules, in this order."""
    choice: str = ""
    """What has chosen them: of one configuration, policies of the same choice are the same."""
    _chosen: dict[MatchContext, tuple[MatchRule, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What was chosen for a context: a client asks again and again."""

    def rules_for(self, context: MatchContext) -> tuple[MatchRule, ...]:
        """Return the rules that hold for a request."""
        chosen = self._chosen.get(context)
        if chosen is None:
            chosen = tuple(rule for rule in self.rules if rule.applies.selects(context))
            if len(self._chosen) >= _CONTEXTS:
                self._chosen.clear()
            self._chosen[context] = chosen
        return chosen
