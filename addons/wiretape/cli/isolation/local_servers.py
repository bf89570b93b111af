"""Which ports of this machine the command may reach from inside, and which of them somebody listens on.

The kernel lists the sockets of a network in ``/proc/net/tcp`` and ``tcp6``. Text in, values out.
"""

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from wiretape.network import egress
from wiretape.network.egress import LOCALHOST, EgressRule

_V4 = ip_address("127.0.0.1")
_V6 = ip_address("::1")

_LISTENING = "0A"

_NAME_SERVERS = frozenset({53, 853})
"""Ports of a name server, which would ask others. They are reached only where they are named."""

_ANY = {"00000000", "0" * 32}
_LOOPBACK = {"0100007F", "00000000000000000000000001000000"}
_ANY_V6 = "0" * 32


@dataclass(frozen=True, slots=True)
class Allowed:
    """What ``--allow`` says."""

    rules: tuple[EgressRule, ...]
    texts: tuple[str, ...] = ()
    """As they were given."""

    def reaches(self, host: str, port: int) -> bool:
        """Tell whether the command may be led there, past the proxy."""
        if egress.is_here(host):
            return self.reaches_port(port)
        address = egress.literal(host)
        if address:
            return any(rule.has_address(address, port) for rule in self.rules)
        return any(rule.has_name(host, port) for rule in self.rules)

    def reaches_port(self, port: int) -> bool:
        """Tell whether the command may reach a port of this machine."""
        if port in _NAME_SERVERS:
            return port in self.named_ports
        return any(rule.has_name(LOCALHOST, port) or _is_loopback(rule, port) for rule in self.rules)

    @property
    def named_ports(self) -> frozenset[int]:
        """The ports of this machine that are named: they are open whether or not anybody listens there by now."""
        return frozenset(
            rule.port
            for rule in self.rules
            if rule.port and (rule.has_name(LOCALHOST, rule.port) or _is_loopback(rule, rule.port))
        )


def parse(texts: Collection[str]) -> Allowed:
    """Parse the values of ``--allow``: each a host, an address or a network, with a port or without one, or ``none``.

    Raises ValueError, which tells what is right.
    """
    given = tuple(text for text in texts if text != "none")
    return Allowed(tuple(map(egress.entry, given)), given)


def listening() -> tuple[frozenset[int], frozenset[int]]:
    """Return the ports on which somebody listens at 127.0.0.1, and at ::1."""
    return listed(_read("tcp"), _read("tcp6"))


def listed(tcp: str, tcp6: str) -> tuple[frozenset[int], frozenset[int]]:
    """Return the ports that the kernel's two lists tell of."""
    v4 = set()
    v6 = set()
    for address, port in _sockets(tcp):
        if address in _ANY | _LOOPBACK:
            v4.add(port)
    for address, port in _sockets(tcp6):
        if address in _ANY | _LOOPBACK:
            v6.add(port)
        if address == _ANY_V6:  # Nearly all of these take connections of IPv4, too.
            v4.add(port)
    return frozenset(v4), frozenset(v6)


def _sockets(text: str) -> list[tuple[str, int]]:
    found = []
    for line in text.splitlines()[1:]:
        words = line.split(maxsplit=4)
        if len(words) > 3 and words[3] == _LISTENING:
            address, _, port = words[1].partition(":")
            found.append((address, int(port, 16)))
    return found


def _read(name: str) -> str:
    try:
        return Path("/proc/net", name).read_text("ascii")
    except OSError:
        return ""


def _is_loopback(rule: EgressRule, port: int) -> bool:
    return rule.has_address(_V4, port) or rule.has_address(_V6, port)
