"""What programs ask for beside the model: telemetry, settings, policy. Which requests those are, by a preset's rows.

When a program is replayed, nothing of it is to leave, and it is not to be told of a miss that nobody misses. So a
preset lists what its program asks for besides:

    "POST ab.chatgpt.com/otlp/*"     a method, a host and a path, each with *
    "* ab.chatgpt.com/*"             all of a host

In replay such a request gets its recorded answer where there is one, else an empty one. In all other modes it passes as
if it were listed nowhere.

Who asks does not tell whether a row is meant: programs leave this to git, and to libraries, with names of their own,
and some of it comes before anything else of the program. So a row holds for whoever asks, at a provider's host, and at
one where nobody else asks: it is for all of that. At any other host, as github.com, nothing would be opened otherwise.
There a row holds only while its program is *at work* in the session: since a request has come whose User-Agent is that
of one of its clients, or from the start where its command is the one that ``wiretape run`` runs.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Self

from wiretape.codecs.wildcards import Wildcard
from wiretape.network.egress import canonical

_ROW = re.compile(r"(\*|[A-Z]+) ([^\s/?#]+)(/[^\s?#]*)")
_ALL = "*"

_REMEMBERED = 1000
"""User-Agents, and hosts, of which it is remembered what they are."""


@dataclass(frozen=True, slots=True)
class IgnoredRequest:
    """One row."""

    method: str
    """Empty for every method."""
    host: Wildcard
    path: Wildcard
    """Without the query."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return what a row says. Raises ValueError, which says what is right."""
        match = _ROW.fullmatch(text)
        if match is None:
            raise ValueError(f'{text!r} is no METHOD HOST/PATH such as "POST telemetry.example/v1/*": it has no query')
        method, host, path = match.groups()
        return cls("" if method == _ALL else method, Wildcard(host.lower()), Wildcard(path))

    @property
    def is_all_of_a_host(self) -> bool:
        """Whether it is about whatever is asked there."""
        return not self.method and self.path.text == "/*"

    def matches(self, method: str, path: str) -> bool:
        """Return whether a request to the host is meant. ``path`` has no query."""
        return self.method in ("", method) and self.path.matches(path)


@dataclass(frozen=True, slots=True)
class Program:
    """What a preset says of its program."""

    name: str
    clients: tuple[Wildcard, ...]
    """Its User-Agents."""
    ignored: tuple[IgnoredRequest, ...]
    commands: tuple[str, ...] = ()
    """The names of its commands."""

    @classmethod
    def parse(cls, name: str, clients: Iterable[str], ignored: Iterable[str], commands: Iterable[str] = ()) -> Self:
        """Return what the keys of a preset say. Raises ValueError."""
        return cls(name, tuple(map(Wildcard, clients)), tuple(map(IgnoredRequest.parse, ignored)), tuple(commands))


class IgnoredRequests:
    """The rows of all presets."""

    def __init__(self, programs: Iterable[Program] = (), chosen: Collection[str] = ()) -> None:
        """``chosen``: the names of those whose rows hold whoever is at work."""
        self._programs = tuple(programs)
        self._chosen = frozenset(chosen)
        self._names: dict[str, frozenset[str]] = {}
        self._rows: dict[str, tuple[tuple[str, IgnoredRequest], ...]] = {}

    def of_client(self, client: str) -> frozenset[str]:
        """Return the names of the programs that call themselves so."""
        names = self._names.get(client)
        if names is None:
            names = frozenset(
                program.name for program in self._programs if any(each.matches(client) for each in program.clients)
            )
            if len(self._names) < _REMEMBERED:
                self._names[client] = names
        return names

    def of_command(self, command: str) -> frozenset[str]:
        """Return the names of the programs that a command is."""
        return frozenset(program.name for program in self._programs if command in program.commands)

    def has_host(self, host: str, at_work: Collection[str]) -> bool:
        """Return whether something of a host is ignored that is no provider's. ``at_work``: the programs that are."""
        return any(self._holds(name, row, at_work) for name, row in self._rows_of(host))

    def ignores(self, method: str, host: str, path: str, at_work: Collection[str], *, is_providers: bool) -> bool:
        """Return whether a request is ignored. ``path`` may have a query. ``is_providers``: whose host it is."""
        path = path.partition("?")[0]
        return any(
            row.matches(method, path) and (is_providers or self._holds(name, row, at_work))
            for name, row in self._rows_of(host)
        )

    def _holds(self, name: str, row: IgnoredRequest, at_work: Collection[str]) -> bool:
        return row.is_all_of_a_host or name in self._chosen or name in at_work

    def _rows_of(self, host: str) -> tuple[tuple[str, IgnoredRequest], ...]:
        """Return the rows about a host, each with the name of its preset."""
        rows = self._rows.get(host)
        if rows is None:
            name = canonical(host)
            rows = tuple(
                (program.name, row) for program in self._programs for row in program.ignored if row.host.matches(name)
            )
            if len(self._rows) < _REMEMBERED:
                self._rows[host] = rows
        return rows
