"""What HTTP/1.1 and HTTP/2 have in common: a connection, and one exchange on it."""

import asyncio
import fcntl
import socket
import struct
import termios
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from loopback.answers import Answer

if TYPE_CHECKING:
    from loopback.provider import Provider


class ClientLeftError(Exception):
    """The client went away before its answer was whole."""


class Exchange(ABC):
    """One request, and the means to answer it."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()

    @abstractmethod
    def head(self, answer: Answer, headers: Sequence[tuple[str, str]]) -> None:
        """Send status and headers."""

    @abstractmethod
    def interim(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        """Send an answer that only goes before the answer."""

    @abstractmethod
    async def data(self, data: bytes) -> None:
        """Send one chunk, and wait until it has left."""

    @abstractmethod
    def end(self) -> None:
        """End the framing."""

    @abstractmethod
    async def reset(self, *, stream_only: bool) -> None:
        """Break off hard, after what was sent has arrived."""

    @abstractmethod
    def close(self) -> None:
        """Break off with an orderly close of the connection."""


class Line(asyncio.Protocol):
    """One connection: the transport, its write buffer and its end."""

    transport: asyncio.Transport

    def __init__(self, provider: "Provider") -> None:
        self.provider = provider
        self.lost = asyncio.Event()
        self.writable = asyncio.Event()
        self.writable.set()
        self.sni = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        # "Has left" is to mean: given to the kernel. So the buffer counts as full with its first byte.
        self.transport.set_write_buffer_limits(high=1, low=0)
        self.sni = getattr(transport.get_extra_info("ssl_object"), "sni", None) or ""
        self.provider.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()
        self.writable.set()
        self.provider.closed(self)

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def write(self, data: bytes) -> None:
        """Write, unless the client is gone."""
        if data and not self.transport.is_closing():
            self.transport.write(data)

    async def reset(self) -> None:
        """Close with a TCP RST."""
        if self.transport.is_closing():
            return
        connection = self.transport.get_extra_info("socket")
        # A RST overtakes what the kernel has not sent yet: first let the peer's kernel have it all. No event says so.
        while not self.transport.is_closing() and _unacknowledged(connection):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        if not self.transport.is_closing():
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()


def _unacknowledged(connection: socket.socket) -> int:
    try:
        (count,) = struct.unpack("i", fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, b"\0" * 4))
    except OSError:
        # Not told by every kernel.
        return 0
    return int(count)
