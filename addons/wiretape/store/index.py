"""What each recording of a session asks: found by content, whatever the file's name. In front of a store.

The way to a hit does not come here: it knows the file's name. The index is for what has another name, for lists of
models, and for naming the nearest recording of a miss.
"""

import logging
import threading
import time
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from wiretape import recording, request
from wiretape.recording import RecordedRequest
from wiretape.store.base import Store, Unavailable

logger = logging.getLogger(__name__)


_FEW = 1000
"""Files that are looked through in no time."""


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
        for name, state in found.items():
            known = self._entries.get(name)
            if known is None or known.state != state:
                self._forget(name)
                self._learn(name, state)
        self._next_scan = time.monotonic() + 10 * (time.monotonic() - started) if len(found) > _FEW else 0.0
        self._scanned = True

    def _learn(self, name: str, state: Hashable) -> None:
        entry = _Entry(state, None)
        try:
            if (data := self.store.read(self.session, name)) is not None:
                asked = recording.read_request(data)
                entry = _Entry(state, request.identity(asked), request.endpoint(asked))
        except Unavailable:
            raise
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
