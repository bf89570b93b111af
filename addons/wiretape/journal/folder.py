"""The folder of a journal: where a proxy's live answers are until their recordings are written.

    <state>/wiretape/journal/<id>/      0700, in the user's state folder; files of exchanges, 0600
        owner.lock                      held by the proxy for as long as it lives
        writer.lock                     held by whoever writes recordings from it
        attempt                         which exchange is being written, and for which time

What is in a journal is sealed with its key, which is never on a disk: it is in the proxy, in its writer process, and
in a file of a memory-backed file system (see ``key``), so that what a proxy and its writer left that were killed at
once can still be read. After the machine's next start the key is gone, and what was left with it. Where there is no
such file system the key is in the two processes alone.

Who sees to a journal is told by its two locks:

    owner.lock   writer.lock
    held         held           the proxy is at work, and its writer
    held         free           its writer was killed, and is about to be started again
    free         held           the proxy has ended: the writer finishes the journal and removes it
    free         free           both were killed: whoever comes next takes both locks and finishes it (``leftovers``)

A journal is bounded. Its proxy counts what it has written; the writer tells what has become a recording, and then that
much is free again. Where it is full nothing new begins: what has begun needs the room that is left.
"""

import contextlib
import logging
import os
import secrets
import stat
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wiretape.journal import key as key_file
from wiretape.journal.exchange_file import JournalEntry, Stage, StoredExchange, staged
from wiretape.journal.lock import Lock
from wiretape.journal.places import make_private, state_folders
from wiretape.store.mounts import is_elsewhere

logger = logging.getLogger(__name__)

OWNER = "owner.lock"
WRITER = "writer.lock"

ATTEMPT = "attempt"
"""The file that says which exchange is being written, and for which time."""

_STOCK = 32
"""Files that are ready for the next exchanges: to make one takes long where the disk is at work."""

_GONE = FileNotFoundError, NotADirectoryError
"""What says that a journal's folder was removed, and perhaps that something else stands in its place."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of a journal, and its key, for whoever writes recordings from it."""

    path: Path
    key: bytes

    @property
    def cipher(self) -> AESGCM:
        """What opens its records."""
        return AESGCM(self.key)

    def files(self, *stages: Stage) -> list[StoredExchange]:
        """Return its files at these stages, of each stage in order; none where it has been removed. Raises OSError."""
        try:
            names = os.listdir(self.path)  # noqa: PTH208
        except _GONE:
            return []
        exchanges = [exchange for name in names if (exchange := StoredExchange.of(self.path / name))]
        chosen = [exchange for exchange in exchanges if exchange.stage in stages]
        return sorted(chosen, key=lambda exchange: (stages.index(exchange.stage), exchange.order))

    def remove_empty(self) -> None:
        """Remove the files that wait for an exchange: there will be none. Raises OSError."""
        for exchange in self.files(Stage.LIVE):
            with contextlib.suppress(FileNotFoundError):
                status = exchange.path.lstat()
                if stat.S_ISREG(status.st_mode) and status.st_size == 0:
                    exchange.path.unlink()

    def remove(self) -> None:
        """Remove the folder with its key, when nothing is left in it. Never raises."""
        # The key first: a folder without one and without files is removed by whoever comes next.
        key_file.forget(self.path)
        with contextlib.suppress(OSError):
            self.remove_empty()
        for name in (ATTEMPT, WRITER, OWNER):
            with contextlib.suppress(OSError):
                (self.path / name).unlink()
        with contextlib.suppress(OSError):
            self.path.rmdir()

    def lock_for_writing(self) -> Lock | None:
        """Take the writer's lock; return None where another process writes from it. Raises OSError."""
        return Lock.take(self.path / WRITER)


class Journal:
    """A proxy's own journal. For the traffic's thread: what it counts is counted by nobody else.

    ``fill`` and ``remove`` are for the writer's thread. They touch files and the stock, which two threads may share.
    """

    def __init__(self, folder: Folder, lock: Lock, limit: int) -> None:
        self.folder = folder
        self.limit = limit
        self._cipher = folder.cipher
        self._owner = str(folder.path / OWNER)
        self._lock = lock
        self._numbers = count(1)
        self._order = 0
        self._taken: dict[int, int] = {}
        self._total = 0
        self._ended: set[int] = set()
        """Exchanges that the writer has, and has not told of."""
        self._stock: deque[JournalEntry] = deque()
        """What is ready for the next exchanges: taken from by the traffic's thread, filled by the writer's."""
        self._waiting: list[Callable[[], None]] = []
        self._key_file = key_file.keep(folder.path, folder.key)
        if self._key_file is None:
            logger.info(
                "no folder in memory can keep the journal's key: "
                "what a proxy and its writer leave is lost if both are killed"
            )

    @classmethod
    def create(cls, limit: int) -> "Journal":
        """Make a journal with a new key. Raises OSError, saying what to do."""
        faults = []
        for parent in state_folders():
            try:
                journal = cls._create(parent, limit)
            except OSError as e:
                faults.append(f"{parent}: {e.strerror or e}")
                continue
            for fault in faults:
                logger.warning("no journal can be at %s; it is in %s", fault, parent)
            return journal
        told = "; ".join(faults)
        raise OSError(f"there is no place for a journal ({told}): let XDG_STATE_HOME name a folder that can be written")

    @classmethod
    def _create(cls, parent: Path, limit: int) -> "Journal":
        if is_elsewhere(parent):
            raise OSError("it is on another machine's disk, for which the traffic would wait")
        make_private(parent)
        name = f"{os.getpid()}-{secrets.token_hex(8)}"
        # Under its name only when it is locked: whoever looks for what was left must not find it before.
        draft = parent / f".{name}"
        draft.mkdir(0o700)
        lock = Lock.take(draft / OWNER)
        if lock is None:
            raise OSError("its files cannot be locked")
        path = parent / name
        draft.rename(path)
        key = AESGCM.generate_key(256)
        return cls(Folder(path, key), lock, limit)

    @property
    def is_there(self) -> bool:
        """Whether its folder is still there."""
        return os.path.exists(self._owner)  # noqa: PTH110  on the way of each answer

    @property
    def is_full(self) -> bool:
        """Whether a new answer should wait for room: those that have begun need some, and the writer will make it."""
        return self._total > self.limit * 3 // 4 and bool(self._ended)

    @property
    def taken(self) -> int:
        """Bytes that are in it."""
        return self._total

    def has_room(self, size: int) -> bool:
        """Return whether so many bytes more are within its bound."""
        return self._total + size <= self.limit

    def call_when_freed(self, callback: Callable[[], None]) -> None:
        """Call back once, when there is more room."""
        self._waiting.append(callback)

    def begin(self) -> JournalEntry:
        """Return the file of a new exchange. Raises OSError."""
        return self._stock.popleft() if self._stock else self._new_entry()

    def _new_entry(self) -> JournalEntry:
        return JournalEntry(self._cipher, self.folder.path, next(self._numbers))

    def fill(self) -> None:
        """Make files for the next exchanges. For one thread at a time, whichever it is; never raises."""
        if not self.is_there:
            return
        if self._key_file and not Path(self._key_file).exists():
            # As systems do when a user logs out whose proxy goes on.
            logger.warning("%s has been removed: it is made again", self._key_file)
            self._key_file = key_file.keep(self.folder.path, self.folder.key)
        with contextlib.suppress(OSError):  # Told when an exchange begins and there is none.
            while len(self._stock) < _STOCK:
                self._stock.append(self._new_entry())

    def remove(self, number: int, stage: Stage) -> None:
        """Remove the file of an exchange that the writer is done with. For any thread; never raises."""
        with contextlib.suppress(OSError):
            staged(self.folder.path, number, stage).unlink()

    def grown(self, entry: JournalEntry) -> None:
        """Count what an exchange's file has grown by."""
        self._total += entry.size - self._taken.get(entry.number, 0)
        self._taken[entry.number] = entry.size

    def hand_over(self, entry: JournalEntry) -> None:
        """Give the writer an exchange that has its last record. Raises OSError."""
        self._order += 1
        entry.hand_over(self._order)
        self._ended.add(entry.number)

    def written(self, number: int) -> None:
        """Note that the writer is done with an exchange, and that its room is free."""
        self.kept(number)
        self.freed(number)

    def kept(self, number: int) -> None:
        """Note that the writer has told of an exchange, whose file may stay."""
        self._ended.discard(number)

    def freed(self, number: int) -> None:
        """Note that the room of an exchange's file is free, and tell those who wait for room."""
        self._total -= self._taken.pop(number, 0)
        waiting = self._waiting
        self._waiting = []
        for callback in waiting:
            callback()

    def release(self) -> None:
        """Let go of it, as the proxy ends: what is left is the writer's, or the next start's."""
        while self._stock:
            self._stock.pop().close()
        self._lock.release()
