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

REST = 9.0
"""How many times as long as a look took a stream rests after it: so it has a tenth of the time at most, and the traffic
the rest, however many calls there are. What has come meanwhile is in the next look."""

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
        begun = loop.time()
        found, place = await look(place)
        pause = again
        if found:
            told = b"".join(map(event, found))
            pause = min(REST * (loop.time() - begun), 1.0)
            yield told
            told_at = loop.time()
        elif loop.time() - told_at >= silence:
            yield ALIVE
            told_at = loop.time()
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), pause)


def event(call: Call) -> bytes:
    """Return a call as an event."""
    # JSON in ASCII has no line ends.
    return f"id: {call.id}\ndata: {json.dumps(calls_log.as_json(call), separators=(',', ':'))}\n\n".encode("ascii")
