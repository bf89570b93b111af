"""One request at a time for each key; whoever asks meanwhile gets the same answer."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait


class SharedReads[Value]:
    """The requests that are under way, by key. For any number of threads; no lock is held during a request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[Hashable, Future[Value]] = {}

    def join(self, key: Hashable, ask: Callable[[], Value]) -> Value:
        """Return the answer of the request that is under way, or make the request. Its error is raised
        for all callers.
        """
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
        """Return the answer of a request that begins after this call. Several calls may share it."""
        with self._lock:
            earlier = self._under_way.get(key)
        if earlier:
            wait([earlier])
        return self.join(key, ask)

    def _end(self, key: Hashable) -> None:
        with self._lock:
            del self._under_way[key]
