"""Work on very many files, shared out among processes. Beside the data's way: for commands that look at all recordings.

Only where a process can be forked, which is Linux: another way of starting one would read modules from the folder that
the command was started in. And only by the thread that a command begins with: a proxy that shows a page has others, and
a child of it would have its sockets, and locks that nobody in it will ever open.
"""

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

_MANY = 400
"""Items that take longer than the start of processes does."""

_PROCESSES = 8
_CHUNK = 32


type Watch = Callable[[Iterable[Any], int, str], Iterator[Any]]
"""Passes items through, of which there are so many, and shows how far it is, in a word what is done."""


def unwatched(items: Iterable[Any], count: int, what: str) -> Iterator[Any]:
    """Show nothing."""
    del count, what
    yield from items


def mapped[T, R](work: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
    """Yield what ``work`` gives for each item, in order. It, the items and what it gives go to processes and back."""
    processes = min(_PROCESSES, _cores())
    is_of_command = threading.current_thread() is threading.main_thread()
    if len(items) < _MANY or processes < 2 or sys.platform != "linux" or not is_of_command:
        yield from map(work, items)
        return
    # It takes a fiftieth of a second to load, and few sessions are so large.
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    pool = ProcessPoolExecutor(processes, get_context("fork"), _begin)
    try:
        with warnings.catch_warnings():
            # A test may have threads. A command has none yet that could hold what a fork needs.
            warnings.simplefilter("ignore", DeprecationWarning)
            done = pool.map(work, items, chunksize=_CHUNK)
        yield from done
    finally:
        pool.shutdown(cancel_futures=True)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _begin() -> None:
    # Ctrl-C is for the command, which ends these in its own order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
