"""What each recording of a session asks: found by content, whatever the file's name. In front of a store.

The way to a hit does not come here: it knows the file's name. The index is for what has another name, for lists of
models, and for naming the nearest recording of a miss.
"""

import logging
import threading
import time
from collections.abc import Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import batched

from wiretape import recording, request
from wiretape.recording import RecordedRequest
from wiretape.store.base import Store, Unavailable
from wiretape.store.regular import NoRecording

logger = logging.getLogger(__name__)


_FEW = 1000
"""Files that are looked through in no time."""

_AT_ONCE = 16
"""Files that are asked for at once, of a store where each takes a while."""

_BATCH = 256


@dataclass(frozen=True, slots=True)
class _Entry:
    state: Hashable
    identity: str | None
    endpoint: str = ""


class Index:
    """The recordings of one session by identity. A file is read once, and again when it has changed."""

    def __init__(self, store: Store, session: str) -> None:
        self.store = store
        self.session = session
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._names: dict[str, list[str]] = {}
        self._next_scan = 0.0
        self._scanned = False

    @property
    def is_quick(self) -> bool:
        """Whether ``names`` takes little: all files were read, and there are few."""
        return self._scanned and len(self._entries) <= _FEW

    def names(self, identity: str) -> list[str]:
        """The recordings of this identity, in the order of their names."""
        with self._lock:
            self._refresh()
            return sorted(self._names.get(identity, ()))

    def requests(self, endpoint: str) -> Iterator[tuple[str, RecordedRequest]]:
        """Name and request of each recording of an endpoint, read anew."""
        with self._lock:
            self._refresh()
            names = [name for name, entry in self._entries.items() if entry.endpoint == endpoint]
        for name in names:
            try:
                if data := self.store.read(self.session, name):
                    yield name, recording.read_request(data)
            except Unavailable:
                raise
            except (OSError, ValueError):
                continue  # Told when it was first read.

    def _refresh(self) -> None:
        # A scan of a large folder takes long: the pause after one is ten times what it took.
        started = time.monotonic()
        if started < self._next_scan:
            return
        found = self.store.scan(self.session)
        for name in self._entries.keys() - found.keys():
            self._forget(name)
        new = [name for name, state in found.items() if (e := self._entries.get(name)) is None or e.state != state]
        for name, data in self._read(new):
            self._forget(name)
            self._learn(name, found[name], data)
        self._next_scan = time.monotonic() + 10 * (time.monotonic() - started) if len(found) > _FEW else 0.0
        self._scanned = True

    def _read(self, names: Sequence[str]) -> Iterator[tuple[str, bytes | OSError | NoRecording | None]]:
        """Files, each with what went wrong where it could not be read. Raises Unavailable."""

        def read(name: str) -> bytes | OSError | NoRecording | None:
            try:
                return self.store.read(self.session, name)
            except Unavailable:
                raise
            except (OSError, NoRecording) as e:
                return e

        if self.store.is_quick or len(names) < 2:
            yield from ((name, read(name)) for name in names)
            return
        with ThreadPoolExecutor(_AT_ONCE, "wiretape-index") as pool:
            for some in batched(names, _BATCH):  # Not all of a large session's files in memory at once.
                yield from zip(some, pool.map(read, some), strict=True)

    def _learn(self, name: str, state: Hashable, data: bytes | OSError | NoRecording | None) -> None:
        entry = _Entry(state, None)
        try:
            if isinstance(data, OSError | NoRecording):
                raise data
            if data is not None:
                asked = recording.read_request(data)
                entry = _Entry(state, request.identity(asked), request.endpoint(asked))
        except (OSError, ValueError) as e:
            logger.error("%s: no recording, passed over: %s", self.store.where(self.session, name), e)
        self._entries[name] = entry
        if entry.identity:
            self._names.setdefault(entry.identity, []).append(name)

    def _forget(self, name: str) -> None:
        entry = self._entries.pop(name, None)
        if entry and entry.identity:
            names = self._names[entry.identity]
            names.remove(name)
            if not names:
                del self._names[entry.identity]


class Indexes:
    """The index of every session of a store. For any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._indexes: dict[str, Index] = {}

    def of(self, session: str) -> Index:
        """The index of a session, which is empty until it is asked for something."""
        with self._lock:
            return self._indexes.setdefault(session, Index(self._store, session))
