"""What has ended and is still to be written: it waits for a moment in which the traffic leaves time for it.

Beside the way. Writing a recording takes milliseconds of a processor's time, in processes that stand behind the
traffic's but share its cores: while the proxy is busy, and only a core or two are there, a client would wait for them.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

logger = logging.getLogger(__name__)

_PAUSE = 0.03
"""Seconds until what is new is looked at: a client's next request, which often comes at once, goes before. And from one
look to the next while the proxy is busy."""

_PATIENCE = 1.0
"""Seconds that something waits at most. So much is lost, of a busy proxy, when it is killed."""

_BUSY = 0.25
"""The share of its time that the thread of the traffic is at work, from which the proxy is busy."""


class Backlog:
    """Has one piece of work after another done by a thread, in the order in which they came. For one event loop."""

    def __init__(
        self,
        worker: ThreadPoolExecutor,
        *,
        patience: float = _PATIENCE,
        used: Callable[[], float] = time.thread_time,
    ) -> None:
        """``worker``: has one thread. ``used``: seconds of processor time that the event loop's thread has had."""
        self._worker = worker
        self._patience = patience
        self._used = used
        self._waiting: deque[tuple[float, Callable[[], None]]] = deque()
        """Until when it may wait, and what it is."""
        self._timer: asyncio.TimerHandle | None = None
        self._working = False

    def add(self, work: Callable[[], None]) -> None:
        """Have this done in a while."""
        self._waiting.append((asyncio.get_running_loop().time() + self._patience, work))
        if not self._timer and not self._working:
            self._look_later()

    def hurry(self) -> None:
        """Hand all that waits to the worker now: the proxy stops."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            self._worker.submit(_do, self._waiting.popleft()[1])

    def _look_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_PAUSE, self._look, loop.time(), self._used())

    def _look(self, since: float, used: float) -> None:
        """Begin with the next, if the traffic has left time since then."""
        self._timer = None
        if not self._waiting:
            return
        loop = asyncio.get_running_loop()
        moment = loop.time()
        is_busy = self._used() - used > _BUSY * (moment - since)
        if is_busy and moment < self._waiting[0][0]:
            self._look_later()
            return
        self._working = True
        _, work = self._waiting.popleft()
        begun = moment, self._used()

        def done(_: Future[None]) -> None:
            with suppress(RuntimeError):  # The loop has ended.
                loop.call_soon_threadsafe(self._next, *begun)

        self._worker.submit(_do, work).add_done_callback(done)

    def _next(self, since: float, used: float) -> None:
        self._working = False
        self._look(since, used)


def _do(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:
        logger.exception("RECORDING LOST")
