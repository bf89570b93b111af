"""One question at a time for each key, whose answer all get who ask meanwhile. In front of what takes long to ask."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait


class SharedReads[Value]:
    """Questions that are under way, by key. For any number of threads; no lock is held while one is asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[Hashable, Future[Value]] = {}

    def join(self, key: Hashable, ask: Callable[[], Value]) -> Value:
        """Return the answer to the question that is under way, or ask it. Its error is raised for all who joined."""
        with self._lock:
            future = self._under_way.get(key)
            is_first = future is None
            if future is None:
                future = self._under_way[key] = Future()
        if not is_first:
            return future.result()
        try:
            value = ask()
        except BaseException as e:
            self._end(key)
            future.set_exception(e)
            raise
        self._end(key)
        future.set_result(value)
        return value

    def ask_after_now(self, key: Hashable, ask: Callable[[], Value]) -> Value:
        """Return the answer to a question that was sent after this call: several calls may share it."""
        with self._lock:
            earlier = self._under_way.get(key)
        if earlier:
            wait([earlier])
        return self.join(key, ask)

    def _end(self, key: Hashable) -> None:
        with self._lock:
            del self._under_way[key]
