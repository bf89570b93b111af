"""A cache of bounded size, in front of anything that can be asked for again."""

import threading
from collections import OrderedDict
from collections.abc import Hashable


class LruCache[Value]:
    """Values by key, up to a number of bytes; the one that was not used for longest goes first. For any thread."""

    def __init__(self, limit: int) -> None:
        """``limit`` is in bytes. With 0, nothing is kept."""
        self._limit = limit
        self._size = 0
        self._values: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """How many bytes all values take, as ``put`` was told."""
        return self._size

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable) -> Value | None:
        """Return a value, or None. It is then the last one to go."""
        with self._lock:
            kept = self._values.get(key)
            if kept is None:
                return None
            self._values.move_to_end(key)
            return kept[0]

    def put(self, key: Hashable, value: Value, size: int) -> None:
        """Keep a value that takes so many bytes, unless it is larger than the whole cache."""
        with self._lock:
            self._drop(key)
            if size > self._limit:
                return
            self._values[key] = (value, size)
            self._size += size
            while self._size > self._limit:
                _, (_, freed) = self._values.popitem(last=False)
                self._size -= freed

    def drop(self, key: Hashable) -> None:
        """Remove a value."""
        with self._lock:
            self._drop(key)

    def clear(self) -> None:
        """Remove all values."""
        with self._lock:
            self._values.clear()
            self._size = 0

    def _drop(self, key: Hashable) -> None:
        kept = self._values.pop(key, None)
        if kept:
            self._size -= kept[1]
