"""The port that all clients come to, and what shares its connections out among the workers.

``haproxy``: HAProxy accepts connections on a socket that is open before it starts and while it is started again, so no
client is refused meanwhile. ``reuseport``: each worker listens on the port itself, and the kernel chooses one.
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
"""How many connections may wait to be accepted."""

_PORTS = range(20000, 32000)
"""The ports on which workers may listen. They are below the ephemeral ports of every system, any of which an outgoing
connection may take for a while, even one to that very port on the same machine.
"""

_CONNECTIONS = 20_000


class Balance(StrEnum):
    """What shares the connections out."""

    HAPROXY = "haproxy"
    REUSEPORT = "reuseport"


def parse_balance(text: str) -> Balance:
    """Return the balance with this name. Raises ValueError, which names the right ones."""
    try:
        return Balance(text)
    except ValueError:
        raise ValueError(f"{text!r} is no balance: there are {', '.join(Balance)}") from None


def has_haproxy() -> bool:
    """Tell whether HAProxy is installed."""
    return haproxy() is not None


def haproxy() -> str | None:
    """Return the path of HAProxy, or None. Debian has it in a folder that is not on the path of every user."""
    return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")


def has_reuseport() -> bool:
    """Tell whether the kernel shares connections out. Elsewhere, the last process that listens gets them all."""
    return sys.platform == "linux" and hasattr(socket, "SO_REUSEPORT")


def listen(address: Address, balance: Balance) -> socket.socket:
    """Return a socket that holds the port from now on. Raises OSError.

    For HAProxy, it listens. For the kernel, it is only bound: it keeps the port while no worker is up, and gets no
    connections.
    """
    family, _, _, _, target = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(target)
        if balance is Balance.HAPROXY:
            listener.listen(BACKLOG)
            return listener
        # Now it is known that nobody else listens there: with this option alone we would share another team's port.
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
    """Return so many ports on the loopback address on which nobody listens."""
    ports: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HERE, port))
            except OSError:
                continue
        ports.append(port)
        if len(ports) == count:
            return ports
    raise OSError(errno.EADDRINUSE, "no free port for a worker")


def configuration(descriptor: int, workers: Mapping[str, int]) -> str:
    """Return the configuration of HAProxy, given the descriptor of the socket, and the ports of the workers by name."""
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
    # A connection takes two descriptors. HAProxy does not start where it cannot have as many as it is told.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return _CONNECTIONS
    return max(100, min(_CONNECTIONS, most // 2 - 100))
