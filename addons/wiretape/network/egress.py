"""Where a proxy may lead: a host and a port, and the addresses behind them -> whether, and why not.

A proxy that others may use stands inside of something: its own machine, a private network, a cloud with an address that
gives out credentials. With tokens, it leads to public addresses alone, and to the providers. Which addresses are public
is a table here, and not ``ipaddress.is_global``, whose answers differ between versions of Python.

A host has many spellings: ``API.OpenAI.com.``, ``127.1``, ``0x7f000001``, ``[::1%lo]``. ``canonical`` gives one of
them, and hosts are compared in that spelling. A name is judged by every address that it has:
``EgressPolicy.judge_name`` may answer that the addresses have to be known, and ``EgressPolicy.judge_address`` then
judges each. Values in, values out: nothing is resolved here. ``proxy.destinations`` does that, and connects to the
address that was judged.
"""

import ipaddress
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

from wiretape.exceptions import ConfigurationError

type Address = IPv4Address | IPv6Address

LOCALHOST = "localhost"

_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|[0-9]+")
"""A part of an IPv4 address as ``inet_aton`` reads it."""

_CLOSED_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            # Every machine in Azure reaches this public address, which gives out what is not public.
            "168.63.129.16/32",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
"""The addresses that are not public. Source: IANA's registry of special-purpose IPv4 addresses; multicast, reserved."""

_OPEN_V6 = IPv6Network("2000::/3")
"""All of IPv6 that is given out. Mapped and translated IPv4 (::ffff:0:0/96, 64:ff9b::/96), private, link-local and
multicast addresses are elsewhere.
"""

_CLOSED_V6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3ffe::/16", "3fff::/20")))
"""What of it is not public: addresses of protocols (of Teredo, for example), 6to4, examples. Source:
IANA's registry.
"""


_LONGEST = 255
"""How many characters a host may have. A longer one is not remembered."""


def canonical(host: str) -> str:
    """Return the one spelling of a host: lower case, ASCII, without brackets, zone and last dot, addresses in full.

    What is not a valid name is returned in lower case.
    """
    if len(host) > _LONGEST:
        return host.lower()
    return _canonical(host)


@lru_cache(4096)
def _canonical(host: str) -> str:
    text = host
    if host.startswith("[") and host.endswith("]"):
        text = host[1:-1]
    if ":" in text:
        try:
            address = IPv6Address(text.partition("%")[0])
        except ValueError:
            return text.lower()
        return str(address.ipv4_mapped or address)
    if not text.isascii():
        try:
            text = text.encode("idna").decode("ascii")
        except UnicodeError:
            return text.lower()
    text = text.lower().removesuffix(".")
    parts = text.split(".")
    if len(parts) <= 4 and all(map(_NUMBER.fullmatch, parts)):
        try:
            return socket.inet_ntoa(socket.inet_aton(text))
        except OSError:
            return text
    return text


def literal(host: str) -> Address | None:
    """Return the address that a host is, in whatever spelling, or None where it is a name."""
    if len(host) > _LONGEST:
        return _literal.__wrapped__(canonical(host))
    return _literal(canonical(host))


@lru_cache(4096)
def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_here(host: str) -> bool:
    """Tell whether a host is this machine, by its name or address alone."""
    address = literal(host)
    if address:
        return address.is_loopback or address.is_unspecified
    name = canonical(host)
    return name == LOCALHOST or name.endswith(f".{LOCALHOST}")


def is_named(host: str, name: str) -> bool:
    """Tell whether a host has a name, both canonical. A name with a dot before it stands for all that end so."""
    if name.startswith("."):
        return host.endswith(name)
    return host == name


def is_public(address: Address) -> bool:
    """Tell whether everybody on the internet can reach an address."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _CLOSED_V4)
    return address in _OPEN_V6 and not any(address in network for network in _CLOSED_V6)


# -- what is allowed ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EgressRule:
    """A line of ``allow``: a name, all names below one, or a network, with a port or without one."""

    name: str
    """The name in the form of ``is_named``; empty where it is a network."""
    network: IPv4Network | IPv6Network | None
    port: int | None

    def has_name(self, host: str, port: int) -> bool:
        """Tell whether the rule lists this host by its name."""
        if not self.name or self.port not in (None, port):
            return False
        return is_named(canonical(host), self.name)

    def has_address(self, address: Address, port: int) -> bool:
        """Tell whether the rule lists this address."""
        return self.network is not None and address in self.network and self.port in (None, port)


class Verdict(Enum):
    """What the name of a host tells."""

    OPEN = auto()
    CLOSED = auto()
    BY_ADDRESS = auto()
    """Each of its addresses has to be judged."""


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """Where a proxy leads. By default, that is everywhere, as for a proxy that only its own user uses."""

    is_guarded: bool = False
    """Whether others use it, with tokens. Then only public addresses are open."""
    allow: tuple[EgressRule, ...] = ()
    """What is open in any case."""
    allow_only: bool = False
    """Whether everything else is closed, except for the providers."""
    is_offline: bool = False
    """Whether everything is closed but this machine, the providers as well."""

    def is_open_provider(self, host: str, *, is_configured: bool) -> bool:
        """Tell whether the host of a provider is open, without looking at its address.

        A host that the team has configured is, wherever it is. The built-in ones at ports of this machine are closed to
        others: anything may listen there.
        """
        return is_configured or not self.is_guarded or not is_here(host)

    def judge_name(self, host: str, port: int, *, is_provider: bool) -> Verdict:
        """Return what the name of a host tells. ``is_open_provider`` explains ``is_provider``."""
        if self.is_offline:
            if is_here(host):
                return Verdict.OPEN
            return Verdict.CLOSED
        if is_provider or not (self.is_guarded or self.allow_only):
            return Verdict.OPEN
        if any(entry.has_name(host, port) for entry in self.allow):
            return Verdict.OPEN
        address = literal(host)
        if address and not self.judge_address(address, port):
            return Verdict.CLOSED
        if not self.allow_only or any(entry.network for entry in self.allow):
            return Verdict.BY_ADDRESS
        return Verdict.CLOSED

    def judge_address(self, address: Address, port: int) -> bool:
        """Tell whether it may be connected to one of the addresses of a host."""
        return self.lists(address, port) or (not self.allow_only and is_public(address))

    def lists(self, address: Address, port: int) -> bool:
        """Tell whether an address is open because it is listed."""
        return any(entry.has_address(address, port) for entry in self.allow)


OPEN = EgressPolicy()


# -- the configuration -------------------------------------------------------------------------------------------------


def parse(table: Mapping[str, Any]) -> tuple[tuple[EgressRule, ...], bool]:
    """Return ``allow`` and ``allow_only`` of the table ``[tunnels]``. ``wiretape.config`` has looked at keys and types.

    Raises ConfigurationError, with the path below the file.
    """
    try:
        allow = tuple(map(entry, table.get("allow", [])))
    except ValueError as e:
        raise ConfigurationError(str(e), ("tunnels", "allow")) from e
    return allow, table.get("allow_only", False)


_ENTRY = re.compile(
    r"\[(?P<bracketed>[0-9a-f:.]+)\](?P<bits6>/\d{1,3})?(?::(?P<port6>\d{1,5}))?"
    r"|(?P<host>[^\s:/\[\]*]+|\*\.[^\s:/\[\]*]+)(?P<bits>/\d{1,3})?(?::(?P<port>\d{1,5}))?"
    r"|(?P<bare>[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*(?:/\d{1,3})?)",
    re.IGNORECASE | re.ASCII,
)


def entry(text: str) -> EgressRule:
    """One line of ``allow``: ``HOST``, ``*.HOST``, an address or a network such as ``10.1.0.0/16``, each with ``:PORT``
    or not.

    Raises ValueError, which says what is right.
    """
    match = _ENTRY.fullmatch(text)
    if not match:
        raise ValueError(
            f'{text!r} is none: it is a host, "*.corp.example", an address or a network such as "10.1.0.0/16"; with a '
            'port "10.0.0.5:8000", "[fd00::5]:8000"'
        )
    digits = match["port6"] or match["port"]
    port = int(digits) if digits else None
    if port is not None and not 0 < port < 65536:
        raise ValueError(f"{text!r} has no port: it is a number from 1 to 65535")
    if match["bare"] or match["bracketed"]:
        return EgressRule("", _network(text, match["bare"] or match["bracketed"] + (match["bits6"] or "")), port)
    host = match["host"]
    if match["bits"] or literal(host):
        return EgressRule(
            "", _network(text, (host if match["bits"] else canonical(host)) + (match["bits"] or "")), port
        )
    return EgressRule(canonical(host.removeprefix("*")), None, port)


def _network(text: str, spelled: str) -> IPv4Network | IPv6Network:
    try:
        return ipaddress.ip_network(spelled)
    except ValueError as e:
        raise ValueError(f"{text!r} is no network: {e}") from e
