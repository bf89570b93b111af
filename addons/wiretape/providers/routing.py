"""Host and path -> provider and endpoint. First on the data's way; reads TOML text, opens no file but its own default.

The table is data: ``config/providers.toml`` names the built-in providers and explains the format; a team's own
tables are put before it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

from wiretape.codecs import misspelled, toml_text
from wiretape.codecs.wildcards import Wildcard
from wiretape.network.egress import canonical

KINDS = frozenset({"sdk", "http"})
"""``sdk``: recorded as the SDK's call and its response objects. ``http``: passthrough, recorded as it is sent."""


SDK_ENDPOINTS = frozenset(
    {
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/embeddings",
        "/v1/models",
        "/v1/responses",
        "/api/generate",
        "/api/chat",
        "/api/embeddings",
        "/api/pull",
        "/api/ps",
        "/api/tags",
    }
)
"""The endpoints that a recording of kind ``sdk`` can name: those whose response classes ``sdk_answers`` knows."""

BUILTIN = "the built-in providers.toml"
"""What ``parse`` is told to be the name of the built-in providers' file."""

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
class Provider:
    """One entry of the table, its patterns compiled."""

    name: str
    scheme: str
    hosts: tuple["Host", ...]
    base: re.Pattern[str]
    """Matches the base at the start of a path; the rest is the endpoint's."""
    endpoints: tuple[tuple[str, re.Pattern[str], Endpoint], ...]
    """Method, path below the base, what is there."""
    hide: str
    skip: tuple[PathRule, ...] = ()
    ignore: tuple[PathRule, ...] = ()
    is_builtin: bool = False
    """Whether nobody configured it: it is in the table that comes with the package."""

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
        for wanted, pattern, endpoint in self.endpoints:
            if wanted == method and pattern.fullmatch(below):
                return base.group(), endpoint
        return None


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

    def _serving(self, host: str, port: int) -> tuple[Provider, ...]:
        """Return the entries that are about a host, in their order."""
        serving = self._known.get((host, port))
        if serving is None:
            name = canonical(host)
            serving = tuple(provider for provider in self._providers if provider.serves(name, port))
            if len(self._known) < _REMEMBERED:
                self._known[host, port] = serving
        return serving

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


def _origin(provider: Provider, scheme: str, host: str, port: int) -> str:
    return provider.hide or f"{scheme}://{_authority(scheme, canonical(host), port)}"


def _query(query: str) -> str:
    pairs = [pair for pair in query.split("&") if pair and _name(pair) not in _CREDENTIALS]
    return "?" + "&".join(pairs) if pairs else ""


def _name(pair: str) -> str:
    return unquote_plus(pair.partition("=")[0]).strip().lower()


def _authority(scheme: str, host: str, port: int) -> str:
    host = f"[{host}]" if ":" in host else host
    return host if port == {"https": 443, "http": 80}[scheme] else f"{host}:{port}"


def parse(tables: Iterable[tuple[str, str]]) -> Providers:
    """Read TOML texts, given as ``(file name, text)``; the first text's providers, and sets of a name, come first.

    Raises ValueError, naming the file and the entry, where one is not as ``config/providers.toml`` says.
    """
    sets: dict[str, tuple[_Endpoint, ...]] = {}
    entries: list[tuple[str, Any]] = []
    for file, text in tables:
        table = toml_text.loads(file, text)
        endpoints, providers = table.get("endpoints", {}), table.get("provider", [])
        if not isinstance(endpoints, dict):
            raise ValueError(f"{file}: endpoints are tables: [endpoints.NAME]")  # noqa: TRY004
        for name, members in endpoints.items():
            sets.setdefault(name, _set(f"{file}: [endpoints.{name}]", members))
        if not isinstance(providers, list):
            raise ValueError(f"{file}: a provider begins with [[provider]], in two brackets")  # noqa: TRY004
        entries.extend((file, entry) for entry in providers)
    return Providers(_provider(file, entry, sets) for file, entry in entries)


_Endpoint = tuple[str, re.Pattern[str], Endpoint]
_ENDPOINT_KEYS = ("kind", "recorded")
_KEYS = {
    "name": str,
    "hosts": list,
    "base": str,
    "endpoints": list,
    "scheme": str,
    "hide": str,
    "skip": list,
    "ignore": list,
}


def _provider(file: str, entry: Any, sets: Mapping[str, tuple[_Endpoint, ...]]) -> Provider:
    if not isinstance(entry, dict):
        raise ValueError(f"{file}: a provider is a table, not {entry!r}")  # noqa: TRY004
    where = f"{file}: provider {entry.get('name', '?')!r}"
    if unknown := set(entry) - set(_KEYS):
        raise misspelled.unknown(where, unknown, _KEYS)
    for key, kind in _KEYS.items():
        value = entry.get(key, kind())
        items = value if isinstance(value, list) else []
        if not isinstance(value, kind) or not all(isinstance(item, str) for item in items):
            raise ValueError(f"{where}: {key} is {'a list of texts' if kind is list else 'a text'}, not {value!r}")
    if not entry.get("hosts") or not any(entry.get(key) for key in ("endpoints", "skip", "ignore")):
        raise ValueError(f"{where}: needs hosts, and endpoints, skip or ignore")
    scheme = entry.get("scheme", "https")
    if scheme not in ("http", "https"):
        raise ValueError(f"{where}: scheme is http or https, not {scheme!r}")
    for name in entry.get("endpoints", ()):
        if name not in sets:
            raise ValueError(f"{where}: no [endpoints.{name}]; there are {', '.join(sorted(sets))}")
    return Provider(
        name=entry.get("name", "?"),
        scheme=scheme,
        hosts=tuple(_host(where, host) for host in entry["hosts"]),
        base=_path(f"{where}: base", entry.get("base", "")),
        endpoints=tuple(endpoint for name in entry.get("endpoints", ()) for endpoint in sets[name]),
        hide=entry.get("hide", ""),
        skip=tuple(_rule(f"{where}: skip", rule) for rule in entry.get("skip", ())),
        ignore=tuple(_rule(f"{where}: ignore", rule) for rule in entry.get("ignore", ())),
        is_builtin=file == BUILTIN,
    )


_RULE = re.compile(r"(?:([A-Z]+) )?(/\S*)")


def _rule(where: str, text: str) -> PathRule:
    match = _RULE.fullmatch(text)
    if match is None or "?" in text:
        raise ValueError(f'{where}: {text!r} is no path such as "/files*" or "GET /files/*": it has no query')
    return PathRule(match[1] or "", Wildcard(match[2]))


def _set(where: str, members: Any) -> tuple[_Endpoint, ...]:
    if not isinstance(members, dict):
        raise ValueError(f"{where}: a set of endpoints is a table, not {members!r}")  # noqa: TRY004
    return tuple(_endpoint(f"{where} {key!r}", key, value) for key, value in members.items())


def _endpoint(where: str, key: str, value: Any) -> _Endpoint:
    method, space, path = key.partition(" ")
    if not space or not method.isupper() or not path.startswith("/"):
        raise ValueError(f'{where}: a key is a method and a path, such as "POST /chat/completions"')
    if isinstance(value, dict) and (unknown := set(value) - {*_ENDPOINT_KEYS}):
        raise misspelled.unknown(where, unknown, _ENDPOINT_KEYS)
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"{where}: kind is one of {', '.join(sorted(KINDS))}")
    recorded = value.get("recorded", "") if kind == "sdk" else ""
    if not isinstance(recorded, str) or (kind == "sdk" and recorded not in SDK_ENDPOINTS):
        raise ValueError(f"{where}: recorded is one of {', '.join(sorted(SDK_ENDPOINTS))}, not {recorded!r}")
    return method, _path(where, path), Endpoint(kind, method, recorded)


_ADDRESS = re.compile(r"\[([^\]]+)\](?::(\d{1,5}))?|([^:\[\]]+)(?::(\d{1,5}))?", re.ASCII)
_BARE_IPV6 = re.compile(r"[0-9a-f:.]+")


def _host(where: str, pattern: str) -> Host:
    # host, host:port, [IPv6] or [IPv6]:port; an IPv6 address with several colons needs no brackets without a port.
    text = pattern.lower()
    if text.count(":") > 1 and _BARE_IPV6.fullmatch(text):
        return Host(_wildcard(text), None)
    address = _ADDRESS.fullmatch(text)
    if not address:
        raise ValueError(f"{where}: {pattern!r} is no host: it is host, host:port, [IPv6] or [IPv6]:port, with * in it")
    host, port = address[1] or address[3], address[2] or address[4]
    return Host(_wildcard(host), int(port) if port else None)


def _wildcard(host: str) -> Wildcard:
    return Wildcard(host if "*" in host else canonical(host))


_PLACEHOLDER = re.compile(r"\{\w+\}")


def _path(where: str, template: str) -> re.Pattern[str]:
    literals = _PLACEHOLDER.split(template)
    # So each stands for what is up to the next of these two, and there is one way alone to match a path.
    if not all("/" in between or ":" in between for between in literals[1:-1]):
        raise ValueError(f"{where}: between two placeholders in {template!r} there is a / or a :")
    return re.compile("[^/:]+".join(map(re.escape, literals)))


@cache
def builtin() -> str:
    """The text of ``config/providers.toml``: beside the package when installed, in ``config/`` in a checkout."""
    shipped = files("wiretape") / "providers.toml"
    if shipped.is_file():
        return shipped.read_text("utf-8")
    return (Path(__file__).parents[3] / "config" / "providers.toml").read_text("utf-8")
