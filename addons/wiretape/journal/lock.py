"""A lock on a file, which the system lets go of when the process ends, however it ends. Below ``folder``.

It is a flock; on Windows a lock on the file's first byte. Whoever finishes another's journal takes its locks, so that
of two who start at once only one does.
"""

import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_GONE = FileNotFoundError, NotADirectoryError


class Lock:
    """A lock that is held until it is let go or the process ends."""

    def __init__(self, file: int) -> None:
        self._file: int | None = file

    @classmethod
    def take(cls, path: Path) -> "Lock | None":
        """Take the lock of a file; return None where another process has it, or its folder has gone. Raises OSError."""
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except _GONE:
            return None
        try:
            if sys.platform == "win32":
                msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Another may have finished meanwhile, and removed the file that we have locked.
            if path.exists() and path.stat().st_ino == os.fstat(file).st_ino:
                return cls(file)
        except OSError:
            pass
        os.close(file)
        return None

    def release(self) -> None:
        """Let go."""
        if self._file is not None:
            file = self._file
            self._file = None
            os.close(file)
