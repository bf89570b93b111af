"""How much of a connection is read at once: what is dealt with in a moment. Beside ``connections``.

mitmproxy reads up to 64 kB and deals with all of it before anybody else has his turn, and with the next 64 kB too,
where they are there already. That is nothing for a large body. Of chunks or frames of one byte each it is thousands of
events, and everybody waits for a second. So a connection whose bytes take long is read in smaller bites, and the
others have their turn in between; one whose bytes do not is read in larger ones again.
"""

import asyncio
import time

from mitmproxy import connection

from wiretape.proxy.compat import tcp_reset

_SMALL = 2048
"""Bytes that cannot take long, where no more are there: not measured, as they are most of what there is."""

_FIRST = 16 * 1024
"""Bytes of a connection's first bite: what TLS has in one record."""

_MOST = 64 * 1024

_LONG = 0.01
"""Seconds of the thread's time after which the others have their turn."""


class SteadyReader:
    """Stands in for a connection's reader."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._bite = _FIRST
        self._since = 0.0
        """When the bytes were given that are dealt with now, or were last."""
        self._took = 0.0
        """Seconds for which nobody else has had his turn since then."""
        self._turn: asyncio.Handle | None = None
        """Called as soon as anybody else has his turn."""

    async def read(self, size: int) -> bytes:
        """As the reader's. Whoever calls this is done with what it gave before."""
        if self._since:
            await self._judge()
        data = await self._reader.read(min(size, self._bite))
        if len(data) >= _SMALL and self._turn is None:
            self._since = time.thread_time()
            self._turn = asyncio.get_running_loop().call_soon(self._others_have_their_turn)
        return data

    async def _judge(self) -> None:
        took = self._took if self._turn is None else time.thread_time() - self._since
        if took > _LONG:
            self._bite = max(_SMALL, self._bite // 2)
            if self._turn:
                await asyncio.sleep(0)
        elif self._turn is None:
            self._bite = min(_MOST, self._bite * 2)
        if self._turn is None:
            self._since = 0.0

    def _others_have_their_turn(self) -> None:
        self._took = time.thread_time() - self._since
        self._turn = None


def steady(client: connection.Client, of: connection.Connection) -> None:
    """Have a connection of a client's, or his own, read in bites that hold nobody up."""
    streams = tcp_reset.streams_of(client, of)
    if streams and isinstance(streams.reader, asyncio.StreamReader):
        streams.reader = SteadyReader(streams.reader)
