"""Writes what waits in a spool into the bucket. Between ``store`` and ``spool``.

Another proxy may have written under the same name while an entry waited. Then, by what the bucket has now:

    nothing                                    the entry is written
    the same bytes                             an earlier attempt had arrived: nothing is left to do
    an object that the entry replaces          the entry is written: it is newer, or the object is ours of a moment ago
    another object                             ``settle`` gives the name under which the entry is written beside it;
                                               without a name, the entry is dropped

When several proxies write at the same moment, the look is repeated, a few times. A capture that waits goes where its
recording went, or is dropped with it. An entry for a session that was frozen meanwhile is lost, and the log says so:
the proxy that recorded it could not see the mark.
"""

import logging
from collections.abc import Callable, Hashable

from wiretape.exceptions import StoreUnavailableError
from wiretape.store.base import RESPONSES, WIRE
from wiretape.store.bucket.objects import Objects, object_key
from wiretape.store.bucket.spool import Spool, SpooledName, Waiting
from wiretape.store.bucket.versions import StoredObject, Version

logger = logging.getLogger(__name__)

_RACES = 5
"""How often another proxy may write right before us until an entry is left for later."""

type Settle = Callable[[str, str, bytes, bytes], str | None]
"""(session, name, our bytes, which waited, their bytes, which came first) -> our new name, or None to drop ours."""


def goes_before(waiting: Waiting | None, version: Version) -> bool:
    """Tell whether an entry of the spool takes the place of what is in the bucket."""
    if waiting is None or not waiting.address.replace:
        return False
    return version.modified is None or version.modified < waiting.written


class TakeUp:
    """Takes entries of one spool up, one after the other."""

    def __init__(
        self,
        objects: Objects,
        spool: Spool,
        settle: Settle | None,
        *,
        is_frozen: Callable[[str], bool],
        where: Callable[[str, str, str], str],
    ) -> None:
        """``where`` tells people where a recording is."""
        self._objects = objects
        self._spool = spool
        self._settle = settle
        self._is_frozen = is_frozen
        self._where = where
        self._written: dict[str, Hashable] = {}
        """What was written, until the spool is empty. A newer entry replaces it, whatever the server's clock says."""

    def put(self, waiting: Waiting) -> None:
        """Write an entry into the bucket. Raises StoreUnavailableError."""
        if self._spool.pending == 1:
            self._written.clear()
        to = waiting.address
        newest = self._spool.get(to.session, to.name, to.folder)
        ours = waiting.data()
        if ours is None or (newest and newest.path != waiting.path and newest.address.replace):
            return  # It does not have to go up any more.
        if to.folder in (RESPONSES, WIRE) and self._is_frozen(to.session):
            logger.error("RECORDING LOST: %s: the session is frozen", self._where(to.session, to.name, to.folder))
            return
        name = self._write(waiting, ours)
        if name != to.name and to.folder == RESPONSES:
            self._follow(to, name)

    def _write(self, waiting: Waiting, ours: bytes) -> str | None:
        """Write an entry where it belongs. Return the name that it got, or None where it was dropped."""
        to = waiting.address
        name = to.name
        races = 0
        while races < _RACES:
            key = object_key(to.session, name, to.folder)
            theirs = self._objects.see_now(key)
            if theirs and theirs.data == ours:
                return name
            if theirs is None or self._replaces(waiting, key, theirs):
                if self._objects.put(key, ours, replace=theirs is not None):
                    self._note(key)
                    return name
                races += 1
                continue
            elsewhere = None
            if self._settle and to.folder == RESPONSES:
                elsewhere = self._settle(to.session, name, ours, theirs.data)
            if elsewhere is None or elsewhere == name:
                logger.info("%s was written by another first", self._where(to.session, name, to.folder))
                return None
            name = elsewhere
        raise StoreUnavailableError(f"{self._where(to.session, name, to.folder)}: others write there all the time")

    def _replaces(self, waiting: Waiting, key: str, theirs: StoredObject) -> bool:
        is_ours = theirs.version.state == self._written.get(key)
        return (waiting.address.replace and is_ours) or goes_before(waiting, theirs.version)

    def _note(self, key: str) -> None:
        written = self._objects.see(key)
        if written:
            self._written[key] = written.version.state
        else:
            self._written.pop(key, None)

    def _follow(self, to: SpooledName, name: str | None) -> None:
        """Move the capture that waits beside a recording to the new name, or drop it without one."""
        capture = self._spool.get(to.session, to.name, WIRE)
        if capture:
            data = capture.data()
            if name and data:
                self._spool.add(SpooledName(to.session, name, WIRE, capture.address.replace), data)
            self._spool.remove(to.session, to.name, WIRE)
