"""When the recordings of a store were made, as far as it can be told how old they are. Beside ``expiry``, which asks.

A capture tells it to the second, and is the same in every copy. Of a recording without one git tells when its file was
committed last: the commits of a session's folder are read once, beside, where it has any recording without a capture.
A file that has changed since then is as old as the change. Of any other nobody knows, so it is never too old.
"""

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime

from wiretape.recording.capture import Origin
from wiretape.store import committed
from wiretape.store.base import RESPONSES, WIRE, Store
from wiretape.store.directory import DirectoryStore
from wiretape.tape.background import Background, StillReadingError

_TOLD = 10_000
"""Recordings of which it is known that something was said of them."""


class Ages:
    """The times of one store's recordings, for all tapes on it. For any thread."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        """``clock``: seconds since 1970."""
        self.clock = clock
        self._store = store
        self._background = Background()
        self._lock = threading.Lock()
        self._reading: dict[str, Future[None]] = {}
        self._committed: dict[str, dict[str, float]] = {}
        self._states: dict[str, dict[str, tuple[int, int]]] = {}
        """Of each session the files as they were when the commits were read."""
        self._told: set[Hashable] = set()

    def begin(self, session: str) -> "Future[None] | None":
        """Begin to read the commits of a session's folder, unless that is done; None where it has none."""
        if not isinstance(self._store, DirectoryStore):
            return None
        with self._lock:
            if session not in self._reading:
                self._reading[session] = self._background.begin(lambda: self._read_commits(session))
            return self._reading[session]

    def wait_for_commits(self, session: str) -> None:
        """Raise StillReadingError where the commits of a session's folder are not read yet."""
        reading = self.begin(session)
        if reading and not reading.done():
            raise StillReadingError(reading)

    def _read_commits(self, session: str) -> None:
        assert isinstance(self._store, DirectoryStore)
        # Without them no time is known by git, and nothing has failed for who asked.
        with suppress(OSError):
            states = self._store.scan(session)
            folder = self._store.root / session / RESPONSES
            bare = [f"{name}.json" for name in states if not self._store.exists(session, name, WIRE)]
            times = committed.committed(folder, bare)
            self._states[session] = states
            self._committed[session] = {name.removesuffix(".json"): at for name, at in times.items()}

    def recorded_at(self, session: str, name: str, origin: Origin | None) -> float | None:
        """Return when a recording was made, in seconds since 1970; None where that is not known.

        ``origin`` is what its capture says. Raises OSError where its file cannot be looked at.
        """
        if origin is not None:
            with suppress(ValueError):
                at = datetime.fromisoformat(origin.at)
                return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
        if not isinstance(self._store, DirectoryStore):
            return None
        state = self._store.state(session, name)
        before = self._states.get(session, {}).get(name)
        if state is None or (session in self._states and state[:2] == before):
            return self._committed.get(session, {}).get(name)
        return state[0] / 1e9 if session in self._states else None

    def is_news(self, told: Hashable) -> bool:
        """Return whether this is the first time that something is to be said."""
        with self._lock:
            if told in self._told or len(self._told) >= _TOLD:
                return False
            self._told.add(told)
            return True
