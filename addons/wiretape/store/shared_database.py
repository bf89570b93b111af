"""A database of SQLite that several processes write: what they need beside its own patience.

Who changes the mode of a file needs it alone for a moment, and there SQLite does not wait: it fails at once where
another process is at it. So a second process that opens a new file at the same moment would give up.
"""

import sqlite3
import time

_PATIENCE = 5.0
"""Seconds for which others may have the file."""

_FIRST_PAUSE = 0.001
_LONGEST_PAUSE = 0.05


def write_ahead(opened: sqlite3.Connection) -> None:
    """Have readers and a writer not wait for each other (WAL). Raises sqlite3.Error where that cannot be."""
    end = time.monotonic() + _PATIENCE
    pause = _FIRST_PAUSE
    while True:
        try:
            opened.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as e:
            if not is_busy(e) or time.monotonic() > end:
                raise
        else:
            return
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def is_busy(error: sqlite3.DatabaseError) -> bool:
    """Tell whether another process has the file."""
    return code_of(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def code_of(error: sqlite3.DatabaseError) -> int:
    """Return the code of SQLite's, without what it says more exactly; 0 where an error has none."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
