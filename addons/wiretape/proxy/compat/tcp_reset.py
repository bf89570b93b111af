"""A client's connection reset, cut, closed or widened from a hook: what no command of a proxy layer can do."""

import asyncio
import socket
import struct
import sys
from collections import defaultdict
from collections.abc import Hashable
from typing import Any

from mitmproxy import connection, ctx

if sys.platform != "win32":
    import fcntl
    import termios

STREAMS = 250
"""Requests that a client of HTTP/2 may have under way on one connection: as many as Go's servers allow."""

_LIMIT = 2.0
"""Seconds that a client has to take what was sent before the reset."""


def abort(client: connection.Client) -> None:
    """Close the connection at once: of what has not left yet its client gets nothing.

    mitmproxy then closes those that it had opened for it.
    """
    transport = _transport(client)
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


async def reset(client: connection.Client) -> None:
    """Reset the connection, after what was sent has arrived. One without a socket of its own stays as it is."""
    transport = _transport(client)
    underlying = transport.get_extra_info("socket") if transport else None
    if not isinstance(transport, asyncio.WriteTransport) or underlying is None:
        return
    until = asyncio.get_running_loop().time() + _LIMIT
    # A reset overtakes what has not arrived yet. No event says when it has.
    while not transport.is_closing() and (transport.get_write_buffer_size() or _unacknowledged(underlying)):
        if asyncio.get_running_loop().time() > until:
            break
        await asyncio.sleep(0.001)
    if not transport.is_closing():
        # To linger for no time is, for TCP, to reset.
        underlying.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


def close(client: connection.Client) -> None:
    """Close the connection, with nobody asking for it."""
    streams = streams_of(client, client)
    if streams and streams.handler:
        handler_of(client).close_connection(client)


def let_go(client: connection.Client) -> None:
    """Close what mitmproxy has left open of a connection that it is done with.

    It does so where it closes a connection in the moment in which something comes from it: the client would wait until
    the memory is tidied up.
    """
    streams = streams_of(client, client)
    if streams and streams.writer:
        streams.writer.close()


def allow_streams(client: connection.Client) -> None:
    """Let as many connections be opened at once for a client as it may have requests: mitmproxy opens five."""
    if handler := handler_of(client):
        handler.max_conns = defaultdict[Hashable, asyncio.Semaphore](lambda: asyncio.Semaphore(STREAMS))


def streams_of(client: connection.Client, of: connection.Connection) -> Any:
    """What mitmproxy reads and writes with on a connection of a client's, or his own; None where that is closed."""
    handler = handler_of(client)
    return handler and handler.transports.get(of)


def handler_of(client: connection.Client) -> Any:
    """What mitmproxy serves a client with; None where it is done with it."""
    return ctx.master.addons.get("proxyserver").connections.get(client.id)


def _transport(client: connection.Client) -> asyncio.BaseTransport | None:
    streams = streams_of(client, client)
    return getattr(streams.writer, "transport", None) if streams else None


def _unacknowledged(underlying: Any) -> int:
    if sys.platform == "win32":
        return 0
    try:
        (count,) = struct.unpack("i", fcntl.ioctl(underlying.fileno(), termios.TIOCOUTQ, b"\0" * 4))
    except OSError:
        return 0  # Not told by every kernel.
    return int(count)
