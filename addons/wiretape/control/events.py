"""Calls as they come, as Server-Sent Events. Between ``api``, which is asked for what is new, and ``app``.

Nothing waits in a queue: each stream has a place in the log, and looks from there on when its client has read what it
was sent. So a slow client holds up nobody and costs no memory, and misses nothing that the log still has. Source:
WHATWG HTML, 9.2.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress

from wiretape.call_log import call as calls_log
from wiretape.call_log.call import Call

AGAIN = 0.2
"""Seconds from one look for what is new to the next."""

SILENCE = 15.0
"""Seconds after which a client is told that the stream is alive."""

ALIVE = b": alive\n\n"


async def stream[Place](
    look: Callable[[Place], Awaitable[tuple[Sequence[Call], Place]]],
    place: Place,
    stopping: asyncio.Event,
    *,
    again: float = AGAIN,
    silence: float = SILENCE,
) -> AsyncIterator[bytes]:
    """Yield the events of a stream from a place on, until ``stopping``. ``look`` returns what is new, and the place
    after it.
    """
    loop = asyncio.get_running_loop()
    yield ALIVE
    told_at = loop.time()
    while not stopping.is_set():
        found, place = await look(place)
        if found:
            yield b"".join(map(event, found))
            told_at = loop.time()
            continue
        if loop.time() - told_at >= silence:
            yield ALIVE
            told_at = loop.time()
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), again)


def event(call: Call) -> bytes:
    """Return a call as an event."""
    # JSON in ASCII has no line ends.
    return f"id: {call.id}\ndata: {json.dumps(calls_log.as_json(call), separators=(',', ':'))}\n\n".encode("ascii")
