"""Host and path -> provider and endpoint. First on the data's way.

``table`` makes the table of providers, of ``config/providers.toml`` and of a team's own file.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple
from urllib.parse import unquote_plus

from wiretape.codecs.wildcards import Wildcard
from wiretape.network.egress import LOCALHOST, canonical, is_here

KINDS = frozenset({"sdk", "http"})
"""``sdk``: recorded as the SDK's call and its response objects. ``http``: passthrough, recorded as it is sent."""


_CREDENTIALS = frozenset({"key", "api_key", "api-key", "apikey", "access_token", "token"})
"""Query parameters that grant access: no recording has them."""


OTHER = "other"
"""The kind of what no entry names: recorded as it is sent, and each of its takes in its turn."""

_OTHER_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})


class Exclusion(Enum):
    """Why the table has no route for a request to a provider's host."""

    SKIPPED = "a path that the table of providers excludes (skip)"
    IGNORED = "noise"
    """It is answered from nothing where requests are answered here, and counts nowhere."""
    METHOD = "a method that is not recorded"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint of a provider: one that the table names, or any other path."""

    kind: str
    """One of KINDS, or OTHER."""
    method: str
    """The method on the wire."""
    recorded: str
    """Its name in a recording, such as ``/v1/chat/completions``; empty for a passthrough endpoint."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes: what is fixed before its body is read."""

    provider: str
    base: str
    """The provider's base URL as a recording writes it: ``https://api.fireworks.ai/inference/v1``."""
    endpoint: Endpoint
    path: str
    """The path below the base, with its query but for what grants access."""

    @property
    def url(self) -> str:
        """The recorded URL: base and recorded endpoint, so ``/v1/v1/`` where the base ends in ``/v1``."""
        return self.base + (self.endpoint.recorded or self.path)

    @property
    def sent_url(self) -> str:
        """The URL that is asked, without a query: for people."""
        return self.base + self.path.partition("?")[0]

    @property
    def endpoint_names(self) -> tuple[str, ...]:
        """The names by which the endpoint can be chosen: that of recordings, where it has one, and its path."""
        path = self.path.partition("?")[0]
        return (self.endpoint.recorded, path) if self.endpoint.recorded else (path,)


@dataclass(frozen=True, slots=True)
class Host:
    """A pattern of hosts."""

    name: Wildcard
    port: int | None
    """None for every port."""

    def matches(self, host: str, port: int) -> bool:
        """Whether ``host:port`` is meant."""
        return self.port in (None, port) and self.name.matches(host)


@dataclass(frozen=True, slots=True)
class PathRule:
    """Requests that are not recorded, as ``skip`` and ``ignore`` name them."""

    method: str
    """Empty for every method."""
    path: Wildcard
    """Below the base, without the query."""

    def matches(self, method: str, path: str) -> bool:
        """Return whether a request is meant."""
        return self.method in ("", method) and self.path.matches(path)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Where the key of a provider is, and how it is sent."""

    variables: tuple[str, ...]
    """Of the environment, as its SDK reads them: the first that is set counts."""
    header: str = "authorization"
    """In this one it is sent after ``Bearer``, in others alone."""


class Place(NamedTuple):
    """Where an endpoint is."""

    method: str
    path: re.Pattern[str]
    """Below the base."""
    endpoint: Endpoint
    falls_back: tuple[Wildcard, ...] = ()
    """The clients, by their User-Agents, that open a WebSocket here and go on over HTTP where that is refused."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One entry of the table, its patterns compiled."""

    name: str
    scheme: str
    hosts: tuple["Host", ...]
    base: re.Pattern[str]
    """Matches the base at the start of a path; the rest is the endpoint's."""
    endpoints: tuple[Place, ...]
    hide: str
    skip: tuple[PathRule, ...] = ()
    ignore: tuple[PathRule, ...] = ()
    is_builtin: bool = False
    """Whether nobody configured it: it is in the table that comes with the package."""
    api_key: ApiKey | None = None
    headers: tuple[tuple[str, str], ...] = ()
    """What each request needs beside the key."""

    def names(self, host: str, port: int) -> bool:
        """Return whether this is one of its hosts by its whole name, and not by a pattern for many."""
        return any(each.matches(host, port) and not each.name.is_pattern for each in self.hosts)

    def serves(self, host: str, port: int) -> bool:
        """Whether ``host:port`` is one of this provider's. ``host`` is canonical."""
        return any(each.matches(host, port) for each in self.hosts)

    def find(self, method: str, scheme: str, path: str) -> tuple[str, Endpoint] | Exclusion | None:
        """Return the base and the endpoint of a request, or why it has none; None where this entry says nothing.

        What an entry excludes goes before what it names.
        """
        base = self.base.match(path)
        if base is None:
            return None
        below = path[base.end() :]
        if any(rule.matches(method, below) for rule in self.ignore):
            return Exclusion.IGNORED
        if any(rule.matches(method, below) for rule in self.skip):
            return Exclusion.SKIPPED
        if self.scheme != scheme:
            return None
        for wanted, pattern, endpoint, _ in self.endpoints:
            if wanted == method and pattern.fullmatch(below):
                return base.group(), endpoint
        return None

    def falls_back(self, scheme: str, path: str, client: str) -> bool:
        """Return whether a client that opens a WebSocket at a path goes on over HTTP where that is refused."""
        base = self.base.match(path)
        if base is None or self.scheme != scheme:
            return False
        below = path[base.end() :]
        return any(
            pattern.fullmatch(below) and any(each.matches(client) for each in clients)
            for _, pattern, _, clients in self.endpoints
        )


_REMEMBERED = 1000
"""Hosts of which it is remembered whether they are a provider's."""


class Providers:
    """The table of providers, first match first."""

    def __init__(self, providers: Iterable[Provider]) -> None:
        self._providers = tuple(providers)
        self._known: dict[tuple[str, int], tuple[Provider, ...]] = {}

    @property
    def names(self) -> frozenset[str]:
        """The providers' names."""
        return frozenset(provider.name for provider in self._providers)

    def knows(self, host: str, port: int) -> bool:
        """Whether the host is a provider's: if not, its TLS stays unopened."""
        return bool(self._serving(host, port))

    def name_at(self, host: str, port: int) -> str:
        """Return the name of the provider that a host is of; empty where it is none's."""
        return next((provider.name for provider in self._serving(host, port)), "")

    def _serving(self, host: str, port: int) -> tuple[Provider, ...]:
        """Return the entries that are about a host, in their order."""
        serving = self._known.get((host, port))
        if serving is None:
            name = canonical(host)
            serving = tuple(provider for provider in self._providers if provider.serves(name, port))
            if len(self._known) < _REMEMBERED:
                self._known[host, port] = serving
        return serving

    def ports_here(self) -> frozenset[int]:
        """The ports of this machine at which a provider is."""
        return frozenset(
            host.port
            for provider in self._providers
            for host in provider.hosts
            if host.port is not None and host.name.matches(LOCALHOST)
        )

    def of(self, route: Route, host: str, port: int) -> Provider | None:
        """Return the entry that a route is of: of several of a name the first with a key."""
        entries = [each for each in self._serving(host, port) if each.name == route.provider]
        return next((each for each in entries if each.api_key), entries[0] if entries else None)

    def hosts(self) -> tuple[tuple[str, int], ...]:
        """Return the hosts that are named in full, each with its port: not those of a pattern, nor of this machine."""
        named = {
            (host.name.text, host.port or (443 if provider.scheme == "https" else 80))
            for provider in self._providers
            for host in provider.hosts
            if not host.name.is_pattern and not is_here(host.name.text)
        }
        return tuple(sorted(named))

    def is_configured(self, host: str, port: int) -> bool:
        """Whether the host is one of a provider's that the team has put into its own table."""
        return any(not provider.is_builtin for provider in self._serving(host, port))

    def route(self, method: str, scheme: str, host: str, port: int, path: str) -> Route | None:
        """The route of a request, or None where it is not recorded: ``exclusion`` tells why.

        ``path`` is the request target in origin form, with its query.
        """
        found = self._find(method, scheme, host, port, path)
        return found if isinstance(found, Route) else None

    def exclusion(self, method: str, scheme: str, host: str, port: int, path: str) -> Exclusion | None:
        """Return why a request to a provider's host has no route; None for another host, or where it has one."""
        found = self._find(method, scheme, host, port, path)
        return found if isinstance(found, Exclusion) else None

    def falls_back(self, scheme: str, host: str, port: int, path: str, client: str) -> bool:
        """Return whether a client, by its User-Agent, goes on over HTTP where it is refused a WebSocket at a path."""
        path = path.partition("?")[0]
        return any(provider.falls_back(scheme, path, client) for provider in self._serving(host, port))

    def _find(self, method: str, scheme: str, host: str, port: int, path: str) -> Route | Exclusion | None:
        serving = self._serving(host, port)
        if not serving:
            return None
        path, _, query = path.partition("?")
        for provider in serving:
            match provider.find(method, scheme, path):
                case Exclusion() as exclusion:
                    return exclusion
                case str(base), Endpoint() as endpoint:
                    return Route(
                        provider.name,
                        _origin(provider, scheme, host, port) + base,
                        endpoint,
                        path[len(base) :] + _query(query),
                    )
        if method not in _OTHER_METHODS or not path.startswith("/"):
            return Exclusion.METHOD
        provider = serving[0]
        endpoint = Endpoint(OTHER, method, "")
        return Route(provider.name, _origin(provider, scheme, host, port), endpoint, path + _query(query))


def elsewhere(method: str, scheme: str, host: str, port: int, path: str) -> Route:
    """Return where a request leads that has no route of the table's: it is recorded nowhere."""
    endpoint = Endpoint(OTHER, method, "")
    return Route("", f"{scheme}://{_authority(scheme, canonical(host), port)}", endpoint, path)


def _origin(provider: Provider, scheme: str, host: str, port: int) -> str:
    return provider.hide or f"{scheme}://{_authority(scheme, canonical(host), port)}"


def _query(query: str) -> str:
    pairs = [pair for pair in query.split("&") if pair and _name(pair) not in _CREDENTIALS]
    return "?" + "&".join(pairs) if pairs else ""


def _name(pair: str) -> str:
    return unquote_plus(pair.partition("=")[0]).strip().lower()


def _authority(scheme: str, host: str, port: int) -> str:
    host = f"[{host}]" if ":" in host else host
    return host if port == {"https": 443, "http": 80}.get(scheme) else f"{host}:{port}"
