"""Where the key of a journal is while its proxy lives: in memory, for this user alone. Under ``folder``.

    <folder in memory>/wiretape-<id>/   0700
        key                             0600: 32 random bytes
    <journal>/key -> the former         whoever finishes it may have another environment

A folder in memory may be for all users (``/dev/shm``), and what is in it may be another's, or go while the proxy runs:
a system removes what a user has there when that user logs out. So nothing is followed or read that is not this user's
alone, and the proxy has it made again when it has gone.
"""

import contextlib
import logging
import os
import stat
from pathlib import Path

from wiretape.store.mounts import is_in_memory

logger = logging.getLogger(__name__)

_SIZE = 32
_LINK = _FILE = "key"

_READ = os.O_RDONLY
for _name in ("O_NOFOLLOW", "O_NONBLOCK"):
    _READ |= getattr(os, _name, 0)


def key_folders() -> list[Path]:
    """Return the folders in memory where a key can be, the best first; none where this system has none."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    folders = [Path(runtime)] if runtime.startswith("/") else []
    return [each for each in (*folders, Path("/dev/shm")) if _is_fit(each) and is_in_memory(each)]  # noqa: S108


def _is_fit(folder: Path) -> bool:
    """Return whether no other user can take away what we make in a folder.

    That is so where it is ours alone, or where each user may only remove what is that user's own.
    """
    try:
        status = folder.stat()
    except OSError:
        return False
    if not stat.S_ISDIR(status.st_mode) or not hasattr(os, "getuid"):
        return False
    is_for_others = bool(status.st_mode & 0o022)
    return status.st_uid in (0, os.getuid()) and (not is_for_others or bool(status.st_mode & stat.S_ISVTX))


def keep(journal: Path, key: bytes) -> Path | None:
    """Keep the key of a journal, and return its file; None where there is no place for it. Never raises."""
    for parent in key_folders():
        folder = parent / f"wiretape-{journal.name}"
        with contextlib.suppress(OSError):
            _remove(folder)
            folder.mkdir(0o700)
            try:
                _write(folder / _FILE, key)
                link = journal / _LINK
                link.unlink(missing_ok=True)
                link.symlink_to(folder)
            except OSError:
                _remove(folder)
                raise
            return folder / _FILE
    return None


def _write(path: Path, key: bytes) -> None:
    file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        if os.write(file, key) != len(key):
            raise OSError("there is no room for it")
    finally:
        os.close(file)


def find(journal: Path) -> bytes | None:
    """Return the key of a journal that was left; None where it has gone. Never raises."""
    for folder in _places(journal):
        with contextlib.suppress(OSError):
            if key := _read(folder):
                return key
    return None


def forget(journal: Path) -> None:
    """Remove the key of a journal. Never raises."""
    for folder in _places(journal):
        _remove(folder)
    with contextlib.suppress(OSError):
        (journal / _LINK).unlink()


def _places(journal: Path) -> list[Path]:
    name = f"wiretape-{journal.name}"
    places = [each / name for each in key_folders()]
    with contextlib.suppress(OSError):
        told = (journal / _LINK).readlink()
        if told.name == name and told not in places:
            places.insert(0, told)
    return places


def _remove(folder: Path) -> None:
    with contextlib.suppress(OSError):
        if not folder.is_symlink():
            (folder / _FILE).unlink(missing_ok=True)
            folder.rmdir()


def _read(folder: Path) -> bytes | None:
    """Return the key that is in a folder; None where that, or the file, is not this user's alone. Raises OSError."""
    place = os.open(folder, _READ | os.O_DIRECTORY)
    try:
        if not _is_private(os.fstat(place)):
            return None
        file = os.open(_FILE, _READ, dir_fd=place)
        try:
            status = os.fstat(file)
            key = os.read(file, 2 * _SIZE) if stat.S_ISREG(status.st_mode) and _is_private(status) else b""
        finally:
            os.close(file)
    finally:
        os.close(place)
    return key if len(key) == _SIZE else None


def _is_private(status: os.stat_result) -> bool:
    return status.st_uid == os.getuid() and not status.st_mode & 0o077
