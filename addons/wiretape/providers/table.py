"""The table of providers: what TOML says -> values. Before ``routing``, whose values these are.

The table is data: ``config/providers.toml`` names the built-in providers and explains the format; a team's own tables
are put before it. ``wiretape.config`` has looked at keys and types before; here is what only providers know.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from wiretape.codecs import http_fields, misspelled, toml_text
from wiretape.codecs.wildcards import Wildcard
from wiretape.exceptions import ConfigurationError
from wiretape.network.egress import canonical
from wiretape.providers import base
from wiretape.providers.routing import KINDS, ApiKey, Endpoint, Host, PathRule, Place, Provider, Providers

type _Path = tuple[str | int, ...]

_SHOWN = 80
"""Characters of a wrong value that an error shows."""


def load(own: Mapping[str, Any]) -> Providers:
    """Return the table of providers: those of a team's own tables first, then those that are built in.

    ``own`` are the tables of a file, as ``wiretape.config`` has checked them; of sets of a name the own one holds.
    Raises ConfigurationError, with the path below the file.
    """
    sets = {name: _set(name, members) for name, members in own.get("endpoints", {}).items()}
    known = _builtin_sets() | sets
    entries = own.get("provider", [])
    ours = [_provider(("provider", number), entry, known) for number, entry in enumerate(entries)]
    builtin = [_provider((), entry, known, is_builtin=True) for entry in builtin_tables()["provider"]]
    return Providers([*ours, *builtin])


def _builtin_sets() -> dict[str, tuple[Place, ...]]:
    return {name: _set(name, members) for name, members in builtin_tables()["endpoints"].items()}


def _provider(
    path: _Path, entry: Mapping[str, Any], sets: Mapping[str, tuple[Place, ...]], *, is_builtin: bool = False
) -> Provider:
    if not entry["hosts"] or not any(entry.get(key) for key in ("endpoints", "skip", "ignore")):
        raise ConfigurationError("needs hosts, and endpoints, skip or ignore", path)
    for name in entry.get("endpoints", ()):
        if name not in sets:
            meant = misspelled.nearest(name, sets)
            guess = f": did you mean {meant}? There are" if meant else "; there are"
            shown = name[:_SHOWN]
            raise ConfigurationError(f"no [endpoints.{shown}]{guess} {', '.join(sorted(sets))}", path, at="endpoints")
    return Provider(
        name=entry.get("name", "?"),
        scheme=entry.get("scheme", "https"),
        hosts=tuple(_host((*path, "hosts"), host) for host in entry["hosts"]),
        base=_template((*path, "base"), entry.get("base", "")),
        endpoints=tuple(endpoint for name in entry.get("endpoints", ()) for endpoint in sets[name]),
        hide=entry.get("hide", ""),
        skip=tuple(_rule((*path, "skip"), rule) for rule in entry.get("skip", ())),
        ignore=tuple(_rule((*path, "ignore"), rule) for rule in entry.get("ignore", ())),
        is_builtin=is_builtin,
        api_key=_api_key(entry),
        headers=tuple(
            _header((*path, "headers", name), name, value) for name, value in entry.get("headers", {}).items()
        ),
    )


def _api_key(entry: Mapping[str, Any]) -> ApiKey | None:
    variables = tuple(entry.get("api_key", ()))
    return ApiKey(variables, entry.get("api_key_header", "authorization").lower()) if variables else None


_HEADER = re.compile(r"[A-Za-z0-9-]+")


def _header(path: _Path, name: str, value: str) -> tuple[str, str]:
    if not (_HEADER.fullmatch(name) and http_fields.is_value(value)):
        raise ConfigurationError("is no header: a name of letters, digits and -, and a value in one line", path)
    return name.lower(), value


_RULE = re.compile(r"(?:([A-Z]+) )?(/\S*)")


def _rule(path: _Path, text: str) -> PathRule:
    match = _RULE.fullmatch(text)
    if match is None or "?" in text:
        raise ConfigurationError(f'{text!r} is no path such as "/files*" or "GET /files/*": it has no query', path)
    return PathRule(match[1] or "", Wildcard(match[2]))


def _set(name: str, members: Mapping[str, Any]) -> tuple[Place, ...]:
    return tuple(_endpoint(("endpoints", name, key), key, value) for key, value in members.items())


def _endpoint(path: _Path, key: str, value: Mapping[str, Any]) -> Place:
    method, space, template = key.partition(" ")
    if not space or not method.isupper() or not template.startswith("/"):
        raise ConfigurationError('a key is a method and a path, such as "POST /chat/completions"', path)
    kind = value.get("kind")
    if kind not in KINDS:
        raise ConfigurationError(f"kind is one of {', '.join(sorted(KINDS))}", path)
    recorded = value.get("recorded", "") if kind == "sdk" else ""
    if kind == "sdk" and not (recorded and base.is_known(recorded)):
        raise ConfigurationError(f"recorded is one of {', '.join(sorted(base.names()))}, not {recorded!r}", path)
    falls_back = tuple(map(Wildcard, value.get("falls_back", ())))
    return Place(method, _template(path, template), Endpoint(kind, method, recorded), falls_back)


_ADDRESS = re.compile(r"\[([^\]]+)\](?::(\d{1,5}))?|([^:\[\]]+)(?::(\d{1,5}))?", re.ASCII)
_BARE_IPV6 = re.compile(r"[0-9a-f:.]+")


def _host(path: _Path, pattern: str) -> Host:
    # host, host:port, [IPv6] or [IPv6]:port; an IPv6 address with several colons needs no brackets without a port.
    text = pattern.lower()
    if text.count(":") > 1 and _BARE_IPV6.fullmatch(text):
        return Host(_wildcard(text), None)
    address = _ADDRESS.fullmatch(text)
    if not address:
        raise ConfigurationError(
            f"{pattern!r} is no host: it is host, host:port, [IPv6] or [IPv6]:port, with * in it", path
        )
    host = address[1] or address[3]
    port = address[2] or address[4]
    return Host(_wildcard(host), int(port) if port else None)


def _wildcard(host: str) -> Wildcard:
    return Wildcard(host if "*" in host else canonical(host))


_PLACEHOLDER = re.compile(r"\{\w+\}")


def _template(path: _Path, template: str) -> re.Pattern[str]:
    literals = _PLACEHOLDER.split(template)
    # So each stands for what is up to the next of these two, and there is one way alone to match a path.
    if not all("/" in between or ":" in between for between in literals[1:-1]):
        raise ConfigurationError(f"between two placeholders in {template!r} there is a / or a :", path)
    return re.compile("[^/:]+".join(map(re.escape, literals)))


@cache
def builtin_tables() -> Mapping[str, Any]:
    """Return ``config/providers.toml``: beside the package when installed, in ``config/`` in a checkout."""
    shipped = files("wiretape") / "providers.toml"
    file = shipped if shipped.is_file() else Path(__file__).parents[3] / "config" / "providers.toml"
    return toml_text.loads("the built-in providers.toml", file.read_text("utf-8"))
