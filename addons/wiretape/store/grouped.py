"""A directory in which several files are written at once: what is written waits in memory until ``commit``.

In front of ``directory``, for the process that writes recordings. A file that is written by itself waits for the disk
three times; a group waits three times for all of them: all temporary files, synced side by side, then all the
renames, then each folder once. Nothing has its name before its bytes are on the disk, as with a file by itself.

Until then whoever asks this store sees what waits as if it were there. What cannot be told before the end is whether
another process takes a name first: ``commit`` gives what did not get its name, and that is written anew by itself.
"""

import contextlib
import os
from collections.abc import Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Never

from wiretape.codecs.parts import Parts, digest
from wiretape.store.base import RESPONSES
from wiretape.store.directory import DirectoryStore, put_in_place, sync_folder, write_temporary

_AT_ONCE = 16
"""Files that are synced at once: the system's own journal then takes them together."""

type Key = tuple[str, str, str]
"""Session, name, folder."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    data: bytes
    replace: bool


class GroupedStore:
    """A ``Store``. For one thread."""

    is_quick = True
    has_spool = False
    notes = None

    def __init__(self, store: DirectoryStore) -> None:
        self._store = store
        self._waiting: dict[Key, _Waiting] = {}
        self.touched: set[Key] = set()
        """What was written since this was last cleared, by whoever does that."""

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return sum(len(each.data) for each in self._waiting.values())

    @property
    def url(self) -> str:
        """As the directory's."""
        return self._store.url

    def where(self, session: str, name: str = "", folder: str = RESPONSES) -> str:
        """As the directory's."""
        return self._store.where(session, name, folder)

    def read(self, session: str, name: str, folder: str = RESPONSES) -> bytes | None:
        """A file's bytes, or what waits to be there."""
        waiting = self._waiting.get((session, name, folder))
        if waiting:
            return waiting.data
        return self._store.read(session, name, folder)

    def digest(self, session: str, name: str, folder: str = RESPONSES) -> str | None:
        """What a capture knows a file by, or what waits to be there."""
        waiting = self._waiting.get((session, name, folder))
        if waiting:
            return digest(waiting.data)
        return self._store.digest(session, name, folder)

    def exists(self, session: str, name: str, folder: str = RESPONSES) -> bool:
        """Whether there is a file, or waits to be one."""
        return (session, name, folder) in self._waiting or self._store.exists(session, name, folder)

    def state(self, session: str, name: str, folder: str = RESPONSES) -> Hashable | None:
        """As the directory's; of what waits, what changes when it does."""
        waiting = self._waiting.get((session, name, folder))
        if waiting:
            return ("waiting", id(waiting))
        return self._store.state(session, name, folder)

    def write(self, session: str, name: str, data: bytes | Parts, *, replace: bool, folder: str = RESPONSES) -> bool:
        """Have a file written by ``commit``. Without ``replace`` an existing one stays, and the answer is False."""
        key = session, name, folder
        if not replace and self.exists(*key):
            return False
        known = self._waiting.get(key)
        # What waits to be a new file is still one that must not replace another's.
        self._waiting[key] = _Waiting(bytes(data), replace if known is None else known.replace)
        self.touched.add(key)
        return True

    def remove(self, session: str, name: str, folder: str = RESPONSES) -> None:
        """As the directory's."""
        self._waiting.pop((session, name, folder), None)
        self._store.remove(session, name, folder)

    def scan(self, session: str) -> Mapping[str, Hashable]:
        """Every recording's name and its state, of those that are there."""
        return self._store.scan(session)

    def glance(self, session: str, names: Sequence[str] = ()) -> None:
        """As the directory's: nothing."""

    def fetch(self, session: str, files: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Never]:
        """As the directory's: nothing."""
        return self._store.fetch(session, files)

    def sessions(self) -> list[str]:
        """As the directory's."""
        return self._store.sessions()

    def refresh(self, session: str) -> None:
        """As the directory's."""
        self._store.refresh(session)

    def check_writable(self, session: str) -> None:
        """As the directory's."""
        self._store.check_writable(session)

    def start(self) -> None:
        """As the directory's."""
        self._store.start()

    def close(self) -> None:
        """As the directory's."""
        self._store.close()

    def commit(self) -> set[Key]:
        """Write all that waits; what could not get its name, for whatever reason. Never raises OSError."""
        waiting = self._waiting
        self._waiting = {}
        failed: set[Key] = set()
        written: list[tuple[Key, int, Path]] = []
        for key, each in waiting.items():
            try:
                written.append((key, *write_temporary(self._store.path_to_change(*key), each.data)))
            except OSError:
                failed.add(key)
        with ThreadPoolExecutor(_AT_ONCE, "wiretape-sync") as pool:
            synced = [*pool.map(_is_synced, (file for _, file, _ in written))]
        folders = set()
        for (key, file, temporary), is_synced in zip(written, synced, strict=True):
            os.close(file)
            path = self._store.path(*key)
            # What goes with a file that another process has written is not ours to put beside it.
            is_next = is_synced and not any((session, name) == key[:2] for session, name, _ in failed)
            try:
                if is_next and put_in_place(temporary, path, replace=waiting[key].replace):
                    folders.add(path.parent)
                else:
                    failed.add(key)
            except OSError:
                failed.add(key)
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        for folder in folders:
            sync_folder(folder)
        return failed


def _is_synced(file: int) -> bool:
    try:
        os.fsync(file)
    except OSError:
        return False
    return True
