"""Files of a folder that may be a stranger's: regular ones inside it alone, bounded in size. Under ``directory``.

A checkout can hold anything under a recording's name: a link to ``/dev/zero`` or to a key in the user's home, a FIFO
that nobody ever writes to, links that go round in a circle, a file larger than the memory. What is opened here is
looked at after it was opened and before it is read, and nothing waits for a writer.

A link that stays inside the folder is followed, one that leads out of it is not. The folder itself is where the user
says, and may be a link.
"""

import contextlib
import errno
import hashlib
import os
import stat
import sys
from collections.abc import Iterator

from wiretape.exceptions import NotARecordingError

LARGEST = 256_000_000
"""Bytes of a recording, where nothing else is said."""

_AT_ONCE = 1 << 20
"""Bytes of a file that are read at a time, where it is not wanted whole."""

# Opening a FIFO waits for who writes to it, unless told otherwise. Not every platform has all of these.
_READ = os.O_RDONLY
for _name in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_BINARY"):
    _READ |= getattr(os, _name, 0)


def read(path: str, root: str, largest: int = LARGEST) -> bytes:
    """Return the bytes of a file below ``root``.

    Raises NotARecordingError, and OSError where there is none or it cannot be read.
    """
    pieces = [*_read(_open(path, root), largest)]
    if len(pieces) == 1:
        return pieces[0]
    return b"".join(pieces)


def digest(path: str, root: str, largest: int = LARGEST) -> str:
    """The SHA-256 of the same, in hex, of which little is in memory at a time. Raises as ``read``."""
    hashed = hashlib.sha256()
    for piece in _read(_open(path, root), largest, _AT_ONCE):
        hashed.update(piece)
    return hashed.hexdigest()


def _open(path: str, root: str) -> int:
    try:
        if _is_below_link(path, root):
            path = _inside(path, root)
        return os.open(path, _READ)
    except FileNotFoundError:
        raise
    except OSError:
        return _open_odd(path, root)


def look(path: str) -> os.stat_result:
    """The state of what stands at a path; of a link that leads nowhere, the link's. Raises OSError."""
    found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode):
        with contextlib.suppress(OSError):
            return os.stat(path)  # noqa: PTH116  on the way to each hit
    return found


def check_folder(folder: str, root: str) -> None:
    """Raise OSError where what is written into a folder would be written outside of ``root``."""
    if not _is_below(os.path.realpath(folder), os.path.realpath(root)):
        raise OSError(errno.ELOOP, f"{_OUT}, and is not written to", folder)


def is_inside(path: str, root: str) -> bool:
    """Whether what a path leads to is there, and below ``root``."""
    try:
        _inside(path, root)
    except (OSError, NotARecordingError):
        return False
    return True


_OUT = "is reached by a link out of the recordings' folder"


def _is_below_link(path: str, root: str) -> bool:
    """Whether a folder between ``root`` and a path is a link. Raises OSError where there is none."""
    while (end := path.rfind(os.sep)) > len(root):
        path = path[:end]
        if stat.S_ISLNK(os.lstat(path).st_mode):
            return True
    return False


def _open_odd(path: str, root: str) -> int:
    """Open what could not be opened: a link may be followed where it stays inside. Raises as ``read`` does."""
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        path = _inside(path, root)
    elif not stat.S_ISREG(mode):  # A socket, or what nobody may open.
        raise NotARecordingError(f"is {_kind(mode)}, and no file")
    return os.open(path, _READ)


def _inside(path: str, root: str) -> str:
    """Where a path leads, all links followed. Raises NotARecordingError where that is not below ``root``, or nowhere.

    Raises OSError where there is nothing of this name, or a folder on the way leads nowhere.
    """
    try:
        real = os.path.realpath(path, strict=True)
    except OSError as e:
        if not os.path.islink(path):  # noqa: PTH114
            raise
        raise NotARecordingError(f"is a link that leads nowhere: {e.strerror}") from e
    if not _is_below(real, os.path.realpath(root)):
        raise NotARecordingError(f"{_OUT}, and is not read")
    return real


def _is_below(real: str, top: str) -> bool:
    return real == top or real.startswith(top.rstrip(os.sep) + os.sep)


def _read(handle: int, largest: int, at_once: int = sys.maxsize) -> Iterator[bytes]:
    """Yield what a file has, and close it."""
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise NotARecordingError(f"is {_kind(found.st_mode)}, and no file")
        # One byte more than it has: the next read then tells that it has ended.
        left = largest + 1
        if found.st_size <= largest:
            while left > 0 and (piece := os.read(handle, min(left, found.st_size + 1, at_once))):
                yield piece
                left -= len(piece)
        if found.st_size > largest or left <= 0:
            raise NotARecordingError(f"is larger than {largest:,} bytes (wiretape_max_recording)")
    finally:
        os.close(handle)


_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def _kind(mode: int) -> str:
    return _KINDS.get(stat.S_IFMT(mode), "something of another kind")
