"""The port that all clients come to, and what shares its connections out among the workers. Before the workers.

``haproxy``: HAProxy accepts on a socket that is open before it starts and while it is started again, so that no client
is refused meanwhile. ``reuseport``: each worker listens on the port itself, and the kernel chooses.
Source: HAProxy's Configuration Manual 2.6, sections 4.2 (``bind fd@``, ``option redispatch``) and 5.2 (``observe``).
"""

import errno
import random
import resource
import shutil
import socket
import sys
from collections.abc import Mapping
from enum import StrEnum

from wiretape.network.address import HERE, Address

INSTALL = "apt install haproxy, dnf install haproxy, apk add haproxy or brew install haproxy"

BACKLOG = 1024
"""Connections that may wait to be accepted."""

_PORTS = range(20000, 32000)
"""Where workers listen: below every system's ephemeral ports, which any outgoing connection may take for a while, even
one to that very port on the same machine."""

_CONNECTIONS = 20_000


class Balance(StrEnum):
    """What shares connections out."""

    HAPROXY = "haproxy"
    REUSEPORT = "reuseport"


def parse_balance(text: str) -> Balance:
    """Raises ValueError, which names the right values."""
    try:
        return Balance(text)
    except ValueError:
        raise ValueError(f"{text!r} is no balance: there are {', '.join(Balance)}") from None


def has_haproxy() -> bool:
    """Whether HAProxy is on the path."""
    return haproxy() is not None


def haproxy() -> str | None:
    """The program, where it is. Debian has it in a folder that is not on every user's path."""
    return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")


def has_reuseport() -> bool:
    """Whether the kernel shares connections out: elsewhere the option exists, but the last to listen gets them all."""
    return sys.platform == "linux" and hasattr(socket, "SO_REUSEPORT")


def listen(address: Address, balance: Balance) -> socket.socket:
    """The port, held from now on. Raises OSError.

    For HAProxy it listens. For the kernel it is only bound: it keeps the port while no worker is up, and gets nothing.
    """
    family, _, _, _, target = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(target)
        if balance is Balance.HAPROXY:
            listener.listen(BACKLOG)
            return listener
        # Nobody else listens there. Only now: with this option on we would share the port with another team's workers.
        target = listener.getsockname()
        listener.close()
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(target)
    except OSError:
        listener.close()
        raise
    return listener


def free_ports(count: int) -> list[int]:
    """As many ports on this machine's own address that nobody listens on."""
    found: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HERE, port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise OSError(errno.EADDRINUSE, "no free port for a worker")


def configuration(descriptor: int, workers: Mapping[str, int]) -> str:
    """HAProxy's configuration: from the listening socket's descriptor and the workers' ports, by their names."""
    servers = "\n".join(f"    server {name} {HERE}:{port}" for name, port in workers.items())
    return f"""\
global
    maxconn {_connections()}

defaults
    mode tcp
    # A tunnel may be silent while a model thinks. Both ends notice with keep-alives when the other one has vanished.
    timeout connect 2s
    timeout client 1h
    timeout server 1h
    option clitcpka
    option srvtcpka
    # A worker that has just died refuses: the next one gets the connection, and the client notices nothing.
    retries 3
    option redispatch 1

frontend clients
    bind fd@{descriptor}
    default_backend workers

backend workers
    balance leastconn
    # A refused connection tells of a death at once, so checks are for those that are down. mitmproxy logs each check.
    default-server check inter 30s fastinter 500ms downinter 500ms fall 1 rise 1 observe layer4 error-limit 1 \
on-error mark-down
{servers}
"""


def _connections() -> int:
    # Two descriptors each. HAProxy does not start where it cannot have as many as it is told.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return _CONNECTIONS
    return max(100, min(_CONNECTIONS, most // 2 - 100))
