"""What was seen of a bucket: in memory for a moment and, where asked, on a disk. In front of ``remote``.

Neither asks the bucket. ``RecentObjects`` tells for how long something may be believed; the disk holds bytes by key and
ETag, which are believed only when the bucket confirms the ETag.
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

from wiretape.store.bucket.client import StoredObject, Version
from wiretape.store.directory import write_file
from wiretape.store.lru import LruCache

logger = logging.getLogger(__name__)

_OVERHEAD = 400
"""Bytes that an entry takes beside its data: key, version and the tables, about."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a key was found to be."""

    found: StoredObject | None
    """None: nothing there."""
    asked: float
    """The clock when the question was sent: it was true then, or later."""
    settled: float
    """The clock from which a question has to be sent to know better."""


class RecentObjects:
    """The last things seen, bounded in bytes; the longest unused goes first. For any number of threads.

    ``fresh``: seconds for which something seen is believed.
    """

    def __init__(self, limit: int, fresh: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._fresh = fresh
        self._lock = threading.Lock()
        self._memory: LruCache[Seen] = LruCache(limit)
        self._doubted: dict[str, float] = {}

    @property
    def size(self) -> int:
        """Bytes held, about."""
        return self._memory.size

    def get(self, key: str) -> tuple[Seen | None, bool]:
        """What was last seen of a key, however long ago, and whether it is still to be believed."""
        seen = self._memory.get(key)
        if seen is None:
            return None, False
        since = max(self.clock() - self._fresh, self.doubted(key))
        return seen, seen.asked > since

    def doubted(self, key: str) -> float:
        """The clock when the session of a key was last put in doubt."""
        return self._doubted.get(key.partition("/")[0], float("-inf"))

    def saw(self, key: str, found: StoredObject | None, asked: float) -> None:
        """Remember the answer to a question. One that was sent before a write of ours ended does not undo it."""
        with self._lock:
            known = self._memory.get(key)
            if known is None or known.settled <= asked:
                self._keep(key, Seen(found, asked, asked))

    def confirm(self, key: str, version: Version, asked: float) -> None:
        """Of a key that was seen, a list now tells the version: believe the bytes again, or no more."""
        with self._lock:
            known = self._memory.get(key)
            if known is None or known.settled > asked:
                return
            if known.found and known.found.version.state == version.state:
                self._keep(key, Seen(known.found, asked, asked))
            else:
                self._memory.drop(key)

    def wrote(self, key: str, found: StoredObject | None, asked: float) -> None:
        """Remember what we have just made of a key."""
        with self._lock:
            self._keep(key, Seen(found, asked, self.clock()))

    def forget(self, key: str) -> None:
        """Believe nothing of a key."""
        self._memory.drop(key)

    def doubt(self, session: str) -> None:
        """Believe nothing of a session before it is asked for again; the bytes stay, as they may be confirmed."""
        self._doubted[session] = self.clock()

    def _keep(self, key: str, seen: Seen) -> None:
        self._memory.put(key, seen, _OVERHEAD + len(key) + (len(seen.found.data) if seen.found else 0))


class Disk:
    """Bytes by key and ETag in one folder, bounded in bytes; the longest unused goes first. Never raises.

    Any number of processes may share the folder. A file is a line of JSON (key, version, SHA-256 of the data), then
    the data.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._lock = threading.Lock()
        self._size: int | None = None

    def get(self, key: str) -> StoredObject | None:
        """What was last kept of a key; it may have changed since."""
        try:
            paths = sorted(self._folder.glob(f"{_digest(key)}-*"), key=lambda path: path.stat().st_mtime_ns)
            head, _, data = paths[-1].read_bytes().partition(b"\n")
            told = json.loads(head)
            if told["key"] != key or told["sha256"] != hashlib.sha256(data).hexdigest():
                return None  # The machine went down as it was written.
            os.utime(paths[-1])
            return StoredObject(data, Version(told["e_tag"], told["version"], len(data)))
        except (OSError, IndexError, ValueError, KeyError, TypeError):
            return None

    def keep(self, key: str, found: StoredObject) -> None:
        """Keep, and remove what was kept of this key before."""
        told = {
            "key": key,
            "e_tag": found.version.e_tag,
            "version": found.version.version,
            "sha256": hashlib.sha256(found.data).hexdigest(),
        }
        path = self._folder / f"{_digest(key)}-{_digest(repr(found.version.state))[:16]}"
        try:
            write_file(path, json.dumps(told).encode() + b"\n" + found.data, replace=True, private=True)
            self._remove(key, but=path)
            with self._lock:
                self._bound(len(found.data))
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
            self._size += added  # At least: what was replaced is counted until the folder is looked at again.
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
