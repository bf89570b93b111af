"""A directory as a store: ``<root>/<session>/responses/<name>.json``, with captures beside that in ``wire``.

The files are for people as well: they are read, edited, committed, copied about by other tools. So nothing is kept of
them here. Each read opens the file anew, and the state of a file (time of its last change, size, inode) tells whether
it has changed since it was last read.

What is promised:

- A file appears whole or not at all (``atomic``). Of two writers that write the same new name, one wins.
- No link leads out of the root, and nothing but a regular file of a bounded size is read (``regular``).
- A file that cannot be read is never taken for one that is not there (``failures``).

Reading a file takes microseconds. On a disk of another machine it may take longer (``is_quick``): then the thread that
carries the traffic does not look at files.
"""

import contextlib
import logging
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Never

from wiretape.codecs import printable
from wiretape.codecs.parts import Parts
from wiretape.store import failures, regular
from wiretape.store.atomic import remove_leftovers, write_file
from wiretape.store.base import RESPONSES
from wiretape.store.mounts import is_elsewhere
from wiretape.store.notes import Notes

logger = logging.getLogger(__name__)

_PROBED = 4096
"""How many bytes are written to find out whether files can be written."""


class DirectoryStore:
    """The recordings of all sessions below one directory."""

    has_spool = False

    def __init__(self, root: Path, largest: int = regular.LARGEST, notes: Notes | None = None) -> None:
        """``largest`` is in bytes: a file that is larger is not a recording."""
        self.root = root
        self.notes = notes
        self._top = str(root)
        self._largest = largest
        self.is_quick = not is_elsewhere(root)
        """Whether ``state`` is fast enough for the thread that carries the traffic."""

    def bare(self) -> "DirectoryStore":
        """Return the same store without the notes, which another process cannot share."""
        return DirectoryStore(self.root, self._largest)

    @property
    def url(self) -> str:
        """The path, which ``open_store`` makes this store of."""
        return str(self.root)

    def where(self, session: str, name: str = "", folder: str = RESPONSES) -> str:
        """Tell people where a recording is or would be, or, without a name, where the session is."""
        path = self.root / session
        if name:
            path = self.path(session, name, folder)
        return printable.line(str(path))

    def path(self, session: str, name: str, folder: str = RESPONSES) -> Path:
        """Return where a recording, or a capture, is or would be."""
        return Path(self._quick_path(session, name, folder))

    def path_to_change(self, session: str, name: str, folder: str) -> Path:
        """Return the path of a file that is to be written or removed. Raises OSError where a link leads
        out of the root.
        """
        path = self.path(session, name, folder)
        regular.check_folder(str(path.parent), self._top)
        return path

    def _quick_path(self, session: str, name: str, folder: str) -> str:
        # Each hit needs this, and making a Path takes as long as reading the state of the file.
        return f"{self._top}/{session}/{folder}/{name}.json"

    def read(self, session: str, name: str, folder: str = RESPONSES) -> bytes | None:
        """Return the bytes of a file, or None where there is none. Raises StoreUnavailableError and
        NotARecordingError.
        """
        path = self._quick_path(session, name, folder)
        try:
            return regular.read(path, self._top, self._largest)
        except OSError as e:
            if failures.is_absent(e, path):
                return None
            raise failures.told(e, path) from e

    def digest(self, session: str, name: str, folder: str = RESPONSES) -> str | None:
        """Return the digest that a capture has of a file, or None where there is none. Raises as ``read``."""
        path = self._quick_path(session, name, folder)
        try:
            return f"sha256:{regular.digest(path, self._top, self._largest)}"
        except OSError as e:
            if failures.is_absent(e, path):
                return None
            raise failures.told(e, path) from e

    def exists(self, session: str, name: str, folder: str = RESPONSES) -> bool:
        """Tell whether there is a file of this name, readable or not."""
        return self.state(session, name, folder) is not None

    def state(self, session: str, name: str, folder: str = RESPONSES) -> tuple[int, int, int] | None:
        """Return (mtime in ns, size, inode), which changes when the file does, or None where there is none.

        Raises StoreUnavailableError.
        """
        path = self._quick_path(session, name, folder)
        try:
            state = regular.look(path)
        except OSError as e:
            if failures.is_absent(e, path):
                return None
            raise failures.told(e, path) from e
        return state.st_mtime_ns, state.st_size, state.st_ino

    def write(self, session: str, name: str, data: bytes | Parts, *, replace: bool, folder: str = RESPONSES) -> bool:
        """Write a file. Without ``replace``, an existing file stays, and the answer is False. Raises OSError."""
        return write_file(self.path_to_change(session, name, folder), data, replace=replace)

    def remove(self, session: str, name: str, folder: str = RESPONSES) -> None:
        """Remove a file, if there is one. Raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            self.path_to_change(session, name, folder).unlink()

    def scan(self, session: str) -> dict[str, tuple[int, int]]:
        """Return the name of every recording with its state (mtime in ns, size), which changes when the file does.

        A recording whose state cannot be read is listed all the same: reading it tells why. Raises
        StoreUnavailableError.
        """
        states: dict[str, tuple[int, int]] = {}
        folder = str(self.root / session / RESPONSES)
        try:
            os.stat(folder)  # noqa: PTH116  it raises where the folder cannot be looked at
            if not regular.is_inside(folder, self._top):
                return states  # The folder is a link out of the store: reading anything in it is refused.
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.endswith(".json") and not entry.name.startswith("."):
                        name = entry.name.removesuffix(".json")
                        try:
                            state = regular.look(entry.path)
                        except OSError as e:
                            if not failures.is_absent(e, entry.path):
                                states[name] = (0, 0)
                        else:
                            states[name] = (state.st_mtime_ns, state.st_size)
        except OSError as e:
            if not failures.is_absent(e, folder):
                raise failures.told(e, folder) from e
        return states

    def glance(self, session: str, names: Sequence[str] = ()) -> None:
        """Return None: ``state`` takes no longer."""

    def fetch(self, session: str, files: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Never]:
        """Return nothing: reading the files one after the other takes no longer."""
        return {}

    def sessions(self) -> list[str]:
        """Return the names of the folders that hold recordings, in order. Raises StoreUnavailableError."""
        try:
            names = os.listdir(self.root)  # noqa: PTH208
            return sorted(name for name in names if (self.root / name / RESPONSES).is_dir())
        except OSError as e:
            if failures.is_absent(e, self.url):
                return []
            raise failures.told(e, self.url) from e

    def refresh(self, session: str) -> None:
        """Do nothing: nothing is remembered here."""

    def check_writable(self, session: str) -> None:
        """Raise OSError where no file can be written for a session. It writes a small file to find out."""
        folder = self.root.absolute() / session / RESPONSES
        while not os.path.lexists(folder) and folder != folder.parent:
            folder = folder.parent
        # The mode of the folder does not tell all: the disk may be full, or mounted read-only.
        with tempfile.NamedTemporaryFile(prefix=".wiretape-", suffix=".tmp", dir=folder) as file:
            file.write(bytes(_PROBED))
            file.flush()

    def start(self) -> None:
        """Remove the temporary files of killed writers, and log that."""
        for path in remove_leftovers(self.root):
            logger.info("removed %s: its writer was killed", path)

    def close(self) -> None:
        """Close the notes."""
        if self.notes:
            self.notes.close()
