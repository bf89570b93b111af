"""A frozen session: nothing is recorded in it, by anybody. The mark is in the store, where all proxies see it.

Over a store, beside the tape. The configuration may freeze a session too (``session.Session.frozen``).
"""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace

from wiretape.codecs import json_text, printable
from wiretape.exceptions import StoreAwayError, StoreUnavailableError
from wiretape.store.base import Store

# Its own folder, as the store's files are all in one; hidden, so that nobody takes it for a recording.
_FOLDER = ".wiretape"
_NAME = "frozen"
_SHOWN = 200

_SESSIONS = 1000
"""Sessions of which it is remembered: their names come from outside."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """What the mark says."""

    by: str = ""
    at: str = ""
    """RFC 3339."""

    def __str__(self) -> str:
        """In words."""
        return " ".join(filter(None, ("frozen", self.by and f"by {self.by}", self.at and f"at {self.at}")))


def is_frozen(store: Store, session: str) -> bool:
    """Whether there is a mark, whatever it says. Raises OSError, StoreUnavailableError where that cannot be told."""
    return store.exists(session, _NAME, _FOLDER)


def mark(store: Store, session: str) -> Frozen | None:
    """The mark, where there is one. Raises as ``is_frozen``."""
    try:
        data = store.read(session, _NAME, _FOLDER)
        said = None
        if data is not None:
            said = json_text.loads(data)
    except ValueError:
        return Frozen()  # Somebody's own; a session that was meant to be frozen is.
    if data is None:
        return None
    if not isinstance(said, dict):
        return Frozen()
    return Frozen(*(printable.line(str(said.get(key, ""))[:_SHOWN]) for key in ("by", "at")))


def freeze(store: Store, session: str, what: Frozen) -> bool:
    """Put the mark; False where there is one already, which stays. Raises OSError."""
    data = json.dumps({"by": what.by, "at": what.at}, indent=2) + "\n"
    return store.write(session, _NAME, data.encode("ascii"), replace=False, folder=_FOLDER)


def thaw(store: Store, session: str) -> None:
    """Take the mark away, if there is one. Raises OSError."""
    store.remove(session, _NAME, _FOLDER)


_QUICK = 0.05
_SLOW = 2.0
"""Seconds for which a look at a mark holds, on a disk of this machine and elsewhere."""


@dataclass(frozen=True, slots=True)
class _Seen:
    frozen: bool
    doubt: StoreUnavailableError | None
    looked: float


class FrozenMarks:
    """Whether sessions are frozen, as it was seen of late: for the thread that carries the traffic, which never waits.

    Whoever writes looks himself.
    """

    def __init__(self, store: Store, looker: ThreadPoolExecutor) -> None:
        """``looker`` is who asks a store that is not quick."""
        self._store = store
        self._looker = looker
        self._seen: dict[str, _Seen] = {}

    def knows(self, session: str) -> bool:
        """Whether ``is_frozen`` can tell; else somebody who can wait is to ``look`` first."""
        return self._store.is_quick or session in self._seen

    def is_frozen(self, session: str) -> bool:
        """Whether a session was frozen when that could last be told; one that never was looked at is not."""
        return self._lately(session).frozen

    def doubt(self, session: str) -> StoreUnavailableError | None:
        """Why the last look could not tell, so that nothing is to be recorded there; None where it could."""
        return self._lately(session).doubt

    def _lately(self, session: str) -> "_Seen":
        now = time.monotonic()
        seen = self._seen.get(session)
        if seen and now - seen.looked < (_QUICK if self._store.is_quick else _SLOW):
            return seen
        if self._store.is_quick:
            self.look(session)
            return self._seen[session]
        if seen is None:
            return _Seen(False, None, now)  # Nobody knows before somebody has looked who can wait.
        self._seen[session] = replace(seen, looked=now)  # One look at a time.
        with suppress(RuntimeError):  # The proxy stops.
            self._looker.submit(self.look, session)
        return seen

    def look(self, session: str) -> bool:
        """Look at the mark; while a bucket is away, what was seen before holds."""
        before = self._seen.get(session)
        frozen = False
        if before:
            frozen = before.frozen
        doubt = None
        if before:
            doubt = before.doubt
        try:
            frozen = is_frozen(self._store, session)
            doubt = None
        except StoreAwayError:
            pass  # Who takes up what waits looks again.
        except OSError as e:
            doubt = StoreUnavailableError(f"whether session {session} is frozen cannot be told: {e}")
        if len(self._seen) > _SESSIONS:
            self._seen.clear()
        self._seen[session] = _Seen(frozen, doubt, time.monotonic())
        return frozen
