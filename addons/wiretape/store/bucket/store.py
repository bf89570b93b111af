"""A bucket as a store: ``<prefix>/<session>/responses/<name>.json``, with captures beside that in ``wire``.

Any number of proxies use it at once. What a proxy cannot write now waits in a spool on its machine: the proxies of that
machine serve it from there, and it goes up when the bucket is back. A recording is therefore in one of three places:

    only in the bucket      it is served as ``objects`` sees it
    only in the spool       it is served from the spool
    in both                 an entry that replaces what is older (``SpooledName.replace``) is served if it is the newer
                            of both; otherwise what the bucket has is served

When an entry goes up, another proxy may have written under the same name meanwhile: see ``take_up``.

While the bucket is away (``StoreAwayError``), what was seen before is served, and writes go into the spool; what was
never seen is not known, which is never taken for "nothing".
"""

import contextlib
import logging
from collections.abc import Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from wiretape.codecs.parts import Parts, digest
from wiretape.codecs.units import counted
from wiretape.exceptions import StoreAwayError, StoreUnavailableError
from wiretape.store.atomic import remove_leftovers
from wiretape.store.base import RESPONSES, Fetched
from wiretape.store.bucket.client import ObjectClient
from wiretape.store.bucket.objects import Objects, object_key
from wiretape.store.bucket.spool import Spool, SpooledName, Waiting
from wiretape.store.bucket.take_up import Settle, TakeUp, goes_before
from wiretape.store.bucket.uploader import Uploader
from wiretape.store.bucket.versions import StoredObject, Version
from wiretape.store.freezing import is_frozen
from wiretape.store.notes import Notes

logger = logging.getLogger(__name__)

_AT_ONCE = 64
"""How many objects are asked for at once, by all look-ups together."""


class BucketStore:
    """The recordings of all sessions below one prefix of one bucket.

    ``settle`` is asked where an entry of the spool finds the recording of another proxy in its place. Without it, that
    one stays.
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
        self._uploader = None
        if spool:
            taking_up = TakeUp(
                objects, spool, settle, is_frozen=lambda session: is_frozen(self, session), where=self.where
            )
            self._uploader = Uploader(spool, taking_up.put)

    def where(self, session: str, name: str = "", folder: str = RESPONSES) -> str:
        """Tell people where a recording is or would be, or, without a name, where the session is."""
        if name:
            return f"{self.url}/{object_key(session, name, folder)}"
        return f"{self.url}/{session}"

    @property
    def waiting(self) -> int:
        """How many files wait for the bucket on this machine."""
        if not self._spool:
            return 0
        return self._spool.pending

    def wait_until_up(self, timeout: float) -> bool:
        """Wait, at most so many seconds, until nothing waits for the bucket any more. Return whether that is so."""
        if not self._uploader:
            return True
        return self._uploader.wait_until_empty(timeout)

    def read(self, session: str, name: str, folder: str = RESPONSES) -> bytes | None:
        """Return the whole bytes, or None where there are none. Raises StoreUnavailableError where that
        cannot be told.
        """
        return self._read(session, name, folder).data

    def digest(self, session: str, name: str, folder: str = RESPONSES) -> str | None:
        """Return the digest that a capture has of the bytes, or None where there are none.

        Raises StoreUnavailableError.
        """
        data = self.read(session, name, folder)
        if data is None:
            return None
        return digest(data)

    def exists(self, session: str, name: str, folder: str = RESPONSES) -> bool:
        """Tell whether there is anything of this name. Raises StoreUnavailableError."""
        return any(each is not None for each in self._look(session, name, folder))

    def state(self, session: str, name: str, folder: str = RESPONSES) -> Hashable | None:
        """Return (ETag, size), or the name of an entry of the spool, or None where there is nothing.

        Raises StoreUnavailableError.
        """
        waiting, stored = self._look(session, name, folder)
        if waiting:
            return waiting.path.name
        if not stored:
            return None
        return stored.version.state

    def write(self, session: str, name: str, data: bytes | Parts, *, replace: bool, folder: str = RESPONSES) -> bool:
        """Write where there is nothing, or, with ``replace``, where nothing has changed since it was last read.

        Return False where the recording of another proxy stays. While the bucket is away, write into the spool and
        return True; ``replace`` then replaces whatever is older. Raises OSError where it could be written to neither.
        """
        key = object_key(session, name, folder)
        data = bytes(data)
        if not self._spool or not self._uploader:
            return self._objects.put(key, data, replace=replace)
        try:
            # Where an older version of it waits, this one has to wait behind that.
            if not self._spool.get(session, name, folder):
                return self._objects.put(key, data, replace=replace)
        except StoreUnavailableError as e:
            logger.debug("%s goes into the spool: %s", key, e)
        self._spool.add(SpooledName(session, name, folder, replace), data)
        self._uploader.wake()
        return True

    def remove(self, session: str, name: str, folder: str = RESPONSES) -> None:
        """Remove it from the bucket and from the spool. Raises StoreUnavailableError."""
        self._objects.delete(object_key(session, name, folder))
        if self._spool:
            self._spool.remove(session, name, folder)

    def scan(self, session: str) -> dict[str, Hashable]:
        """Return the name of every recording with its state, as ``state`` gives it. Raises StoreUnavailableError."""
        return self._with_waiting(session, self._objects.list_all(f"{session}/{RESPONSES}"))

    def glance(self, session: str, names: Sequence[str] = ()) -> dict[str, Hashable] | None:
        """Return the same, or None where that takes more than one request. Raises StoreUnavailableError."""
        wanted = [object_key(session, name, RESPONSES) for name in names]
        there = self._objects.list_few(f"{session}/{RESPONSES}", wanted)
        if there is None:
            return None
        return self._with_waiting(session, there)

    def fetch(self, session: str, files: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Fetched]:
        """Read several files at once. Never raises."""

        def read(name: str, folder: str) -> Fetched:
            try:
                return self._read(session, name, folder)
            except StoreUnavailableError as e:
                return Fetched(None, None, e)
            except OSError as e:
                return Fetched(None, None, StoreUnavailableError(f"{self.where(session, name, folder)}: {e}"))

        fetching: dict[tuple[str, str], Future[Fetched]] = {}
        # What was seen a moment ago needs no thread, and one of the others is read by this one.
        unseen = [file for file in files if not self._objects.is_fresh(object_key(session, *file))]
        with contextlib.suppress(RuntimeError):  # The proxy stops.
            for file in unseen[1:]:
                fetching[file] = self._fetchers.submit(read, *file)
        fetched = {file: read(*file) for file in files if file not in fetching}
        return fetched | {file: future.result() for file, future in fetching.items()}

    def _read(self, session: str, name: str, folder: str) -> Fetched:
        while True:
            waiting, stored = self._look(session, name, folder)
            if waiting is None:
                if stored:
                    return Fetched(stored.version.state, stored.data)
                return Fetched(None, None)
            data = waiting.data()
            if data is not None:
                return Fetched(waiting.path.name, data)

    def _with_waiting(self, session: str, there: Mapping[str, Version]) -> dict[str, Hashable]:
        waiting = {}
        for each in self._entries():
            if (each.address.session, each.address.folder) == (session, RESPONSES):
                waiting[each.address.name] = each
        states: dict[str, Hashable] = {name: each.path.name for name, each in waiting.items()}
        for key, version in there.items():
            file = key.rpartition("/")[2]
            name = file.removesuffix(".json")
            if file.endswith(".json") and not file.startswith(".") and not goes_before(waiting.get(name), version):
                states[name] = version.state
        return states

    def sessions(self) -> list[str]:
        """Return the names of the sessions in the bucket and in the spool, in order. Raises StoreUnavailableError."""
        waiting = {each.address.session for each in self._entries()}
        return sorted(waiting.union(self._objects.folders()))

    def refresh(self, session: str) -> None:
        """Have everything of a session asked for again: another process of this proxy has written into it."""
        self._objects.doubt(session)

    def check_writable(self, session: str) -> None:
        """Raise StoreAwayError where the server has answered that we may not write, or that there is no such bucket."""
        try:
            self._objects.kind()
        except StoreAwayError as e:
            if e.is_lasting:
                raise

    def start(self) -> None:
        """Find out what the server can do, take up what an earlier process has left in the spool, and log that.

        Never raises: a bucket that is away is asked again at the first write.
        """
        if self._spool and self._uploader:
            for path in remove_leftovers(self._spool.folder, ""):
                logger.info("removed %s: its writer was killed", path)
            pending = self._spool.pending
            if pending:
                waiting = counted(pending, "file waits", "files wait")
                logger.info("%s in %s for %s", waiting, self._spool.folder, self.url)
            self._uploader.wake()
        try:
            self._objects.kind()
        except StoreUnavailableError as e:
            logger.warning("what the server can do is found out later: %s", e)

    def close(self) -> None:
        """Stop. What still waits is kept for the next start."""
        self._fetchers.shutdown(wait=False, cancel_futures=True)
        if self.notes:
            self.notes.close()
        if self._spool and self._uploader:
            self._uploader.close()
            pending = self._spool.pending
            if pending:
                waiting = counted(pending, "file still waits", "files still wait")
                logger.warning("%s in %s for %s", waiting, self._spool.folder, self.url)

    def _look(self, session: str, name: str, folder: str) -> tuple[Waiting | None, StoredObject | None]:
        """Return the entry of the spool that is to be served, or the object of the bucket, or neither."""
        # The spool is looked at first: an entry that leaves it between the two looks is in the bucket then.
        waiting = self._waiting_at(session, name, folder)
        key = object_key(session, name, folder)
        try:
            stored = self._objects.see(key)
        except StoreAwayError:
            if waiting is None:
                raise
            return waiting, None
        if waiting and (stored is None or goes_before(waiting, stored.version)):
            # Once the entry has left the spool, it is no longer true that the bucket has nothing.
            self._objects.forget(key)
            return waiting, None
        return None, stored

    def _waiting_at(self, session: str, name: str, folder: str) -> Waiting | None:
        if not self._spool:
            return None
        return self._spool.get(session, name, folder)

    def _entries(self) -> Iterator[Waiting]:
        if self._spool:
            yield from self._spool.entries()
