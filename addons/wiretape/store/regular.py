"""Reads files of a folder that may come from strangers: only regular files inside of it, of a bounded size.

A checkout can have anything under the name of a recording: a link to ``/dev/zero`` or to a key in the user's home, a
FIFO that nobody ever writes to, links that form a circle, a file larger than the memory. A file is judged after it was
opened and before it is read, and nothing waits for a writer.

A link that stays inside the folder is followed; one that leads out of it is not. The folder itself is where the user
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
"""How many bytes a recording may have by default."""

_AT_ONCE = 1 << 20
"""How many bytes of a file are read at a time, where it is not wanted whole."""

# Without O_NONBLOCK, opening a FIFO waits for a writer. Not every platform has all of these.
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
    """Return the SHA-256 of a file, in hex. Only little of it is in memory at a time. Raises as ``read`` does."""
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
    """Return the state of what is at a path; of a link that leads nowhere, that of the link. Raises OSError."""
    state = os.lstat(path)
    if stat.S_ISLNK(state.st_mode):
        with contextlib.suppress(OSError):
            return os.stat(path)  # noqa: PTH116  each hit needs it: it has to be fast
    return state


def check_folder(folder: str, root: str) -> None:
    """Raise OSError where a file that is written into a folder would be outside of ``root``."""
    if not _is_below(os.path.realpath(folder), os.path.realpath(root)):
        raise OSError(errno.ELOOP, f"{_OUT}, and is not written to", folder)


def is_inside(path: str, root: str) -> bool:
    """Tell whether a path leads to something, and that is below ``root``."""
    try:
        _inside(path, root)
    except (OSError, NotARecordingError):
        return False
    return True


_OUT = "is reached by a link out of the recordings' folder"


def _is_below_link(path: str, root: str) -> bool:
    """Tell whether a folder between ``root`` and a path is a link. Raises OSError where there is no such folder."""
    end = path.rfind(os.sep)
    while end > len(root):
        path = path[:end]
        if stat.S_ISLNK(os.lstat(path).st_mode):
            return True
        end = path.rfind(os.sep)
    return False


def _open_odd(path: str, root: str) -> int:
    """Open a file that could not simply be opened: a link that stays inside is followed. Raises as ``read`` does."""
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        path = _inside(path, root)
    elif not stat.S_ISREG(mode):  # A socket, for example, cannot be opened.
        raise NotARecordingError(f"is {_kind(mode)}, and no file")
    return os.open(path, _READ)


def _inside(path: str, root: str) -> str:
    """Return where a path leads, all links followed. Raises NotARecordingError where that is nowhere, or not below
    ``root``.

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
    """Yield the bytes of a file, and close it."""
    try:
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode):
            raise NotARecordingError(f"is {_kind(state.st_mode)}, and no file")
        # It is asked for one byte more than it has: the next read then tells that it has ended.
        left = largest + 1
        is_too_large = state.st_size > largest
        while left > 0 and not is_too_large:
            piece = os.read(handle, min(left, state.st_size + 1, at_once))
            if not piece:
                break
            yield piece
            left -= len(piece)
        if is_too_large or left <= 0:
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
