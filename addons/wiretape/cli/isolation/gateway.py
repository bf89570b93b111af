"""The way out: each connection of the command's arrives here with its target, and is led to the proxy or to a server.

    the command ── TCP ──> listener inside, accepted here ──┬── CONNECT target ──> the proxy, in this process
                                                            └── bytes ──> a server that --allow names

A program that reads proxy variables connects to the proxy's own address, and is its client as without isolation. Of
any other program the proxy sees a client that has asked for a tunnel to the target, though it did not: the CONNECT is
put before its first byte, and the answer is taken out. So all that holds for tunnels holds for it: which hosts are
opened, where the proxy may lead, by way of which other proxy.

A target is an address; where the name server inside has given it to a name, the name stands in its place.
"""

import asyncio
import contextlib
import logging
import re
import socket
import struct
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from functools import partial
from typing import Any

from wiretape.cli.isolation.local_servers import Allowed
from wiretape.cli.isolation.names import Names
from wiretape.network import egress
from wiretape.network.address import Address

logger = logging.getLogger(__name__)

_END = b"\r\n\r\n"
_LONGEST_HEAD = 65536

_WAITING = 1024
"""Connections that may wait to be accepted."""

_BITE = 65536

_TOLD = 20
"""Targets at most that are told of: a program may try for ever."""

type Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Way(Enum):
    """Where a connection is led."""

    PROXY = auto()
    DIRECT = auto()
    NOWHERE = auto()


def way_to(target: Address, *, is_provider: bool, allowed: Allowed) -> Way:
    """Decide about a target. What is a provider's is never led past the proxy."""
    if is_provider:
        return Way.PROXY
    if allowed.reaches(target.host, target.port):
        return Way.DIRECT
    if egress.is_here(target.host):
        return Way.NOWHERE
    return Way.PROXY


_HOST = re.compile(rb"\r\nhost:[ \t]*([a-z0-9._:\[\]-]+)[ \t]*\r\n", re.IGNORECASE)


def as_called(head: bytes, target: Address) -> Address:
    """Return a target on this machine by the name that a request calls it by: recordings tell the names apart."""
    found = _HOST.search(head)
    if not found:
        return target
    host, _, port = found[1].decode("ascii").rpartition(":")
    called = Address(host.strip("[]"), target.port)
    if port == str(target.port) and egress.is_here(called.host):
        return called
    return target


class AnnouncedReader(asyncio.StreamReader):
    """Reads what was announced in the command's place, piece by piece, and then what it sends."""

    def __init__(self, limit: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit=limit, loop=loop)
        self._announced: list[bytes] = []

    def announce(self, *pieces: bytes) -> None:
        """Have these read first."""
        self._announced += filter(None, pieces)

    async def read(self, n: int = -1) -> bytes:
        """Read up to ``n`` bytes, or a piece."""
        if self._announced:
            return self._announced.pop(0)
        return await super().read(n)


class AnnouncedWriter(asyncio.StreamWriter):
    """Writes all but the answer to what was announced. An answer that refuses it ends the connection."""

    _head: bytes | None = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write, once the answer was there."""
        if self._head is None:
            super().write(data)
            return
        head, end, rest = (self._head + bytes(data)).partition(_END)
        if not end and len(head) <= _LONGEST_HEAD:
            self._head = head
        elif head.split(b" ", 2)[1:2] == [b"200"]:
            self._head = None
            super().write(rest)
        else:
            reset(self)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return as the name of the socket one of this machine: that of the target is told in the CONNECT."""
        if name == "sockname":
            return "127.0.0.1", 0
        return super().get_extra_info(name, default)


class Gateway:
    """Leads connections on."""

    def __init__(
        self,
        names: Names,
        allowed: Allowed,
        knows: Callable[[str, int], bool],
        proxy: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
        proxy_port: int,
        *,
        control_port: int = 0,
    ) -> None:
        """``knows`` tells whether a host is a provider's; ``proxy`` serves a client until it is gone.

        ``control_port`` is that of the proxy's API, which is reached whatever is allowed; 0 where there is none.
        """
        self._names = names
        self._allowed = allowed
        self._knows = knows
        self._proxy = proxy
        self._own = Address("127.0.0.1", proxy_port)
        self._control = Address("127.0.0.1", control_port)
        self._servers: list[asyncio.Server] = []
        self._told: set[Address] = set()

    async def serve(self, listener: socket.socket) -> None:
        """Accept connections from now on."""
        loop = asyncio.get_running_loop()
        factory = partial(_protocol, loop, self._arrived)
        self._servers.append(await loop.create_server(factory, sock=listener, backlog=_WAITING))

    def close(self) -> None:
        """Accept no more."""
        for server in self._servers:
            server.close()

    def target(self, address: tuple[str, int]) -> Address:
        """Return where a connection is to go."""
        host, port = address
        return Address(self._names.name(host.partition("%")[0]), port)

    async def _arrived(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = self.target(writer.get_extra_info("sockname")[:2])
        if target == self._own:
            await self._proxy(reader, writer)
            return
        if target == self._control:
            await self._direct(target, (reader, writer))
            return
        is_provider = self._knows(target.host, target.port)
        match way_to(target, is_provider=is_provider, allowed=self._allowed):
            case Way.PROXY:
                await self._to_proxy(target, reader, writer)
            case Way.DIRECT:
                await self._direct(target, (reader, writer))
            case Way.NOWHERE:
                self._tell(target, "refused")
                reset(writer)

    async def _to_proxy(self, target: Address, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert isinstance(reader, AnnouncedReader)
        sent = b""
        if egress.is_here(target.host):
            sent = await _head(reader)
            target = as_called(sent, target)
        reader.announce(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode(), sent)
        transport = writer.transport
        loop = asyncio.get_running_loop()
        await self._proxy(reader, AnnouncedWriter(transport, transport.get_protocol(), reader, loop))

    async def _direct(self, target: Address, streams: Streams) -> None:
        try:
            server = await asyncio.open_connection(target.host, target.port)
        except OSError as e:
            self._tell(target, f"failed: {e.strerror or e}")
            reset(streams[1])
            return
        await relay(streams, server)

    def _tell(self, target: Address, how: str) -> None:
        if target not in self._told and len(self._told) < _TOLD:
            self._told.add(target)
            logger.warning("isolated: a connection to %s %s", target, how)


async def relay(one: Streams, other: Streams) -> None:
    """Carry bytes both ways until both have ended. Where one breaks off, so does the other."""
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_carry(one[0], other[1]))
            group.create_task(_carry(other[0], one[1]))
    except* OSError:
        reset(one[1])
        reset(other[1])
    finally:
        for _, writer in (one, other):
            writer.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_BITE):
        writer.write(data)
        await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()


def reset(writer: asyncio.StreamWriter) -> None:
    """Break a connection off, so that its other end sees an error and no end."""
    underlying = writer.transport.get_extra_info("socket")
    if underlying is not None and not writer.transport.is_closing():
        underlying.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _protocol(
    loop: asyncio.AbstractEventLoop,
    arrived: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> asyncio.StreamReaderProtocol:
    reader = AnnouncedReader(limit=_BITE, loop=loop)
    return asyncio.StreamReaderProtocol(reader, arrived, loop=loop)


async def _head(reader: asyncio.StreamReader) -> bytes:
    """Read the head of a request, and what comes with it."""
    head = bytearray()
    looked = 0
    while head.find(_END, looked) < 0 and len(head) <= _LONGEST_HEAD:
        looked = max(0, len(head) - len(_END))
        data = await reader.read(_BITE)
        if not data:
            break
        head += data
    return bytes(head)
