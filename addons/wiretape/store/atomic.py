"""Writes files so that each appears whole or not at all: temporary file, fsync, rename. Under ``directory``.

A writer that is killed leaves its temporary file behind. The name of that file tells which process wrote it, on which
machine; so a later process can tell whether the writer still lives, and remove the file (``remove_leftovers``).
"""

import contextlib
import hashlib
import os
import platform
import re
import sys
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from wiretape.codecs.parts import Parts
from wiretape.store import modes

_TEMPORARY = ".wiretape-"
_OURS = re.compile(rf"{re.escape(_TEMPORARY)}(?P<machine>[0-9a-f]+)-(?P<pid>\d+)-[^-]+\.tmp")

_HOUR = 3600.0
"""After so many seconds without a change, a file has no writer any more."""


def remove_leftovers(root: Path, folders: str = "*/*/") -> list[Path]:
    """Remove the temporary files of killed writers, in all sessions, and return their paths.

    Only on its own machine can it be told whether a writer lives. A file of another machine, on a shared disk, has to
    be old.
    """
    removed = []
    for path in root.glob(f"{folders}{_TEMPORARY}*.tmp"):
        with contextlib.suppress(OSError):
            named = _OURS.fullmatch(path.name)
            is_dead = named and named["machine"] == _machine() and not _is_alive(int(named["pid"]))
            if is_dead or time.time() - path.stat().st_mtime > _HOUR:
                path.unlink()
                removed.append(path)
    return removed


@cache
def _machine() -> str:
    """Return eight digits that are the same wherever a process id means the same process: a machine or a container."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""  # Not Linux.
    return hashlib.sha256(f"{platform.node()} {namespace}".encode()).hexdigest()[:8]


def _is_alive(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # On Windows, signal 0 is a Ctrl-C.
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # It belongs to another user.
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Tell whether a process has ended, but its parent has not asked for its exit code, as in some containers."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return False  # Not Linux.


def write_file(path: Path, data: bytes | Parts, *, replace: bool, private: bool = False) -> bool:
    """Write a file so that it appears whole or not at all, and make its folders. ``modes`` explains ``private``.

    Without ``replace``, an existing file stays, and the answer is False. Raises OSError.
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
    """Write the temporary file that will become ``path``. Return its descriptor, not yet synced, and its path.

    Raises OSError.
    """
    modes.make_folder(path.parent, private=private)
    prefix = f"{_TEMPORARY}{_machine()}-{os.getpid()}-"
    file, temporary = modes.create(path.parent, prefix, ".tmp", private=private)
    try:
        parts: Iterable[bytes]
        if isinstance(data, bytes):
            parts = (data,)
        else:
            parts = data
        for part in parts:
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
    """Give a complete temporary file its name. Without ``replace``, an existing file stays, and the answer is False.

    Raises OSError.
    """
    if replace:
        temporary.replace(path)
        return True
    # A hard link never overwrites: of two proxies that record the same request at once, one wins.
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    except OSError:  # This file system has no hard links: a small gap remains between the look and the rename.
        if path.exists():
            return False
        temporary.replace(path)
    return True


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a crash of the machine, where the system can do that. Never raises."""
    # Without it, a crash may undo the rename. Not every platform can open a folder.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
