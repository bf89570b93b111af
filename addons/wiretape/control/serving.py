"""Serves an app at a socket that listens, until it is told to end. Beside ``app`` the only one that knows uvicorn.

No client holds up another one, nor the end: who sends the head of a request piece by piece, or does not read what it
asked for, is given up. Requests are read by h11, which is strict and bounded.
"""

import asyncio
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

_STALLED = 10.0
"""Seconds in which the head of a request has to come."""

_UNREAD = 30.0
"""Seconds for which an answer waits for a client that does not read."""

_KEPT = 75
"""Seconds for which a connection is kept on which nothing is asked."""

_MOST = 256
"""Connections at a time: a request on another one is answered 503."""

_PATIENCE = 1
"""Seconds that an end waits for requests under way."""

_ACCEPTED = 0.01
"""Seconds in which a connection that was accepted is known to the server."""

_AT_ONCE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""How a socket is told to end at once."""

type App = Callable[[Any, Any, Any], Awaitable[None]]

STOPPING = "wiretape.stopping"
"""Where an app finds, in ``state`` of a request, the event that says that all ends."""


class _Protocol(H11Protocol):
    """The server's side of a connection, with an end to patience."""

    _deadline: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for timer in (self._deadline, self._reading):
            if timer:
                timer.cancel()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reading = self.loop.call_later(_UNREAD, self._give_up)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reading:
            self._reading.cancel()

    def _watch(self) -> None:
        """Have an end to the patience while a head is awaited, and none once it has come."""
        is_serving = self.cycle is not None and not self.cycle.response_complete
        if is_serving and self._deadline:
            self._deadline.cancel()
            self._deadline = None
        elif not is_serving and self._deadline is None:
            self._deadline = self.loop.call_later(_STALLED, self._give_up)

    def _give_up(self) -> None:
        """Break the connection off: what is not read is kept nowhere, neither here nor in the system."""
        connection = self.transport.get_extra_info("socket")
        if connection is not None and not self.transport.is_closing():
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()


class _Server(uvicorn.Server):
    """Waits for its end without looking at the clock ten times a second."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        # Who was accepted a moment ago is among the connections then.
        await asyncio.sleep(_ACCEPTED)
        await super().shutdown(sockets)
        for connection in [*self.server_state.connections]:
            connection.transport.abort()
        await asyncio.sleep(0)


def serve(app: App, listener: socket.socket, ending: socket.socket) -> None:
    """Serve until something can be read from ``ending``."""
    # It is the loop that can wait for a socket on every system.
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(_serve(app, listener, ending))


async def _serve(app: App, listener: socket.socket, ending: socket.socket) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        loop.remove_reader(ending)
        stopping.set()

    loop.add_reader(ending, end)

    async def told(scope: Any, receive: Any, send: Any) -> None:
        scope["state"][STOPPING] = stopping
        await app(scope, receive, send)

    config = uvicorn.Config(
        told,
        http=_Protocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        headers=[("server", "wiretape")],
        limit_concurrency=_MOST,
        timeout_keep_alive=_KEPT,
        timeout_graceful_shutdown=_PATIENCE,
    )
    await _Server(config, stopping).serve(sockets=[listener])
