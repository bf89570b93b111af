"""A bucket's objects as the proxies agree on them: seen for a moment, written on conditions. Between bucket and remote.

What a server cannot do is made up for here as far as one proxy can. And nothing is believed unseen:

- Bytes are given when they are those that were written: by our own digest in the object's metadata, else by an ETag
  that is an MD5. What is neither is believed of a server that knows what it has not got: it is asked for an object that
  cannot be there, and so it is before an empty list is believed.
- An object is asked for once at a time, and a list too; nobody waits for another object's answer.
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path

from wiretape.exceptions import StoreAwayError, StoreUnavailableError
from wiretape.store.bucket.cache import Disk, RecentObjects
from wiretape.store.bucket.capabilities import Capabilities, check_absence, probe
from wiretape.store.bucket.client import (
    PAGE,
    Condition,
    CutError,
    ObjectClient,
    StoredObject,
    Unchanged,
    Version,
    digest,
)
from wiretape.store.bucket.shared_reads import SharedReads

logger = logging.getLogger(__name__)

_MD5 = re.compile("[0-9a-f]{32}")

FRESH = 1.5
"""Seconds for which what was seen is believed: with the look itself, less than the two that are promised."""

_READS = 4
"""How often an object is asked for whose bytes are not those that were written."""

_DAMAGED = "the bytes that come are not those that were written"

_LARGE = 1000
_STAYS_LARGE = 60.0
"""Folders that are remembered to have more objects than one request lists, and for how many seconds."""

_PROBING = 60.0
"""Seconds for which what could not be found out of a server is not tried again for a reading."""

_ABSENCE = "/"
"""What is no object's key."""


@dataclass(frozen=True, slots=True)
class _Listing:
    asked: float
    """The clock when the first request was sent."""
    found: dict[str, Version] | None
    """None where they are more than were asked for."""


class Objects:
    """For any number of threads. Every method may raise StoreUnavailableError.

    ``memory`` and ``disk`` are bounds in bytes; ``cache`` is a folder for this bucket alone, or None.
    """

    def __init__(
        self,
        remote: ObjectClient,
        *,
        memory: int = 64 << 20,
        cache: Path | None = None,
        disk: int = 1 << 30,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._remote = remote
        self._sight = RecentObjects(memory, FRESH, clock)
        self._disk = Disk(cache, disk) if cache else None
        self._kind: Capabilities | None = None
        self._probing = threading.Lock()
        self._one_at_a_time = threading.Lock()
        self._away_told = False
        self._flights: SharedReads[StoredObject | None] = SharedReads()
        self._listings: SharedReads[_Listing] = SharedReads()
        self._large: dict[str, float] = {}
        self._next_probe = float("-inf")
        self._checked = float("-inf")
        """When the server was last asked for what cannot be there."""

    @property
    def memory(self) -> int:
        """Bytes held, about."""
        return self._sight.size

    def kind(self) -> Capabilities:
        """What the server can do: found out once, and said in the log where promises cannot be kept."""
        with self._probing:
            if self._kind is None:
                self._kind = probe(self._remote)
                for sentence in self._kind.cannot():
                    logger.warning("%s: the server ignores the conditions of a write: %s", self._remote.url, sentence)
            return self._kind

    def is_fresh(self, key: str) -> bool:
        """Whether ``see`` takes no time."""
        return self._sight.get(key)[1]

    def see(self, key: str) -> StoredObject | None:
        """An object, as it is or was a moment ago.

        While the bucket is away, one that was seen earlier is given as it was then: nothing newer can be known. That
        there was nothing is not given. Who asks for an object that somebody waits for waits for the same answer.
        """
        seen, is_fresh = self._sight.get(key)
        if seen and is_fresh:
            return seen.found
        # One that was asked before the session was put in doubt does not count.
        return self._flights.join((key, self._sight.doubted(key)), lambda: self._see(key))

    def _see(self, key: str) -> StoredObject | None:
        seen, _ = self._sight.get(key)
        known = None
        if seen:
            known = seen.found
        if known is None and self._disk:
            known = self._disk.get(key)
        try:
            found = self._ask(key, known)
        except StoreAwayError as e:
            if known is None:
                raise StoreAwayError(str(e), status=e.status, was_absent=seen is not None) from e
            if not self._away_told:
                logger.warning("what was seen before is served as it was then: %s", e)
            self._away_told = True
            return known
        self._away_told = False
        return found

    def list_all(self, folder: str) -> dict[str, Version]:
        """Every object directly in a folder, as it is: its key and version."""
        return self._listings.ask_after_now(folder, lambda: self._list(folder, None)).found or {}

    def list_few(self, folder: str, wanted: Collection[str] = ()) -> dict[str, Version] | None:
        """The same, where one request tells them all; else None, and the next time at once.

        A list that was being made already will do where one of the wanted keys is in it.
        """
        came = self._sight.clock()
        if came < self._large.get(folder, came):
            return None
        listing = self._listings.join((folder, PAGE), lambda: self._list(folder, PAGE))
        if listing.asked < came and not any(key in (listing.found or ()) for key in wanted):
            listing = self._listings.ask_after_now((folder, PAGE), lambda: self._list(folder, PAGE))
        if listing.found is None:
            if len(self._large) > _LARGE:
                self._large.clear()
            self._large[folder] = self._sight.clock() + _STAYS_LARGE
        return listing.found

    def folders(self) -> list[str]:
        """The folders directly below the prefix."""
        found = self._remote.folders()
        if not found:
            self._check_absence()
        return found

    def _list(self, folder: str, limit: int | None) -> "_Listing":
        asked = self._sight.clock()
        found: dict[str, Version] = {}
        for page in self._remote.pages(folder):
            if limit is not None and len(found) + len(page) > limit:
                return _Listing(asked, None)
            found |= page
        if not found:
            self._check_absence()  # Not every page without a list is an empty list.
        for key, version in found.items():
            self._sight.confirm(key, version, asked)
        return _Listing(asked, found)

    def see_now(self, key: str) -> StoredObject | None:
        """An object, as it is."""
        seen, _ = self._sight.get(key)
        return self._ask(key, seen.found if seen else None)

    def put(self, key: str, data: bytes, *, replace: bool) -> bool:
        """Write where there is nothing, or with ``replace`` where nothing has changed since it was seen.

        False where another's stays, which is seen from now on.
        """
        kind = self.kind()
        before = None
        if replace:
            seen, is_fresh = self._sight.get(key)
            before = seen.found if seen and is_fresh else self.see_now(key)
        condition = before.version if before else Condition.ABSENT
        asked = self._sight.clock()
        honoured = kind.updates if isinstance(condition, Version) else kind.creates
        made = self._remote.put(key, data, condition) if honoured else self._put_and_look(key, data, condition)
        if made is None:
            if self.see_now(key) is None:
                raise StoreUnavailableError(f"{self._remote.url}/{key}: others write and remove it just now")
            return False
        e_tag = (made.e_tag or "").strip('"')
        if kind.tells_md5 and _MD5.fullmatch(e_tag) and e_tag != md5(data, usedforsecurity=False).hexdigest():
            raise StoreAwayError(f"{self._remote.url}/{key}: other bytes have arrived than were sent")
        self._sight.wrote(key, StoredObject(data, made), asked)
        return True

    def delete(self, key: str) -> None:
        """Delete an object, if there is one."""
        asked = self._sight.clock()
        self._remote.delete(key)
        if self._disk:
            self._disk.drop(key)
        self._sight.wrote(key, None, asked)

    def forget(self, key: str) -> None:
        """Ask again for an object."""
        self._sight.forget(key)

    def doubt(self, session: str) -> None:
        """Ask again for all that was seen of a session."""
        self._sight.doubt(session)

    def _ask(self, key: str, known: StoredObject | None) -> StoredObject | None:
        asked = self._sight.clock()
        found: StoredObject | None
        answer = self._get(key, known)
        if isinstance(answer, Unchanged):
            found = known
        else:
            found = answer
            if self._disk and found:
                self._disk.keep(key, found)
        self._sight.saw(key, found, asked)
        return found

    def _get(self, key: str, known: StoredObject | None) -> StoredObject | Unchanged | None:
        """An object that is as it was written. What came otherwise is asked for again, and never given.

        It may have been cut or changed on its way, and a server without conditions shows a part of what is just being
        written.
        """
        before: StoredObject | None = None
        problem = ""
        for _ in range(_READS):
            try:
                answer = self._remote.get(key, known.version if known else None)
            except CutError as e:
                problem = str(e)
                continue
            if not isinstance(answer, StoredObject) or self._is_sound(answer, before):
                return answer
            problem = f"{self._remote.url}/{key}: {_DAMAGED}"
            before = answer
        raise StoreUnavailableError(f"{problem}, {_READS} times")

    def _is_sound(self, found: StoredObject, before: StoredObject | None) -> bool:
        """Whether these are the bytes that were written, as far as can be told; ``before`` is what came before."""
        if found.digest is not None:
            return found.digest == digest(found.data)
        e_tag = (found.version.e_tag or "").strip('"')
        if _MD5.fullmatch(e_tag):
            if e_tag == md5(found.data, usedforsecurity=False).hexdigest():
                return True
            tells_md5 = self._tells_md5()
            # Where it is not known whether this server's ETags are digests, a second answer has to be the same.
            if tells_md5 or (tells_md5 is None and found != before):
                return False
        self._check_absence()
        return True

    def _tells_md5(self) -> bool | None:
        """Whether an ETag is an MD5; None where that cannot be found out, as it is where nothing may be written."""
        if self._kind is None and self._sight.clock() >= self._next_probe:
            self._next_probe = self._sight.clock() + _PROBING
            with suppress(StoreUnavailableError):
                self.kind()
        if not self._kind:
            return None
        return self._kind.tells_md5

    def _check_absence(self) -> None:
        """Raise StoreAwayError where something answers in the bucket's place, as of a moment ago."""
        if self._sight.clock() >= self._checked + FRESH:
            self._flights.join(_ABSENCE, self._ask_for_nothing)

    def _ask_for_nothing(self) -> None:
        asked = self._sight.clock()
        check_absence(self._remote)
        self._checked = asked

    def _put_and_look(self, key: str, data: bytes, condition: Condition | Version) -> Version | None:
        """As ``Remote.put``, for a server that ignores conditions: exact within this process, else nearly."""
        expected = None
        if isinstance(condition, Version):
            expected = condition.state
        with self._one_at_a_time:
            there = self._ask(key, None)
            if (there.version.state if there else None) != expected:
                return None
            self._remote.put(key, data, Condition.NONE)
            there = self._ask(key, None)
            if there and there.data == data:
                return there.version
            return None
