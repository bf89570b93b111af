"""A frozen session: nothing is recorded in it by anybody. The mark is in the store, where all proxies see it.

The configuration can freeze a session, too (``Session.frozen``).
"""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace

from wiretape.codecs import json_text, printable
from wiretape.exceptions import StoreAwayError, StoreUnavailableError
from wiretape.store.base import Store

# The mark has a folder of its own, which is hidden so that nobody takes the mark for a recording.
_FOLDER = ".wiretape"
_NAME = "frozen"
_SHOWN = 200

_SESSIONS = 1000
"""About how many sessions this is remembered: their names come from outside."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """What the mark says."""

    by: str = ""
    at: str = ""
    """When it was made, as RFC 3339."""

    def __str__(self) -> str:
        """Return it as people read it."""
        return " ".join(filter(None, ("frozen", self.by and f"by {self.by}", self.at and f"at {self.at}")))


def is_frozen(store: Store, session: str) -> bool:
    """Tell whether there is a mark, whatever it says. Raises OSError; StoreUnavailableError where it cannot be told."""
    return store.exists(session, _NAME, _FOLDER)


def mark(store: Store, session: str) -> Frozen | None:
    """Return the mark, or None where there is none. Raises as ``is_frozen`` does."""
    try:
        data = store.read(session, _NAME, _FOLDER)
        if data is None:
            return None
        said = json_text.loads(data)
    except ValueError:
        return Frozen()  # It was made by hand: the session is meant to be frozen.
    if not isinstance(said, dict):
        return Frozen()
    return Frozen(*(printable.line(str(said.get(key, ""))[:_SHOWN]) for key in ("by", "at")))


def freeze(store: Store, session: str, what: Frozen) -> bool:
    """Make the mark. Return False where there is one already, which stays. Raises OSError."""
    data = json.dumps({"by": what.by, "at": what.at}, indent=2) + "\n"
    return store.write(session, _NAME, data.encode("ascii"), replace=False, folder=_FOLDER)


def thaw(store: Store, session: str) -> None:
    """Remove the mark, if there is one. Raises OSError."""
    store.remove(session, _NAME, _FOLDER)


_QUICK = 0.05
"""For how many seconds a look at a mark holds, on a disk of this machine."""
_SLOW = 2.0
"""For how many seconds it holds elsewhere."""


@dataclass(frozen=True, slots=True)
class _Seen:
    frozen: bool
    doubt: StoreUnavailableError | None
    looked_at: float


class FrozenMarks:
    """Tells whether sessions are frozen, as it was last seen, to the thread that carries the traffic, which never
    waits.

    A process that writes into a session looks at the mark itself.
    """

    def __init__(self, store: Store, looker: ThreadPoolExecutor) -> None:
        """``looker`` runs the looks into a store that is not quick."""
        self._store = store
        self._looker = looker
        self._seen: dict[str, _Seen] = {}

    def knows(self, session: str) -> bool:
        """Tell whether ``is_frozen`` can answer. Otherwise a thread that can wait has to ``look`` first."""
        return self._store.is_quick or session in self._seen

    def is_frozen(self, session: str) -> bool:
        """Tell whether a session was frozen when that was last known. One that was never looked at is not."""
        return self._lately(session).frozen

    def doubt(self, session: str) -> StoreUnavailableError | None:
        """Return why the last look failed, so that nothing may be recorded; None where it succeeded."""
        return self._lately(session).doubt

    def _lately(self, session: str) -> "_Seen":
        now = time.monotonic()
        seen = self._seen.get(session)
        holds = _SLOW
        if self._store.is_quick:
            holds = _QUICK
        if seen and now - seen.looked_at < holds:
            return seen
        if self._store.is_quick:
            self.look(session)
            return self._seen[session]
        if seen is None:
            return _Seen(False, None, now)  # It is not known before a thread that can wait has looked.
        self._seen[session] = replace(seen, looked_at=now)  # Now no other thread looks as well.
        with suppress(RuntimeError):  # The proxy stops.
            self._looker.submit(self.look, session)
        return seen

    def look(self, session: str) -> bool:
        """Look at the mark. While a bucket is away, what was seen before holds."""
        frozen = False
        doubt = None
        before = self._seen.get(session)
        if before:
            frozen = before.frozen
            doubt = before.doubt
        try:
            frozen = is_frozen(self._store, session)
            doubt = None
        except StoreAwayError:
            pass  # The uploader of the spool looks again.
        except OSError as e:
            doubt = StoreUnavailableError(f"whether session {session} is frozen cannot be told: {e}")
        if len(self._seen) > _SESSIONS:
            self._seen.clear()
        self._seen[session] = _Seen(frozen, doubt, time.monotonic())
        return frozen
