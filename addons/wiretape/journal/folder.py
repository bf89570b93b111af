"""Where journals are: a folder for each proxy process, its key, and the locks that tell whether its people live.

    <state>/wiretape/journal/<id>/      0700, in the user's state folder; files of exchanges, 0600
        owner.lock                      held by the proxy for as long as it lives
        writer.lock                     held by whoever writes recordings from it

What is in a journal is sealed with its key, which is never on a disk: it is in the proxy, in its writer process, and
in a file of a memory-backed file system (see ``journal_key``), so that what a proxy and its writer left that were
killed at once can still be read. After the machine's next start the key is gone, and what was left with it. Where
there is no such file system the key is in the two processes alone.

Locks are flocks: the system lets go of them when a process ends, however it ends. Whoever finishes another's journal
holds both, so that of two who start at once only one does.
"""

import contextlib
import logging
import os
import re
import secrets
import stat
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wiretape.journal import key as key_file
from wiretape.journal.exchange_file import JournalEntry, Stage, StoredExchange, staged
from wiretape.store.mounts import is_elsewhere

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

logger = logging.getLogger(__name__)

_ID = re.compile(r"\d+-[0-9a-f]{16}")
ATTEMPT = "attempt"
"""The file that says which exchange is being written, and for which time."""

_STOCK = 32
"""Files that are ready for the next exchanges: to make one takes long where the disk is at work."""

_GONE = FileNotFoundError, NotADirectoryError
"""What says that somebody has removed a journal's folder, and perhaps has put something in its place."""

_OWNER, _WRITER = "owner.lock", "writer.lock"


def state_folders() -> list[Path]:
    """The folders where journals can be, the best first. Which it is depends on the environment, as a user's does."""
    return [Path(base, "wiretape", "journal") for base in _bases()] + [_temporary() / "journal"]


def _bases() -> Iterator[str]:
    chosen = os.environ.get("XDG_STATE_HOME") or os.environ.get("LOCALAPPDATA") or ""
    if Path(chosen).is_absolute():
        yield chosen
        return
    with contextlib.suppress(RuntimeError):  # A user without a home, as in some containers.
        yield str(Path.home() / ".local" / "state")


def _temporary() -> Path:
    return Path(tempfile.gettempdir(), f"wiretape-{os.getuid() if hasattr(os, 'getuid') else 'journal'}")


class Lock:
    """A lock on a file, held until it is let go or the process ends."""

    def __init__(self, file: int) -> None:
        self._file: int | None = file

    @classmethod
    def take(cls, path: Path) -> "Lock | None":
        """Take it; None where another process has it, or its folder has gone. Raises OSError."""
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except _GONE:
            return None
        try:
            if sys.platform == "win32":
                msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Another may have finished meanwhile, and removed the file that we have locked.
            if path.exists() and path.stat().st_ino == os.fstat(file).st_ino:
                return cls(file)
        except OSError:
            pass
        os.close(file)
        return None

    def release(self) -> None:
        """Let go."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


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
        """Its files at these stages, of each stage in order; none where it has been removed. Raises OSError."""
        try:
            names = os.listdir(self.path)  # noqa: PTH208
        except _GONE:
            return []
        found = [kept for name in names if (kept := StoredExchange.of(self.path / name))]
        chosen = [kept for kept in found if kept.stage in stages]
        return sorted(chosen, key=lambda kept: (stages.index(kept.stage), kept.order))

    def remove_empty(self) -> None:
        """Remove the files that wait for an exchange: there will be none. Raises OSError."""
        for kept in self.files(Stage.LIVE):
            with contextlib.suppress(FileNotFoundError):
                told = kept.path.lstat()
                if stat.S_ISREG(told.st_mode) and told.st_size == 0:
                    kept.path.unlink()

    def remove(self) -> None:
        """Remove it with its key: nothing is left in it. Never raises."""
        # The key first: a folder without one and without files is removed by whoever comes next.
        key_file.forget(self.path)
        with contextlib.suppress(OSError):
            self.remove_empty()
        for name in (ATTEMPT, _WRITER, _OWNER):
            with contextlib.suppress(OSError):
                (self.path / name).unlink()
        with contextlib.suppress(OSError):
            self.path.rmdir()

    def lock_for_writing(self) -> Lock | None:
        """The writer's lock; None where another process writes from it. Raises OSError."""
        return Lock.take(self.path / _WRITER)


class Journal:
    """A proxy's own journal. For the traffic's thread: what it counts is counted by nobody else.

    ``fill`` and ``remove`` are for the writer's thread. They touch files and the stock, which two threads may share.
    """

    def __init__(self, folder: Folder, lock: Lock, limit: int) -> None:
        self.folder = folder
        self.limit = limit
        self._cipher = folder.cipher
        self._owner = str(folder.path / _OWNER)
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
            text = (
                "no folder in memory can keep the journal's key: what a proxy and its writer leave is lost if both are"
            )
            logger.info("%s killed", text)

    @classmethod
    def create(cls, limit: int) -> "Journal":
        """Make one, with a new key. Raises OSError, saying what to do."""
        faults = []
        for parent in state_folders():
            try:
                made = cls._create(parent, limit)
            except OSError as e:
                faults.append(f"{parent}: {e.strerror or e}")
                continue
            for fault in faults:
                logger.warning("no journal can be at %s; it is in %s", fault, parent)
            return made
        told = "; ".join(faults)
        raise OSError(f"there is no place for a journal ({told}): let XDG_STATE_HOME name a folder that can be written")

    @classmethod
    def _create(cls, parent: Path, limit: int) -> "Journal":
        if is_elsewhere(parent):
            raise OSError("it is on another machine's disk, for which the traffic would wait")
        _make_private(parent)
        name = f"{os.getpid()}-{secrets.token_hex(8)}"
        # Under its name only when it is locked: whoever looks for what was left must not find it before.
        draft = parent / f".{name}"
        draft.mkdir(0o700)
        lock = Lock.take(draft / _OWNER)
        if lock is None:
            raise OSError("its files cannot be locked")
        path = parent / name
        draft.rename(path)
        key = AESGCM.generate_key(256)
        return cls(Folder(path, key), lock, limit)

    @property
    def is_there(self) -> bool:
        """Whether nobody has removed its folder."""
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
        """Whether so many bytes more are within its bound."""
        return self._total + size <= self.limit

    def call_when_freed(self, callback: Callable[[], None]) -> None:
        """Call back once, when there is more room."""
        self._waiting.append(callback)

    def begin(self) -> JournalEntry:
        """A new exchange. Raises OSError."""
        return self._stock.popleft() if self._stock else self._made()

    def _made(self) -> JournalEntry:
        return JournalEntry(self._cipher, self.folder.path, next(self._numbers))

    def fill(self) -> None:
        """Be ready for the next exchanges. For one thread at a time, whichever it is; never raises."""
        if not self.is_there:
            return
        if self._key_file and not Path(self._key_file).exists():
            # As systems do when a user logs out whose proxy goes on.
            logger.warning("%s has been removed: it is made again", self._key_file)
            self._key_file = key_file.keep(self.folder.path, self.folder.key)
        with contextlib.suppress(OSError):  # Told when an exchange begins and there is none.
            while len(self._stock) < _STOCK:
                self._stock.append(self._made())

    def remove(self, number: int, stage: Stage) -> None:
        """Remove the file of an exchange that the writer is done with. For any thread; never raises."""
        with contextlib.suppress(OSError):
            staged(self.folder.path, number, stage).unlink()

    def grown(self, entry: JournalEntry) -> None:
        """An exchange's file has its size."""
        self._total += entry.size - self._taken.get(entry.number, 0)
        self._taken[entry.number] = entry.size

    def hand_over(self, entry: JournalEntry) -> None:
        """An exchange has its last record. Raises OSError."""
        self._order += 1
        entry.hand_over(self._order)
        self._ended.add(entry.number)

    def written(self, number: int) -> None:
        """The writer is done with an exchange."""
        self.kept(number)
        self.freed(number)

    def kept(self, number: int) -> None:
        """The writer has told of an exchange, whose file may stay."""
        self._ended.discard(number)

    def freed(self, number: int) -> None:
        """What was in an exchange's file has gone."""
        self._total -= self._taken.pop(number, 0)
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            callback()

    def release(self) -> None:
        """The proxy ends: what is left is the writer's, or the next start's."""
        while self._stock:
            self._stock.pop().close()
        self._lock.release()


def _make_private(folder: Path) -> None:
    folder.mkdir(0o700, parents=True, exist_ok=True)
    # Below a folder for all, somebody else may have made it first.
    for each in (folder.parent, folder):
        found = each.lstat()
        if hasattr(os, "getuid") and (not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid()):
            raise OSError(f"{each} is another user's")
        if found.st_mode & 0o077:
            each.chmod(0o700)


@dataclass(frozen=True, slots=True)
class Leftover:
    """The journal of a proxy that has ended, in our hands alone."""

    path: Path
    key: bytes | None
    """None where it is gone, and with it all that was left."""

    @property
    def process(self) -> str:
        """The id that the proxy's process had."""
        return self.path.name.partition("-")[0]


@contextlib.contextmanager
def take_over(path: Path) -> Iterator[Leftover | None]:
    """The journal of a proxy that has ended, for as long as this lasts; None where the proxy lives, or its writer."""
    locks: list[Lock] = []
    try:
        for name in (_OWNER, _WRITER):
            lock = Lock.take(path / name) if path.is_dir() else None
            if lock is None:
                yield None
                return
            locks.append(lock)
        yield Leftover(path, key_file.find(path))
    finally:
        for lock in locks:
            lock.release()


def journals() -> list[Path]:
    """The folders of all journals of this user, whoever's they are. Never raises."""
    found = []
    for parent in state_folders():
        with contextlib.suppress(OSError):
            found += [each for each in sorted(parent.iterdir()) if _ID.fullmatch(each.name) and _is_own(each)]
    return found


def _is_own(path: Path) -> bool:
    told = path.lstat()
    return stat.S_ISDIR(told.st_mode) and (not hasattr(os, "getuid") or told.st_uid == os.getuid())


def has_leftovers() -> bool:
    """Whether there is a journal whose proxy has ended and that nobody sees to."""
    for path in journals():
        with contextlib.suppress(OSError), take_over(path) as leftover:
            if leftover:
                return True
    return False
