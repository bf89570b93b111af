"""Where something listens: ``HOST:PORT`` <-> values."""

import ipaddress
from dataclasses import dataclass

HERE = "127.0.0.1"

VERSION_HEADER = "x-wiretape"
"""The header in which a proxy tells who asks for its CA that it is ours, and of which version."""


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a TCP port. Port 0 means any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        if ":" in self.host:
            return f"[{self.host}]:{self.port}"
        return f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it. ``0.0.0.0`` and ``::`` are all interfaces, so they are not."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost" or self.host.lower().endswith(".localhost")


def parse(text: str) -> Address:
    """Parse ``HOST:PORT``, or ``PORT`` alone for this machine. Raises ValueError, which tells what is right."""
    host, colon, port = text.strip().rpartition(":")
    if host.startswith("["):
        host = host.removeprefix("[").removesuffix("]")
    # isdecimal alone would accept the digits of other scripts.
    is_port = port.isascii() and port.isdecimal() and int(port) < 65536
    bare_ipv6 = ":" in host and not text.strip().startswith("[")
    if not is_port or bare_ipv6 or (colon and not host) or any(char.isspace() for char in host):
        raise ValueError(f"{text!r} is no address: it is HOST:PORT, [IPV6]:PORT, or PORT alone for {HERE}")
    return Address(host or HERE, int(port))
