"""A directory: ``<root>/<session>/responses/<name>.json``, and captures beside them in ``wire``."""

import contextlib
import hashlib
import logging
import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Never

from wiretape.codecs import printable
from wiretape.codecs.parts import Parts
from wiretape.store import failures, modes, regular
from wiretape.store.base import RESPONSES
from wiretape.store.mounts import is_elsewhere
from wiretape.store.notes import Notes

logger = logging.getLogger(__name__)

_TEMPORARY = ".wiretape-"
_OURS = re.compile(rf"{re.escape(_TEMPORARY)}(?P<machine>[0-9a-f]+)-(?P<pid>\d+)-[^-]+\.tmp")

_HOUR = 3600.0
"""Seconds for which no writer leaves its file untouched."""


_PROBED = 4096
"""Bytes of the file that is written to find out whether one can be."""


class DirectoryStore:
    """Recordings of all sessions below one directory. A file appears whole or not at all."""

    has_spool = False

    def __init__(self, root: Path, largest: int = regular.LARGEST, notes: Notes | None = None) -> None:
        """``largest``: bytes of a recording, of which a larger one is none."""
        self.root = root
        self.notes = notes
        self._top = str(root)
        self._largest = largest
        self.is_quick = not is_elsewhere(root)
        """Whether ``state`` takes no longer than who carries the traffic can wait."""

    def bare(self) -> "DirectoryStore":
        """The same without what another process cannot have."""
        return DirectoryStore(self.root, self._largest)

    @property
    def url(self) -> str:
        """What the store is made of: its path."""
        return str(self.root)

    def where(self, session: str, name: str = "", folder: str = RESPONSES) -> str:
        """Where a recording is or would be, for people; without a name: where the session is."""
        return printable.line(str(self.path(session, name, folder) if name else self.root / session))

    def path(self, session: str, name: str, folder: str = RESPONSES) -> Path:
        """Where a recording, or a capture, is or would be."""
        return Path(self._quick_path(session, name, folder))

    def path_to_change(self, session: str, name: str, folder: str) -> Path:
        """Return where a file is, or is to be. Raises OSError where that is reached by a link out of the root."""
        path = self.path(session, name, folder)
        regular.check_folder(str(path.parent), self._top)
        return path

    def _quick_path(self, session: str, name: str, folder: str) -> str:
        # On the way to each hit, where putting a Path together takes as long as asking for the file.
        return f"{self._top}/{session}/{folder}/{name}.json"

    def read(self, session: str, name: str, folder: str = RESPONSES) -> bytes | None:
        """A file's bytes, or None where there is none. Raises StoreUnavailableError and NotARecordingError."""
        path = self._quick_path(session, name, folder)
        try:
            return regular.read(path, self._top, self._largest)
        except OSError as e:
            if failures.is_absent(e, path):
                return None
            raise failures.told(e, path) from e

    def digest(self, session: str, name: str, folder: str = RESPONSES) -> str | None:
        """What a capture knows a file by; None where there is none. Raises as ``read``."""
        path = self._quick_path(session, name, folder)
        try:
            return f"sha256:{regular.digest(path, self._top, self._largest)}"
        except OSError as e:
            if failures.is_absent(e, path):
                return None
            raise failures.told(e, path) from e

    def exists(self, session: str, name: str, folder: str = RESPONSES) -> bool:
        """Whether there is a file of this name, readable or not."""
        return self.state(session, name, folder) is not None

    def state(self, session: str, name: str, folder: str = RESPONSES) -> tuple[int, int, int] | None:
        """Return what changes when the file does, (mtime in ns, size, inode); None where there is none.

        Raises StoreUnavailableError.
        """
        path = self._quick_path(session, name, folder)
        try:
            found = regular.look(path)
        except OSError as e:
            if failures.is_absent(e, path):
                return None
            raise failures.told(e, path) from e
        return found.st_mtime_ns, found.st_size, found.st_ino

    def write(self, session: str, name: str, data: bytes | Parts, *, replace: bool, folder: str = RESPONSES) -> bool:
        """Write a file: temporary file, fsync, rename.

        Without ``replace`` an existing file stays, and the answer is False. Raises OSError.
        """
        return write_file(self.path_to_change(session, name, folder), data, replace=replace)

    def remove(self, session: str, name: str, folder: str = RESPONSES) -> None:
        """Remove a file, if there is one. Raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            self.path_to_change(session, name, folder).unlink()

    def scan(self, session: str) -> dict[str, tuple[int, int]]:
        """Every recording's name and its state, which changes when the file does: (mtime in ns, size).

        One whose state cannot be told is there all the same: who reads it is told why. Raises StoreUnavailableError.
        """
        found: dict[str, tuple[int, int]] = {}
        folder = str(self.root / session / RESPONSES)
        try:
            os.stat(folder)  # noqa: PTH116  first, whether it can be looked at
            if not regular.is_inside(folder, self._top):
                return found  # It is elsewhere: each of its names is refused where it is read.
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.endswith(".json") and not entry.name.startswith("."):
                        name = entry.name.removesuffix(".json")
                        try:
                            state = regular.look(entry.path)
                        except OSError as e:
                            if not failures.is_absent(e, entry.path):
                                found[name] = (0, 0)
                        else:
                            found[name] = (state.st_mtime_ns, state.st_size)
        except OSError as e:
            if not failures.is_absent(e, folder):
                raise failures.told(e, folder) from e
        return found

    def glance(self, session: str, names: Sequence[str] = ()) -> None:
        """Nothing: to look at a file takes no longer."""

    def fetch(self, session: str, files: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Never]:
        """Nothing: to read them one after the other takes no longer."""
        return {}

    def sessions(self) -> list[str]:
        """The folders that hold recordings, in order. Raises StoreUnavailableError."""
        try:
            names = os.listdir(self.root)  # noqa: PTH208
            return sorted(name for name in names if (self.root / name / RESPONSES).is_dir())
        except OSError as e:
            if failures.is_absent(e, self.url):
                return []
            raise failures.told(e, self.url) from e

    def refresh(self, session: str) -> None:
        """Nothing is remembered here."""

    def check_writable(self, session: str) -> None:
        """Raise OSError where no file can be written for a session: a small one is, and goes again."""
        folder = self.root.absolute() / session / RESPONSES
        while not os.path.lexists(folder) and folder != folder.parent:
            folder = folder.parent
        # What the folder's mode says is not all: a disk may be full, or mounted for reading alone.
        with tempfile.NamedTemporaryFile(prefix=".wiretape-", suffix=".tmp", dir=folder) as file:
            file.write(bytes(_PROBED))
            file.flush()

    def start(self) -> None:
        """Remove what a writer that was killed has left behind, said in the log."""
        for path in remove_leftovers(self.root):
            logger.info("removed %s: its writer was killed", path)

    def close(self) -> None:
        """Nothing is held here but the notes."""
        if self.notes:
            self.notes.close()


def remove_leftovers(root: Path, folders: str = "*/*/") -> list[Path]:
    """Remove the temporary files of writers that were killed, in all sessions; give their paths.

    Whether a writer lives can be told on its own machine; another's file, on a shared disk, has to be old.
    """
    removed = []
    for path in root.glob(f"{folders}{_TEMPORARY}*.tmp"):
        with contextlib.suppress(OSError):
            named = _OURS.fullmatch(path.name)
            dead = named and named["machine"] == _machine() and not _is_alive(int(named["pid"]))
            if dead or time.time() - path.stat().st_mtime > _HOUR:
                path.unlink()
                removed.append(path)
    return removed


@cache
def _machine() -> str:
    """Eight digits, the same wherever a process id means the same process: a machine, or a container on it."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""  # Not Linux.
    return hashlib.sha256(f"{platform.node()} {namespace}".encode()).hexdigest()[:8]


def _is_alive(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # There, signal 0 is a Ctrl-C and no question.
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # Somebody else's.
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Whether a process has ended and nobody has asked for its exit code, as under a container's first process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return False  # Not Linux.


def write_file(path: Path, data: bytes | Parts, *, replace: bool, private: bool = False) -> bool:
    """Write a file so that it appears whole or not at all; folders are made. See ``modes`` for ``private``.

    Without ``replace`` an existing file stays, and the answer is False. Raises OSError.
    """
    file, temporary = write_temporary(path, data, private=private)
    try:
        try:
            os.fsync(file)
        finally:
            os.close(file)
        if not put_in_place(temporary, path, replace=replace):
            return False
        sync_folder(path.parent)
        return True
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def write_temporary(path: Path, data: bytes | Parts, *, private: bool = False) -> tuple[int, Path]:
    """Write a file that is to be put in the place of ``path``: its descriptor, not yet synced, and where it is.

    Raises OSError.
    """
    modes.make_folder(path.parent, private=private)
    prefix = f"{_TEMPORARY}{_machine()}-{os.getpid()}-"
    file, temporary = modes.create(path.parent, prefix, ".tmp", private=private)
    try:
        for part in (data,) if isinstance(data, bytes) else data:
            rest = memoryview(part)
            while rest:
                rest = rest[os.write(file, rest) :]
    except BaseException:
        os.close(file)
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise
    return file, temporary


def put_in_place(temporary: Path, path: Path, *, replace: bool) -> bool:
    """Give a file that is whole its name. Without ``replace`` an existing one stays, and the answer is False.

    Raises OSError.
    """
    if replace:
        temporary.replace(path)
        return True
    # A link never overwrites: of two proxies that record the same request at once, one wins.
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    except OSError:  # No links on this file system: a small gap between the look and the rename is left.
        if path.exists():
            return False
        temporary.replace(path)
    return True


def sync_folder(folder: Path) -> None:
    """Have the names in a folder survive a crash of the machine, where the system can do that. Never raises."""
    # Without it a crash may lose the rename. Not every platform opens folders.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
