"""Tells whether it is worth asking a bucket that has just failed to answer. It knows no bucket.

A bucket that does not answer costs each caller the whole timeout. So after failures of several objects in a row, only
one caller at a time finds out whether the bucket is back; the others are told at once that it is not. A single object
that is slow while others come is closed by itself.

    state         an object may be asked for
    closed        always
    slow object   by one caller at a time, after a pause; other objects always
    open          by one caller at a time, after a pause, whichever object it is
"""

import threading
import time
from collections.abc import Callable

_SLOW = 1000
"""How many objects are remembered to be slow."""


class CircuitBreaker:
    """Counts the objects that failed in a row. For any number of threads.

    ``timeout`` is how many seconds a request takes at most; ``pause`` is how many pass between two that find out.
    """

    def __init__(
        self, timeout: float, *, failures: int = 2, pause: float = 0.5, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._timeout = timeout
        self._limit = failures
        self._pause = pause
        self._clock = clock
        self._lock = threading.Lock()
        self._in_a_row: set[str] = set()
        """The objects that have failed since anything has succeeded."""
        self._next = 0.0
        self._slow: dict[str, float] = {}
        """The objects that have failed, each with the time when it may be asked for again."""

    def allows(self, key: str) -> bool:
        """Tell whether an object may be asked for now. The caller then has to tell how it went."""
        with self._lock:
            now = self._clock()
            if len(self._in_a_row) >= self._limit:
                if now < self._next:
                    return False
                self._next = now + self._timeout
            elif key in self._slow:
                if now < self._slow[key]:
                    return False
                self._slow[key] = now + self._timeout
            return True

    def succeeded(self, key: str) -> None:
        """Note that the server has answered, whatever it said."""
        with self._lock:
            self._in_a_row.clear()
            self._slow.pop(key, None)

    def failed(self, key: str) -> None:
        """Note that the server has not answered."""
        with self._lock:
            self._next = self._clock() + self._pause
            self._in_a_row.add(key)
            if len(self._slow) >= _SLOW:
                self._slow.clear()
            self._slow[key] = self._next
