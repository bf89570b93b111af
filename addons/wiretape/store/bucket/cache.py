"""What was seen of a bucket: in memory for a moment and, where that is wanted, on a disk. Under ``objects``.

Neither asks the bucket. ``RecentObjects`` tells for how long something may be believed. The disk holds bytes by key and
ETag, which are believed only once the bucket confirms the ETag.
"""

import contextlib
import hashlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wiretape.store.atomic import write_file
from wiretape.store.bucket.versions import StoredObject, Version
from wiretape.store.lru import LruCache

logger = logging.getLogger(__name__)

_OVERHEAD = 400
"""How many bytes an entry takes beside its data, about: the key, the version and the tables."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a key, and when."""

    object: StoredObject | None
    """None where there was none."""
    asked_at: float
    """The time when the request was sent: it was true then, or later."""
    settled_at: float
    """A request has to be sent at this time, or later, to tell something newer."""


class RecentObjects:
    """The objects seen last, bounded in bytes; the longest unused goes first. For any number of threads.

    ``fresh`` is how many seconds it is believed what was seen.
    """

    def __init__(self, limit: int, fresh: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._fresh = fresh
        self._lock = threading.Lock()
        self._memory: LruCache[Seen] = LruCache(limit)
        self._doubted: dict[str, float] = {}

    @property
    def size(self) -> int:
        """How many bytes are held, about."""
        return self._memory.size

    def get(self, key: str) -> tuple[Seen | None, bool]:
        """Return what was last seen of a key, however long ago, and whether it is still to be believed."""
        seen = self._memory.get(key)
        if seen is None:
            return None, False
        since = max(self.clock() - self._fresh, self.doubted(key))
        return seen, seen.asked_at > since

    def doubted(self, key: str) -> float:
        """Return the time when the session of a key was last put in doubt."""
        return self._doubted.get(key.partition("/")[0], float("-inf"))

    def saw(self, key: str, stored: StoredObject | None, asked_at: float) -> None:
        """Remember an answer, unless its request was sent before a write of ours ended, which may have changed it."""
        with self._lock:
            known = self._memory.get(key)
            if known is None or known.settled_at <= asked_at:
                self._keep(key, Seen(stored, asked_at, asked_at))

    def confirm(self, key: str, version: Version, asked_at: float) -> None:
        """Believe the bytes of a key again, or no longer: a list has told which version it has."""
        with self._lock:
            known = self._memory.get(key)
            if known is None or known.settled_at > asked_at:
                return
            if known.object and known.object.version.state == version.state:
                self._keep(key, Seen(known.object, asked_at, asked_at))
            else:
                self._memory.drop(key)

    def wrote(self, key: str, stored: StoredObject | None, asked_at: float) -> None:
        """Remember what we have just written, or that we have removed it."""
        with self._lock:
            self._keep(key, Seen(stored, asked_at, self.clock()))

    def forget(self, key: str) -> None:
        """Believe nothing about a key."""
        self._memory.drop(key)

    def doubt(self, session: str) -> None:
        """Believe nothing about a session until it is asked for again. The bytes stay, because they may
        be confirmed.
        """
        self._doubted[session] = self.clock()

    def _keep(self, key: str, seen: Seen) -> None:
        size = _OVERHEAD + len(key)
        if seen.object:
            size += len(seen.object.data)
        self._memory.put(key, seen, size)


class Disk:
    """Bytes by key and ETag in one folder, bounded in bytes; the longest unused goes first. Never raises.

    Any number of processes may share the folder. A file is a line of JSON (key, version, SHA-256 of the data), and then
    the data.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._lock = threading.Lock()
        self._size: int | None = None

    def get(self, key: str) -> StoredObject | None:
        """Return what was last kept of a key. The bucket may have a newer version."""
        try:
            paths = sorted(self._folder.glob(f"{_digest(key)}-*"), key=lambda path: path.stat().st_mtime_ns)
            head, _, data = paths[-1].read_bytes().partition(b"\n")
            told = json.loads(head)
            if told["key"] != key or told["sha256"] != hashlib.sha256(data).hexdigest():
                return None  # The machine went down while the file was written.
            os.utime(paths[-1])
            return StoredObject(data, Version(told["e_tag"], told["version"], len(data)))
        except (OSError, IndexError, ValueError, KeyError, TypeError):
            return None

    def keep(self, key: str, stored: StoredObject) -> None:
        """Keep an object, in place of what was kept of its key before."""
        told = {
            "key": key,
            "e_tag": stored.version.e_tag,
            "version": stored.version.version,
            "sha256": hashlib.sha256(stored.data).hexdigest(),
        }
        path = self._folder / f"{_digest(key)}-{_digest(repr(stored.version.state))[:16]}"
        try:
            write_file(path, json.dumps(told).encode() + b"\n" + stored.data, replace=True, private=True)
            self._remove(key, but=path)
            with self._lock:
                self._bound(len(stored.data))
        except OSError as e:
            logger.warning("%s: not kept in the local cache: %s", self._folder, e)

    def drop(self, key: str) -> None:
        """Remove what was kept of a key."""
        with contextlib.suppress(OSError):
            self._remove(key)

    def _remove(self, key: str, but: Path | None = None) -> None:
        for path in self._folder.glob(f"{_digest(key)}-*"):
            if path != but:
                path.unlink(missing_ok=True)

    def _bound(self, added: int) -> None:
        if self._size is not None:
            self._size += (
                added  # This may be too much: a file that was replaced is counted until the folder is listed again.
            )
        if self._size is None or self._size > self._limit:
            files = []
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    with contextlib.suppress(FileNotFoundError):
                        files.append((entry.stat().st_mtime_ns, entry.stat().st_size, entry.path))
            self._size = sum(size for _, size, _ in files)
            for _, size, path in sorted(files):
                if self._size <= self._limit:
                    break
                Path(path).unlink(missing_ok=True)
                self._size -= size


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
