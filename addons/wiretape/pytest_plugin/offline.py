"""Nothing of this process leaves the machine: for ``--wiretape-offline``. What goes past the proxy is stopped here.

Python tells what it is about to do with sockets (``sys.addaudithook``), whichever library asks it to. A name that is no
address is not looked up, and no connection is opened, unless it is of this machine. Programs that the test starts are
not watched so: they go by the proxy, which leads nowhere else either.
"""

import socket
import sys

from wiretape.network.address import Address

_NAMES = frozenset({"", "localhost", "localhost.localdomain", "ip6-localhost", socket.gethostname().lower()})

_LOOKED_UP = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
_SENT_TO = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})


class OfflineError(ConnectionRefusedError):
    """Something was to leave the machine."""


class Offline:
    """Stops what would leave the machine, from its making to ``end``, and keeps what it was."""

    def __init__(self) -> None:
        self._is_on = True
        self._tried: dict[str, None] = {}
        # A hook cannot be taken back: it can only be told to let everything pass.
        sys.addaudithook(self._watch)

    def end(self) -> None:
        """Let everything pass from now on."""
        self._is_on = False

    def tried(self) -> list[str]:
        """Return the hosts to which something was to go since this was asked last."""
        tried = [*self._tried]
        self._tried.clear()
        return tried

    def _watch(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self._is_on or not event.startswith("socket."):
            return
        host: object = None
        if event in _LOOKED_UP:
            host = arguments[0]
        elif event in _SENT_TO:
            # Of a socket that is no network's it is a path.
            address = arguments[-1]
            host = address[0] if isinstance(address, tuple) and address else None
        if host is None or _is_here(host):
            return
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
        self._tried[name] = None
        raise OfflineError(f"wiretape: --wiretape-offline: {name} is not this machine")


def _is_here(host: object) -> bool:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    return name.lower() in _NAMES or Address(name, 0).is_loopback
