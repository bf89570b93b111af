"""A bucket: ``<prefix>/<session>/responses/<name>.json``, and captures beside them in ``wire``, as in a directory.

Any number of proxies use it at once. What cannot be written now waits in a spool on this machine, from which its
proxies serve it, and goes up when the bucket is back.
"""

import contextlib
import logging
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from wiretape.codecs.parts import Parts, digest
from wiretape.codecs.units import counted
from wiretape.exceptions import StoreAwayError, StoreUnavailableError
from wiretape.store.base import RESPONSES, WIRE, Fetched
from wiretape.store.bucket.client import ObjectClient, StoredObject, Version
from wiretape.store.bucket.objects import Objects
from wiretape.store.bucket.spool import Spool, SpooledName, Waiting
from wiretape.store.bucket.uploader import Uploader
from wiretape.store.directory import remove_leftovers
from wiretape.store.freezing import is_frozen
from wiretape.store.notes import Notes

logger = logging.getLogger(__name__)

_AT_ONCE = 64
"""Objects that are asked for at once, of all look-ups together."""

_RACES = 5
"""How often somebody else may have written in the moment before us, until we wait."""

type Settle = Callable[[str, str, bytes, bytes], str | None]
"""(session, name, ours that waited, theirs that came first) -> the name to write ours under, or None to drop it."""


class BucketStore:
    """Recordings of all sessions below one prefix of one bucket.

    ``settle`` is asked where a recording that waited finds another in its place; without it theirs stays.
    """

    is_quick = False

    def __init__(
        self,
        remote: ObjectClient,
        objects: Objects,
        spool: Spool | None = None,
        settle: Settle | None = None,
        notes: Notes | None = None,
    ) -> None:
        self.url = remote.url
        self.has_spool = spool is not None
        self.notes = notes
        self._objects = objects
        self._fetchers = ThreadPoolExecutor(_AT_ONCE, "wiretape-fetch")
        self._spool = spool
        self._drainer = Uploader(spool, self._take_up) if spool else None
        self._settle = settle
        self._taken_up: dict[str, Hashable] = {}
        """What we have put, until the spool is empty: a newer entry replaces it, whatever the server's clock says."""

    def where(self, session: str, name: str = "", folder: str = RESPONSES) -> str:
        """Where a recording is or would be, for people; without a name: where the session is."""
        if name:
            return f"{self.url}/{_key(session, name, folder)}"
        return f"{self.url}/{session}"

    @property
    def waiting(self) -> int:
        """How many files wait for the bucket on this machine."""
        if not self._spool:
            return 0
        return self._spool.pending

    def wait_until_up(self, timeout: float) -> bool:
        """Wait, so many seconds at most, until nothing waits for the bucket; whether that is so."""
        if not self._drainer:
            return True
        return self._drainer.wait_until_empty(timeout)

    def read(self, session: str, name: str, folder: str = RESPONSES) -> bytes | None:
        """The bytes, whole, or None where there are none. Raises StoreUnavailableError where that cannot be told."""
        return self._read(session, name, folder).data

    def digest(self, session: str, name: str, folder: str = RESPONSES) -> str | None:
        """What a capture knows the bytes by; None where there are none. Raises StoreUnavailableError."""
        data = self.read(session, name, folder)
        if data is None:
            return None
        return digest(data)

    def exists(self, session: str, name: str, folder: str = RESPONSES) -> bool:
        """Whether there is anything. Raises StoreUnavailableError."""
        return any(each is not None for each in self._look(session, name, folder))

    def state(self, session: str, name: str, folder: str = RESPONSES) -> Hashable | None:
        """Return (ETag, bytes), or what names an entry of the spool; None where there is nothing.

        Raises StoreUnavailableError.
        """
        waiting, found = self._look(session, name, folder)
        if waiting:
            return waiting.path.name
        if not found:
            return None
        return found.version.state

    def write(self, session: str, name: str, data: bytes | Parts, *, replace: bool, folder: str = RESPONSES) -> bool:
        """Write, where there is nothing, or with ``replace`` where nothing has changed since it was last read.

        False where another's stays. While the bucket is away it goes into the spool, which is True, and there
        ``replace`` means instead of what is older. Raises OSError where it is written nowhere.
        """
        key = _key(session, name, folder)
        data = bytes(data)
        if not self._spool or not self._drainer:
            return self._objects.put(key, data, replace=replace)
        try:
            # Where an older one waits, this one has to wait behind it.
            if not self._spool.get(session, name, folder):
                return self._objects.put(key, data, replace=replace)
        except StoreUnavailableError as e:
            logger.debug("%s goes into the spool: %s", key, e)
        self._spool.add(SpooledName(session, name, folder, replace), data)
        self._drainer.wake()
        return True

    def remove(self, session: str, name: str, folder: str = RESPONSES) -> None:
        """Remove, in the bucket and in the spool. Raises StoreUnavailableError."""
        self._objects.delete(_key(session, name, folder))
        if self._spool:
            self._spool.remove(session, name, folder)

    def scan(self, session: str) -> dict[str, Hashable]:
        """Every recording's name and its state, as ``state`` gives it. Raises StoreUnavailableError."""
        return self._with_waiting(session, self._objects.list_all(f"{session}/{RESPONSES}"))

    def glance(self, session: str, names: Sequence[str] = ()) -> dict[str, Hashable] | None:
        """The same, where one request tells it; else None. Raises StoreUnavailableError."""
        wanted = [_key(session, name, RESPONSES) for name in names]
        there = self._objects.list_few(f"{session}/{RESPONSES}", wanted)
        if there is None:
            return None
        return self._with_waiting(session, there)

    def fetch(self, session: str, files: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Fetched]:
        """Read files, all at once. Never raises."""

        def read(name: str, folder: str) -> Fetched:
            try:
                return self._read(session, name, folder)
            except StoreUnavailableError as e:
                return Fetched(None, None, e)
            except OSError as e:
                return Fetched(None, None, StoreUnavailableError(f"{self.where(session, name, folder)}: {e}"))

        fetching: dict[tuple[str, str], Future[Fetched]] = {}
        # What was seen a moment ago needs no thread; nor does one of the others.
        unseen = [file for file in files if not self._objects.is_fresh(_key(session, *file))]
        with contextlib.suppress(RuntimeError):  # The proxy stops.
            for file in unseen[1:]:
                fetching[file] = self._fetchers.submit(read, *file)
        found = {file: read(*file) for file in files if file not in fetching}
        return found | {file: future.result() for file, future in fetching.items()}

    def _read(self, session: str, name: str, folder: str) -> Fetched:
        while True:
            waiting, found = self._look(session, name, folder)
            if waiting is None:
                if found:
                    return Fetched(found.version.state, found.data)
                return Fetched(None, None)
            if (data := waiting.data()) is not None:
                return Fetched(waiting.path.name, data)

    def _with_waiting(self, session: str, there: Mapping[str, Version]) -> dict[str, Hashable]:
        waiting = {}
        for each in self._spool.entries() if self._spool else ():
            if (each.address.session, each.address.folder) == (session, RESPONSES):
                waiting[each.address.name] = each
        found: dict[str, Hashable] = {name: each.path.name for name, each in waiting.items()}
        for key, version in there.items():
            file = key.rpartition("/")[2]
            name = file.removesuffix(".json")
            if file.endswith(".json") and not file.startswith(".") and not _goes_before(waiting.get(name), version):
                found[name] = version.state
        return found

    def sessions(self) -> list[str]:
        """The sessions in the bucket and in the spool, in order. Raises StoreUnavailableError."""
        waiting = {each.address.session for each in self._spool.entries()} if self._spool else set()
        return sorted(waiting.union(self._objects.folders()))

    def refresh(self, session: str) -> None:
        """Ask again for all that was seen of a session: another process of this proxy has written."""
        self._objects.doubt(session)

    def check_writable(self, session: str) -> None:
        """Raise StoreAwayError where the server has answered that we may not write, or that there is no such bucket."""
        try:
            self._objects.kind()
        except StoreAwayError as e:
            if e.is_lasting:
                raise

    def start(self) -> None:
        """Find out what the server can do, and take up what an earlier process has left in the spool.

        Said in the log. Never raises: a bucket that is away is asked again at the first write.
        """
        if self._spool and self._drainer:
            for path in remove_leftovers(self._spool.folder, ""):
                logger.info("removed %s: its writer was killed", path)
            if pending := self._spool.pending:
                waiting = counted(pending, "file waits", "files wait")
                logger.info("%s in %s for %s", waiting, self._spool.folder, self.url)
            self._drainer.wake()
        try:
            self._objects.kind()
        except StoreUnavailableError as e:
            logger.warning("what the server can do is found out later: %s", e)

    def close(self) -> None:
        """End it. What still waits is kept for the next start."""
        self._fetchers.shutdown(wait=False, cancel_futures=True)
        if self.notes:
            self.notes.close()
        if self._spool and self._drainer:
            self._drainer.close()
            if pending := self._spool.pending:
                waiting = counted(pending, "file still waits", "files still wait")
                logger.warning("%s in %s for %s", waiting, self._spool.folder, self.url)

    def _look(self, session: str, name: str, folder: str) -> tuple[Waiting | None, StoredObject | None]:
        """What waits, or else what is in the bucket."""
        # The spool first: an entry that leaves it between the two looks is in the bucket then.
        waiting = None
        if self._spool:
            waiting = self._spool.get(session, name, folder)
        key = _key(session, name, folder)
        try:
            found = self._objects.see(key)
        except StoreAwayError:
            if waiting is None:
                raise
            return waiting, None
        if waiting and (found is None or _goes_before(waiting, found.version)):
            # When it has left the spool, that there was nothing is not to be believed any more.
            self._objects.forget(key)
            return waiting, None
        return None, found

    def _take_up(self, waiting: Waiting) -> None:
        """Put an entry of the spool where it belongs. Raises StoreUnavailableError."""
        if self.waiting == 1:
            self._taken_up.clear()
        to = waiting.address
        name = waiting.address.name
        newest = None
        if self._spool:
            newest = self._spool.get(to.session, to.name, to.folder)
        ours = waiting.data()
        if ours is None or (newest and newest.path != waiting.path and newest.address.replace):
            return  # Not to go up any more.
        if to.folder in (RESPONSES, WIRE) and is_frozen(self, to.session):
            # It was recorded by a proxy that could not see the mark.
            logger.error("RECORDING LOST: %s: the session is frozen", self.where(to.session, name, to.folder))
            return
        races = 0
        while races < _RACES:
            key = _key(to.session, name, to.folder)
            theirs = self._objects.see_now(key)
            if theirs and theirs.data == ours:
                break  # It had arrived after all.
            is_ours = to.replace and theirs is not None and theirs.version.state == self._taken_up.get(key)
            if theirs is None or is_ours or _goes_before(waiting, theirs.version):
                if self._objects.put(key, ours, replace=theirs is not None):
                    now = self._objects.see(key)
                    self._taken_up[key] = now.version.state if now else None
                    break
                races += 1
                continue
            settle = None
            if to.folder == RESPONSES:
                settle = self._settle
            elsewhere = None
            if settle:
                elsewhere = settle(to.session, name, ours, theirs.data)
            if elsewhere is None or elsewhere == name:
                logger.info("%s was written by another first", self.where(to.session, name, to.folder))
                if to.folder == RESPONSES:
                    self._follow(to, None)
                return
            name = elsewhere
        else:
            raise StoreUnavailableError(f"{self.where(to.session, name, to.folder)}: others write there all the time")
        if name != to.name:
            self._follow(to, name)

    def _follow(self, to: SpooledName, name: str | None) -> None:
        """A capture that waits goes where its recording went, or with it."""
        if self._spool and (capture := self._spool.get(to.session, to.name, WIRE)):
            if name and (data := capture.data()):
                self._spool.add(SpooledName(to.session, name, WIRE, capture.address.replace), data)
            self._spool.remove(to.session, to.name, WIRE)


def _key(session: str, name: str, folder: str) -> str:
    return f"{session}/{folder}/{name}.json"


def _goes_before(waiting: Waiting | None, version: Version) -> bool:
    """Whether what waits is served, and later put, instead of what is in the bucket."""
    if waiting is None or not waiting.address.replace:
        return False
    return version.modified is None or version.modified < waiting.written
