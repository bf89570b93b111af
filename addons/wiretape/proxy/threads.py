"""The threads that do what takes time away from the one that carries the traffic."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from wiretape.store.base import Store

_WAITING = 64
"""Look-ups that are under way at once in a store that is not quick."""


class Threads:
    """Each kind of work has its own, so that none waits for a slower one."""

    def __init__(self) -> None:
        self.reader = ThreadPoolExecutor(1, "wiretape-read")
        """For what knows a file's name."""
        self.searcher = ThreadPoolExecutor(1, "wiretape-search")
        """For what has to search: a search delays no hit."""
        self.waiters = ThreadPoolExecutor(_WAITING, "wiretape-wait")
        """Many, for look-ups that each wait for a network: none waits for another."""
        self.large = ThreadPoolExecutor(1, "wiretape-large")
        """For large bodies."""

    def reader_of(self, store: Store) -> ThreadPoolExecutor:
        """Return the threads that read one file of a store."""
        return self.reader if store.is_quick else self.waiters

    def searcher_of(self, store: Store) -> ThreadPoolExecutor:
        """Return the threads that search a store."""
        return self.searcher if store.is_quick else self.waiters

    def close(self) -> None:
        """Let nobody wait for what has not begun."""
        for pool in (self.reader, self.searcher, self.large, self.waiters):
            pool.shutdown(wait=False, cancel_futures=True)


async def aside[**P, T](pool: ThreadPoolExecutor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run what takes time away from the thread that carries the traffic."""
    return await asyncio.get_running_loop().run_in_executor(pool, partial(function, *args, **kwargs))
