"""A command in isolation: the namespaces, what is served to them, and the command that runs there."""

import asyncio
import contextlib
import logging
import socket
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from wiretape.cli.embedded import Proxy
from wiretape.cli.isolation import local_servers, netlink, rules
from wiretape.cli.isolation.gateway import Gateway
from wiretape.cli.isolation.local_servers import Allowed
from wiretape.cli.isolation.names import Names
from wiretape.cli.isolation.namespaces import Namespaces, Sockets
from wiretape.cli.isolation.refused import Refused

logger = logging.getLogger(__name__)

_AGAIN = 0.25
"""Seconds after which it is looked again on which ports of this machine somebody listens: no event tells it."""

_COMMON = frozenset({3000, 8000, 8080})
"""Ports of providers on this machine at which programs of all kinds listen: open only while somebody does."""


class IsolatedCommand:
    """A process in namespaces of its own that is about to become the command."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces

    async def start(
        self, program: str, arguments: Sequence[str], environ: Mapping[str, str], mounts: Iterable[tuple[str, str]]
    ) -> Process:
        """Run the program. Raises OSError where that cannot be, and IsolationError."""
        await self._namespaces.run(program, arguments, environ, mounts)
        return self._namespaces.process


@asynccontextmanager
async def isolated(proxy: Proxy, allowed: Allowed) -> AsyncIterator[IsolatedCommand]:
    """Give a command that is isolated, whose way out is ``proxy``, until its connections are done.

    Raises IsolationError where this system does not let it be.
    """
    namespaces = await Namespaces.entered()
    sockets = namespaces.sockets
    loop = asyncio.get_running_loop()
    names = Names(socket.gethostname())
    gateway = Gateway(names, allowed, proxy.knows, proxy.serve, proxy.port, control_port=proxy.control_port)
    answering, _ = await loop.create_datagram_endpoint(lambda: _NameServer(names), sock=sockets.names)
    refused = Refused(names.name)
    loop.add_reader(sockets.log, _tell, sockets.log, refused)
    for listener in sockets.gateways:
        await gateway.serve(listener)
    own = {proxy.port, proxy.control_port} - {0}
    ports = _OpenPorts(sockets, allowed, proxy.local_ports() - _COMMON | own)
    ports.look()
    looking = asyncio.create_task(ports.keep_looking())
    try:
        yield IsolatedCommand(namespaces)
    finally:
        looking.cancel()
        loop.remove_reader(sockets.log)
        _tell(sockets.log, refused)
        answering.close()
        gateway.close()
        await namespaces.close()


class _NameServer(asyncio.DatagramProtocol):
    """Answers who asks for names inside."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._names.answer(data)
        if answer:
            self._transport.sendto(answer, addr)


class _OpenPorts:
    """Keeps the ports of this machine that lead out of the namespaces while nobody listens on them inside."""

    def __init__(self, sockets: Sockets, allowed: Allowed, always: frozenset[int]) -> None:
        self._sockets = sockets
        self._allowed = allowed
        self._always = always | allowed.named_ports
        self._open: dict[socket.AddressFamily, frozenset[int]] = {}

    def look(self) -> None:
        """Open the ports on which somebody listens outside, and close those on which nobody does any more."""
        families = [each.family for each in self._sockets.gateways]
        for family, listening in zip(families, local_servers.listening(), strict=False):
            wanted = self._always | {port for port in listening if self._allowed.reaches_port(port)}
            known = self._open.get(family, frozenset())
            if wanted != known:
                netlink.tell(self._sockets.filter, *rules.ports(family, wanted - known, known - wanted))
                self._open[family] = wanted

    async def keep_looking(self) -> None:
        """Look now and then."""
        while True:
            await asyncio.sleep(_AGAIN)
            self.look()


def _tell(log: socket.socket, refused: Refused) -> None:
    with contextlib.suppress(BlockingIOError):
        while data := log.recv(65536):
            for line in refused.lines(data):
                logger.warning("%s", line)
