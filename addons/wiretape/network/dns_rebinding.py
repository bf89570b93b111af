"""Refuses requests from the web pages of others, told by their ``Host``, ``Origin`` and ``Sec-Fetch-Site`` headers.

A browser sends what any page asks for to 127.0.0.1 as well, and it lets a page read the answer if the page's own name
leads there ("DNS rebinding"). So what listens here for programs (the reverse port, the page of counters) answers only
to its own names: loopback, any address (a page cannot make one lead elsewhere), the name where it listens, and the
names that its user lists. A request without ``Host`` does not come from a browser. Values in, values out. Source:
Fetch, 3.2 (Origin); Fetch Metadata Request Headers, 2.3.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from wiretape.network.egress import canonical, is_here, is_named, literal

_HOST = re.compile(r"(\[[0-9a-fA-F:.]+(?:%[^\]\s]+)?\]|[^\s:/@\[\]?#]+)(?::\d{0,5})?")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(.+)", re.IGNORECASE)
_NAME = re.compile(r"(?:\*\.)?[^\s:/@*,\[\]]+")

MISDIRECTED = 421
FORBIDDEN = 403

type Headers = tuple[Sequence[bytes], bytes | None, bytes | None]
"""All ``Host`` headers, ``Origin`` and ``Sec-Fetch-Site``."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """Why a request is not answered."""

    status: int
    reason: str
    """A sentence for its sender, which tells what to do."""


@dataclass(frozen=True, slots=True)
class OwnNames:
    """The names by which a proxy may be asked."""

    names: tuple[str, ...] = ()
    """The names in the form of ``egress.is_named``."""

    def stranger(self, hosts: Sequence[str], origin: str | None, fetch_site: str | None) -> Stranger | None:
        """Return why a request with these headers is not answered; None where it is."""
        if len(hosts) > 1:
            return Stranger(MISDIRECTED, "there are several Host headers")
        host = None
        if hosts:
            host = _host(hosts[0])
        if hosts and not (host and self._is_own(host)):
            return Stranger(
                MISDIRECTED,
                "the Host header names no host of this proxy's: use its address, or list the name in wiretape_hosts",
            )
        if origin is not None:
            match = _ORIGIN.fullmatch(origin)
            page = None
            if match:
                page = _host(match[1])
            if page is None or not (page == host or is_here(page) or self._lists(page)):
                return Stranger(
                    FORBIDDEN, "a web page of another origin has no business here: list its host in wiretape_hosts"
                )
        elif fetch_site is not None and fetch_site.strip().lower() == "cross-site":
            return Stranger(FORBIDDEN, "a web page of another site has no business here")
        return None

    def _is_own(self, host: str) -> bool:
        return is_here(host) or literal(host) is not None or self._lists(host)

    def _lists(self, host: str) -> bool:
        return any(is_named(host, name) for name in self.names)


class Visits:
    """Judges the requests of one connection, most of which have the same headers as the one before."""

    def __init__(self, names: OwnNames) -> None:
        self._names = names
        self._last: Headers | None = None
        self._stranger: Stranger | None = None

    def stranger(self, hosts: Sequence[bytes], origin: bytes | None, fetch_site: bytes | None) -> Stranger | None:
        """Judge a request as ``OwnNames`` does, with its headers as they came."""
        headers = hosts, origin, fetch_site
        if headers != self._last:
            names = [host.decode("latin-1") for host in hosts]
            self._stranger = self._names.stranger(names, _text(origin), _text(fetch_site))
            self._last = headers
        return self._stranger


def _text(header: bytes | None) -> str | None:
    if header is None:
        return None
    return header.decode("latin-1")


@lru_cache(256)
def own_names(listed: str, listening: tuple[str, ...] = ()) -> OwnNames:
    """Return the names of a proxy: those of its option, such as ``proxy.example, *.corp.example``, and where it
    listens.

    Raises ValueError, which names the right form.
    """
    names = [name.strip() for name in listed.split(",") if name.strip()]
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} is no host's name: it is a list such as proxy.example,*.corp.example, without ports"
            )
    return OwnNames(tuple(canonical(name.removeprefix("*")) for name in (*names, *filter(None, listening))))


def _host(text: str) -> str | None:
    match = _HOST.fullmatch(text.strip())
    if not match:
        return None
    return canonical(match[1])
