"""Host and path -> provider and endpoint. First on the data's way; reads TOML text, opens no file but its own default.

The table is data: ``config/providers.toml`` names the built-in providers and explains the format; a team's own
tables are put before it.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

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
"""The endpoints that a recording of kind ``sdk`` can name: those whose response classes ``wire`` knows."""

_CREDENTIALS = frozenset({"key", "api_key", "api-key", "apikey", "access_token", "token"})
"""Query parameters that grant access: no recording has them."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An inference endpoint of a provider."""

    kind: str
    """One of KINDS."""
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


@dataclass(frozen=True, slots=True)
class Provider:
    """One entry of the table, its patterns compiled."""

    name: str
    scheme: str
    hosts: tuple[re.Pattern[str], ...]
    base: re.Pattern[str]
    """Matches the base at the start of a path; the rest is the endpoint's."""
    endpoints: tuple[tuple[str, re.Pattern[str], Endpoint], ...]
    hide: str

    def serves(self, host: str, port: int) -> bool:
        """Whether ``host:port`` is one of this provider's."""
        return any(pattern.fullmatch(f"{host}:{port}") for pattern in self.hosts)


class Providers:
    """The table of providers, first match first."""

    def __init__(self, providers: Iterable[Provider]) -> None:
        self._providers = tuple(providers)

    def knows(self, host: str, port: int) -> bool:
        """Whether the host is a provider's: if not, its TLS stays unopened."""
        return any(provider.serves(host.lower(), port) for provider in self._providers)

    def route(self, method: str, scheme: str, host: str, port: int, path: str) -> Route | None:
        """The route of a request, or None where it is no inference endpoint of a provider.

        ``path`` is the request target in origin form, with its query.
        """
        host = host.lower()
        path, _, query = path.partition("?")
        for provider in self._providers:
            if provider.scheme != scheme or not provider.serves(host, port):
                continue
            if not (base := provider.base.match(path)):
                continue
            for wanted, pattern, endpoint in provider.endpoints:
                if wanted == method and pattern.fullmatch(path, base.end()):
                    origin = provider.hide or f"{scheme}://{_authority(scheme, host, port)}"
                    return Route(provider.name, origin + base.group(), endpoint, path[base.end() :] + _query(query))
        return None


def _query(query: str) -> str:
    pairs = [pair for pair in query.split("&") if pair and pair.partition("=")[0].lower() not in _CREDENTIALS]
    return "?" + "&".join(pairs) if pairs else ""


def _authority(scheme: str, host: str, port: int) -> str:
    host = f"[{host}]" if ":" in host else host
    return host if port == {"https": 443, "http": 80}[scheme] else f"{host}:{port}"


def parse(tables: Iterable[tuple[str, str]]) -> Providers:
    """Read TOML texts, given as ``(file name, text)``; the first text's providers come first.

    Raises ValueError, naming the file and the entry, where one is not as ``config/providers.toml`` says.
    """
    sets: dict[str, dict[str, Any]] = {}
    entries: list[tuple[str, Mapping[str, Any]]] = []
    for file, text in tables:
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as e:
            raise ValueError(f"{file}: not TOML: {e}") from e
        for name, endpoints in table.get("endpoints", {}).items():
            sets.setdefault(name, endpoints)
        entries.extend((file, entry) for entry in table.get("provider", []))
    return Providers(_provider(file, entry, sets) for file, entry in entries)


def _provider(file: str, entry: Mapping[str, Any], sets: Mapping[str, Mapping[str, Any]]) -> Provider:
    name = entry.get("name", "?")
    where = f"{file}: provider {name!r}"
    if unknown := set(entry) - {"name", "hosts", "base", "endpoints", "scheme", "hide"}:
        raise ValueError(f"{where}: unknown key {', '.join(sorted(unknown))}")
    if not entry.get("hosts") or not entry.get("endpoints"):
        raise ValueError(f"{where}: needs hosts and endpoints")
    scheme = entry.get("scheme", "https")
    if scheme not in ("http", "https"):
        raise ValueError(f"{where}: scheme is http or https, not {scheme!r}")
    endpoints: list[tuple[str, re.Pattern[str], Endpoint]] = []
    for set_name in entry["endpoints"]:
        if set_name not in sets:
            raise ValueError(f"{where}: no [endpoints.{set_name}]; there are {', '.join(sorted(sets))}")
        for key, value in sets[set_name].items():
            method, _, path = key.partition(" ")
            endpoints.append((method, _path(path), _endpoint(f"{file}: [endpoints.{set_name}] {key!r}", method, value)))
    return Provider(
        name=name,
        scheme=scheme,
        hosts=tuple(_host(host) for host in entry["hosts"]),
        base=_path(entry.get("base", "")),
        endpoints=tuple(endpoints),
        hide=entry.get("hide", ""),
    )


def _endpoint(where: str, method: str, value: Any) -> Endpoint:
    if not isinstance(value, dict) or value.get("kind") not in KINDS:
        raise ValueError(f"{where}: kind is one of {', '.join(sorted(KINDS))}")
    recorded = value.get("recorded", "")
    if value["kind"] == "sdk" and recorded not in SDK_ENDPOINTS:
        raise ValueError(f"{where}: recorded is one of {', '.join(sorted(SDK_ENDPOINTS))}, not {recorded!r}")
    return Endpoint(value["kind"], method, recorded if value["kind"] == "sdk" else "")


def _host(pattern: str) -> re.Pattern[str]:
    address = re.fullmatch(r"\[?(.*?)\]?(?::(\d+))?", pattern.lower())
    assert address
    host, port = address[1], address[2]
    return re.compile(".*".join(map(re.escape, host.split("*"))) + ":" + (port or r"\d+"))


def _path(template: str) -> re.Pattern[str]:
    return re.compile("[^/:]+".join(map(re.escape, re.split(r"\{\w+\}", template))))


@cache
def builtin() -> str:
    """The text of ``config/providers.toml``: beside the package when installed, in ``config/`` in a checkout."""
    shipped = files("wiretape") / "providers.toml"
    if shipped.is_file():
        return shipped.read_text("utf-8")
    return (Path(__file__).parents[2] / "config" / "providers.toml").read_text("utf-8")
