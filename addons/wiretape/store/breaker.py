"""Whether it is worth asking a bucket that has just failed to answer. In front of ``remote``; knows no bucket.

A bucket that does not answer costs every asker the whole timeout. After some failures in a row only one asker at a time
finds out whether it is back; the others are told at once that it is not.
"""

import threading
import time
from collections.abc import Callable


class Breaker:
    """Counts failures in a row. For any number of threads.

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
        self._failures = 0
        self._next = 0.0

    def allows(self) -> bool:
        """Whether to ask now. Who is allowed to must tell how it went."""
        with self._lock:
            now = self._clock()
            if self._failures < self._limit:
                return True
            if now < self._next:
                return False
            self._next = now + self._timeout
            return True

    def succeeded(self) -> None:
        """It answered, whatever it said."""
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        """It did not."""
        with self._lock:
            self._failures += 1
            self._next = self._clock() + self._pause
