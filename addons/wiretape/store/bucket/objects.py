"""The objects of a bucket as all proxies agree on them: seen a moment ago, written on conditions. Under ``store``.

Any number of proxies read and write one bucket at the same time. This module answers for one of them:

- *Reading.* An object that was seen less than ``FRESH`` seconds ago is not asked for again (``RecentObjects``). Then
  the server is asked whether it has changed, which moves no bytes where it has not. All who ask for the same object
  meanwhile share one request (``SharedReads``); nobody waits for a request about another object.
- *A bucket that is away.* An object that was seen before is given as it was then, since nothing newer can be known.
  That there was nothing is not given: it is raised, with ``was_absent``.
- *Writing.* A write depends on the object being as it was seen, or on there being none. So of two proxies that write
  the same recording one wins, and the other one learns it (``put`` is False). On a server that ignores conditions, this
  is exact within one process only (``_put_and_look``).
- *Doubt.* When another process of this machine has written into a session, all that was seen of it before is asked for
  again (``doubt``).

Which bytes are believed is decided in ``checked_reads``.

An example, with two proxies A and B and a new recording ``k``: A sees nothing, B sees nothing, A puts it (True), B puts
its own (False) and from now on sees that of A.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from wiretape.exceptions import StoreAwayError, StoreUnavailableError
from wiretape.store.bucket.cache import Disk, RecentObjects
from wiretape.store.bucket.capabilities import Capabilities
from wiretape.store.bucket.checked_reads import CheckedReads
from wiretape.store.bucket.client import PAGE, ObjectClient
from wiretape.store.bucket.shared_reads import SharedReads
from wiretape.store.bucket.versions import Condition, StoredObject, Unchanged, Version

logger = logging.getLogger(__name__)

FRESH = 1.5
"""For how many seconds it is believed what was seen. With the request itself, that is less than the promised two."""

_LARGE = 1000
"""How many folders are remembered to have more objects than one request lists."""
_STAYS_LARGE = 60.0
"""For how many seconds that is remembered."""


@dataclass(frozen=True, slots=True)
class _Listing:
    asked_at: float
    """The time when the first request was sent."""
    versions: dict[str, Version] | None
    """The version of each object; None where there are more objects than were wanted."""


def object_key(session: str, name: str, folder: str) -> str:
    """Return the key of a recording or a capture, below the prefix."""
    return f"{session}/{folder}/{name}.json"


class Objects:
    """The objects of one bucket. For any number of threads. Every method may raise StoreUnavailableError.

    ``memory`` and ``disk`` are bounds in bytes. ``cache`` is a folder for this bucket alone, or None.
    """

    def __init__(
        self,
        remote: ObjectClient,
        *,
        memory: int = 64 << 20,
        cache: Path | None = None,
        disk: int = 1 << 30,
        clock: Callable[[], float] = time.monotonic,
        kind: Capabilities | None = None,
    ) -> None:
        """``kind`` is what the server can do, where that is known already."""
        self._remote = remote
        self._reads = CheckedReads(remote, kind, clock)
        self._recent = RecentObjects(memory, FRESH, clock)
        self._disk = None
        if cache:
            self._disk = Disk(cache, disk)
        self._one_at_a_time = threading.Lock()
        self._away_told = False
        self._shared: SharedReads[StoredObject | None] = SharedReads()
        self._listings: SharedReads[_Listing] = SharedReads()
        self._large: dict[str, float] = {}

    @property
    def memory(self) -> int:
        """How many bytes are held in memory, about."""
        return self._recent.size

    def kind(self) -> Capabilities:
        """Return what the server can do. It is found out once, and what cannot be promised then is logged."""
        return self._reads.kind()

    def is_fresh(self, key: str) -> bool:
        """Tell whether ``see`` needs no request."""
        return self._recent.get(key)[1]

    def see(self, key: str) -> StoredObject | None:
        """Return an object, as it is or was a moment ago, or None where there is none.

        While the bucket is away, return the object as it was when it was last seen.
        """
        seen, is_fresh = self._recent.get(key)
        if seen and is_fresh:
            return seen.object
        # A request that was sent before the session was put in doubt does not count: its key is another one.
        return self._shared.join((key, self._recent.doubted(key)), lambda: self._see(key))

    def _see(self, key: str) -> StoredObject | None:
        seen, _ = self._recent.get(key)
        known = None
        if seen:
            known = seen.object
        if known is None and self._disk:
            known = self._disk.get(key)
        try:
            answer = self._ask(key, known)
        except StoreAwayError as e:
            if known is None:
                raise StoreAwayError(str(e), status=e.status, was_absent=seen is not None) from e
            if not self._away_told:
                logger.warning("what was seen before is served as it was then: %s", e)
            self._away_told = True
            return known
        self._away_told = False
        return answer

    def list_all(self, folder: str) -> dict[str, Version]:
        """Return the objects that lie directly in a folder, as it is now: their keys and versions."""
        return self._listings.ask_after_now(folder, lambda: self._list(folder, None)).versions or {}

    def list_few(self, folder: str, wanted: Collection[str] = ()) -> dict[str, Version] | None:
        """Return the same, or None where that takes more than one request; the next calls then return None at once.

        A list that is being made already will do, if one of the wanted keys is in it.
        """
        now = self._recent.clock()
        if now < self._large.get(folder, now):
            return None
        listing = self._listings.join((folder, PAGE), lambda: self._list(folder, PAGE))
        if listing.asked_at < now and not any(key in (listing.versions or ()) for key in wanted):
            listing = self._listings.ask_after_now((folder, PAGE), lambda: self._list(folder, PAGE))
        if listing.versions is None:
            if len(self._large) > _LARGE:
                self._large.clear()
            self._large[folder] = self._recent.clock() + _STAYS_LARGE
        return listing.versions

    def folders(self) -> list[str]:
        """Return the folders directly below the prefix."""
        folders = self._remote.folders()
        if not folders:
            self._reads.check_absence()
        return folders

    def _list(self, folder: str, limit: int | None) -> "_Listing":
        asked_at = self._recent.clock()
        versions: dict[str, Version] = {}
        for page in self._remote.pages(folder):
            if limit is not None and len(versions) + len(page) > limit:
                return _Listing(asked_at, None)
            versions |= page
        if not versions:
            self._reads.check_absence()  # An answer without a list need not be an empty list.
        for key, version in versions.items():
            self._recent.confirm(key, version, asked_at)
        return _Listing(asked_at, versions)

    def see_now(self, key: str) -> StoredObject | None:
        """Return an object, as it is now, or None where there is none."""
        seen, _ = self._recent.get(key)
        if seen:
            return self._ask(key, seen.object)
        return self._ask(key, None)

    def put(self, key: str, data: bytes, *, replace: bool) -> bool:
        """Write where there is nothing, or, with ``replace``, where nothing has changed since it was seen.

        Return False where the object of another proxy stays; from now on ``see`` returns that.
        """
        kind = self.kind()
        condition: Condition | Version = Condition.ABSENT
        is_honoured = kind.creates
        before = None
        if replace:
            before = self._to_replace(key)
        if before:
            condition = before.version
            is_honoured = kind.updates
        asked_at = self._recent.clock()
        if is_honoured:
            version = self._remote.put(key, data, condition)
        else:
            version = self._put_and_look(key, data, condition)
        if version is None:
            if self.see_now(key) is None:
                raise StoreUnavailableError(f"{self._remote.url}/{key}: others write and remove it just now")
            return False
        if not self._reads.arrived(data, version):
            raise StoreAwayError(f"{self._remote.url}/{key}: other bytes have arrived than were sent")
        self._recent.wrote(key, StoredObject(data, version), asked_at)
        return True

    def _to_replace(self, key: str) -> StoredObject | None:
        seen, is_fresh = self._recent.get(key)
        if seen and is_fresh:
            return seen.object
        return self.see_now(key)

    def delete(self, key: str) -> None:
        """Delete an object, if there is one."""
        asked_at = self._recent.clock()
        self._remote.delete(key)
        if self._disk:
            self._disk.drop(key)
        self._recent.wrote(key, None, asked_at)

    def forget(self, key: str) -> None:
        """Have an object asked for again."""
        self._recent.forget(key)

    def doubt(self, session: str) -> None:
        """Have everything that was seen of a session asked for again."""
        self._recent.doubt(session)

    def _ask(self, key: str, known: StoredObject | None) -> StoredObject | None:
        asked_at = self._recent.clock()
        answer = self._reads.get(key, known)
        if isinstance(answer, Unchanged):
            current = known
        else:
            current = answer
            if self._disk and current:
                self._disk.keep(key, current)
        self._recent.saw(key, current, asked_at)
        return current

    def _put_and_look(self, key: str, data: bytes, condition: Condition | Version) -> Version | None:
        """Write as ``ObjectClient.put`` does, on a server that ignores conditions: it looks first, and afterwards."""
        expected = None
        if isinstance(condition, Version):
            expected = condition.state
        with self._one_at_a_time:
            there = self._ask(key, None)
            state = None
            if there:
                state = there.version.state
            if state != expected:
                return None
            self._remote.put(key, data, Condition.NONE)
            there = self._ask(key, None)
            if there and there.data == data:
                return there.version
            return None
