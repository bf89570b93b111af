"""A directory in which several files are written together: what is written waits in memory until ``commit``.

The process that writes recordings uses it. A file that is written by itself waits for the disk three times. A group
waits three times for all of its files together: all temporary files, synced side by side, then all renames, then each
folder once. No file gets its name before its bytes are on the disk, as with a single file.

Until then, this store gives what waits as if it were there. It cannot be told before the end whether another process
takes a name first: ``commit`` returns what did not get its name, and that is then written anew, by itself.
"""

import contextlib
import os
from collections.abc import Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Never

from wiretape.codecs.parts import Parts, digest
from wiretape.store.atomic import put_in_place, sync_folder, write_temporary
from wiretape.store.base import RESPONSES
from wiretape.store.directory import DirectoryStore

_AT_ONCE = 16
"""How many files are synced at once: the journal of the file system then takes them together."""

type Key = tuple[str, str, str]
"""The session, the name and the folder."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    data: bytes
    replace: bool


class GroupedStore:
    """A ``Store`` over a directory. For one thread."""

    is_quick = True
    has_spool = False
    notes = None

    def __init__(self, store: DirectoryStore) -> None:
        self._store = store
        self._waiting: dict[Key, _Waiting] = {}
        self.touched: set[Key] = set()
        """What was written; the owner of the store clears this."""

    @property
    def size(self) -> int:
        """How many bytes wait."""
        return sum(len(each.data) for each in self._waiting.values())

    @property
    def url(self) -> str:
        """The path of the directory."""
        return self._store.url

    def where(self, session: str, name: str = "", folder: str = RESPONSES) -> str:
        """Tell people where a recording is or would be."""
        return self._store.where(session, name, folder)

    def read(self, session: str, name: str, folder: str = RESPONSES) -> bytes | None:
        """Return the bytes of a file, or those that wait to become it."""
        waiting = self._waiting.get((session, name, folder))
        if waiting:
            return waiting.data
        return self._store.read(session, name, folder)

    def digest(self, session: str, name: str, folder: str = RESPONSES) -> str | None:
        """Return the digest that a capture has of a file, or of what waits to become it."""
        waiting = self._waiting.get((session, name, folder))
        if waiting:
            return digest(waiting.data)
        return self._store.digest(session, name, folder)

    def exists(self, session: str, name: str, folder: str = RESPONSES) -> bool:
        """Tell whether there is a file, or something waits to become one."""
        return (session, name, folder) in self._waiting or self._store.exists(session, name, folder)

    def state(self, session: str, name: str, folder: str = RESPONSES) -> Hashable | None:
        """Return a value that changes when the file, or what waits to become it, does."""
        waiting = self._waiting.get((session, name, folder))
        if waiting:
            return "waiting", id(waiting)
        return self._store.state(session, name, folder)

    def write(self, session: str, name: str, data: bytes | Parts, *, replace: bool, folder: str = RESPONSES) -> bool:
        """Have ``commit`` write a file. Without ``replace``, an existing file stays, and the answer is False."""
        key = session, name, folder
        if not replace and self.exists(*key):
            return False
        known = self._waiting.get(key)
        if known:  # What waits to become a new file must still not replace that of another process.
            replace = known.replace
        self._waiting[key] = _Waiting(bytes(data), replace)
        self.touched.add(key)
        return True

    def remove(self, session: str, name: str, folder: str = RESPONSES) -> None:
        """Remove a file, and what waits to become it."""
        self._waiting.pop((session, name, folder), None)
        self._store.remove(session, name, folder)

    def scan(self, session: str) -> Mapping[str, Hashable]:
        """Return the recordings that are in the directory, each with its state."""
        return self._store.scan(session)

    def glance(self, session: str, names: Sequence[str] = ()) -> None:
        """Return None: ``state`` takes no longer."""

    def fetch(self, session: str, files: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Never]:
        """Return nothing: reading the files one after the other takes no longer."""
        return self._store.fetch(session, files)

    def sessions(self) -> list[str]:
        """Return the sessions that have recordings in the directory."""
        return self._store.sessions()

    def refresh(self, session: str) -> None:
        """Do as the directory does."""
        self._store.refresh(session)

    def check_writable(self, session: str) -> None:
        """Raise OSError where no file can be written for a session."""
        self._store.check_writable(session)

    def start(self) -> None:
        """Remove what killed writers have left."""
        self._store.start()

    def close(self) -> None:
        """Close the directory."""
        self._store.close()

    def commit(self) -> set[Key]:
        """Write all that waits. Return what could not get its name, for whatever reason. Never raises OSError."""
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
            # Beside a recording that another process has written, our capture has no place.
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
