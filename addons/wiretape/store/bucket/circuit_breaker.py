"""Whether it is worth asking a bucket that has just failed to answer. In front of ``remote``; knows no bucket.

A bucket that does not answer costs every asker the whole timeout. After failures of several objects in a row only one
asker at a time finds out whether it is back; the others are told at once that it is not. One object that is slow while
others come closes the way to itself alone.
"""

import threading
import time
from collections.abc import Callable

_SLOW = 1000
"""Objects that are remembered as slow."""


class CircuitBreaker:
    """Counts the objects that failed in a row. For any number of threads.

    ``timeout``: seconds that one question takes at most; ``pause``: seconds between two that find out.
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
        """What failed since anything has succeeded."""
        self._next = 0.0
        self._slow: dict[str, float] = {}
        """What failed, and when each is to be asked again."""

    def allows(self, key: str) -> bool:
        """Whether to ask for an object now. Who is allowed to must tell how it went."""
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
        """It answered, whatever it said."""
        with self._lock:
            self._in_a_row.clear()
            self._slow.pop(key, None)

    def failed(self, key: str) -> None:
        """It did not."""
        with self._lock:
            self._next = self._clock() + self._pause
            self._in_a_row.add(key)
            if len(self._slow) >= _SLOW:
                self._slow.clear()
            self._slow[key] = self._next
