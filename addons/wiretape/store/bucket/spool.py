"""Recordings that wait on a local disk for a bucket that is away. It knows no bucket.

Any number of processes of one machine share the folder: the proxy, its writer, and those that start after a kill. An
entry is a file of its own, written whole, which nobody ever changes; so nobody has to know who wrote it, or whether
that process still lives. The process that takes entries up holds a lock, which ends with the process.
"""

import contextlib
import errno
import hashlib
import json
import logging
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from wiretape.store.atomic import write_file
from wiretape.store.failures import is_absent

if sys.platform != "win32":
    import fcntl

logger = logging.getLogger(__name__)

_ENTRY = ".entry"


@dataclass(frozen=True, slots=True)
class SpooledName:
    """Where an entry goes, and whether it replaces what is older there."""

    session: str
    name: str
    folder: str
    replace: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry of the spool."""

    path: Path
    address: SpooledName
    written: datetime

    def data(self) -> bytes | None:
        """Return the bytes, or None where the entry went up a moment ago. Raises OSError."""
        try:
            return self.path.read_bytes().partition(b"\n")[2]
        except FileNotFoundError:
            return None


class Spool:
    """The entries in one folder, oldest first, with at most ``limit`` bytes of files. For any number of threads."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self._limit = limit
        self._adding = threading.Lock()
        self._draining = threading.Lock()

    def add(self, address: SpooledName, data: bytes) -> None:
        """Keep bytes until they can go up. Raises OSError where there is no room, or the disk fails."""
        now = datetime.now(UTC)
        head = json.dumps(asdict(address) | {"written": now.isoformat()}).encode() + b"\n"
        name = f"{time.time_ns():020}-{_digest(address.session, address.folder, address.name)}-{secrets.token_hex(4)}"
        with self._adding:
            taken = self.size
            if taken + len(head) + len(data) > self._limit:
                raise OSError(
                    errno.ENOSPC,
                    f"the bucket is away and the spool is full: {taken:,} of {self._limit:,} bytes wait",
                    str(self.folder),
                )
            write_file(self.folder / f"{name}{_ENTRY}", head + data, replace=False, private=True)

    def get(self, session: str, name: str, folder: str) -> Waiting | None:
        """Return the newest entry for this name, or None."""
        digest = f"-{_digest(session, folder, name)}-"
        for path in reversed(self._paths()):
            if digest in path.name:
                waiting = _load(path)
                if waiting:
                    return waiting
        return None

    def entries(self) -> Iterator[Waiting]:
        """Yield every entry, oldest first."""
        for path in self._paths():
            waiting = _load(path)
            if waiting:
                yield waiting

    @property
    def pending(self) -> int:
        """How many entries wait."""
        return len(self._paths())

    @property
    def size(self) -> int:
        """How many bytes wait."""
        total = 0
        for path in self._paths():
            with contextlib.suppress(FileNotFoundError):
                total += path.stat().st_size
        return total

    def remove(self, session: str, name: str, folder: str) -> None:
        """Remove all entries for this name."""
        while waiting := self.get(session, name, folder):
            waiting.path.unlink(missing_ok=True)

    def drain(self, put: Callable[[Waiting], None]) -> int:
        """Give each entry to ``put``, oldest first, and remove it where that raises nothing. Return how many were
        removed.

        An entry that cannot be put does not hold up the others. After two in a row it ends, and the last error is
        raised. While another thread or process is draining, nothing happens. ``put`` may get an entry that it has had
        before, if a process was killed in between.
        """
        with self._alone() as is_alone:
            if is_alone:
                return self._drain(put)
        return 0

    def _drain(self, put: Callable[[Waiting], None]) -> int:
        done = 0
        failed_in_a_row = 0
        error: OSError | None = None
        for waiting in self.entries():
            try:
                put(waiting)
            except OSError as e:
                error = e
                failed_in_a_row += 1
                if failed_in_a_row == 2:
                    break
            else:
                waiting.path.unlink(missing_ok=True)
                done += 1
                failed_in_a_row = 0
        if error:
            raise error
        return done

    def _paths(self) -> list[Path]:
        try:
            names = os.listdir(self.folder)  # noqa: PTH208  each look-up needs it: it has to be fast
        except OSError as e:
            if is_absent(e, str(self.folder)):
                return []
            raise
        return [self.folder / name for name in sorted(names) if name.endswith(_ENTRY)]

    @contextlib.contextmanager
    def _alone(self) -> Iterator[bool]:
        if not self._draining.acquire(blocking=False):
            yield False
            return
        try:
            if sys.platform == "win32" or not self.folder.is_dir():
                yield True  # Two processes that take up the same entries do no harm.
                return
            with (self.folder / ".lock").open("ab") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    yield False
                    return
                yield True
        finally:
            self._draining.release()


def _digest(*words: str) -> str:
    return hashlib.sha256("/".join(words).encode()).hexdigest()[:32]


def _load(path: Path) -> Waiting | None:
    try:
        with path.open("rb") as file:
            head = file.readline()
    except FileNotFoundError:
        return None  # It went up a moment ago.
    try:
        told = json.loads(head)
        written = datetime.fromisoformat(told.pop("written"))
        return Waiting(path, SpooledName(**told), written)
    except (ValueError, TypeError, KeyError, AttributeError):
        logger.error("%s: no entry of a spool, put aside", path)
        with contextlib.suppress(OSError):
            path.rename(path.with_suffix(".broken"))
        return None
