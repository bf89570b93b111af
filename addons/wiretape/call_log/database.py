"""Calls in a file of SQLite, which any number of processes write and read at once. Below ``log`` and ``reader``.

Most calls of a test suite are the same but for their times: the same recording answers them, thousands of times. So
what is the same is kept once (table ``whats``, as JSON and in the columns that are asked by), and of each call its
times alone (``calls``), which a process that has the number of a ``what`` can write in a microsecond.

What holds:

- A call's number only grows, over all processes: numbers are given within a transaction, and one follows the other.
  Whoever has read a call never sees one with a lower number appear.
- There are at most ``most`` calls, and so many bytes: where one more comes, the oldest fifth goes, and what no call
  refers to any more. The processes that know numbers of ``whats`` see by the count of ``trims`` that these may be gone.
- A file that was removed is made again; one that is damaged is put aside, as ``FILE.broken``. One of another program's
  is left alone, and nothing is written.
- It contains what clients have asked for, where that had no recording: only its owner may read it.
"""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from wiretape.store.shared_database import code_of, is_busy, write_ahead

LIMIT = 256 << 20
"""Bytes that the file may have, nearly."""

APPLICATION = 0x77744361
"""The number in the file's head by which it is known to be ours."""

_BUSY_S = 5.0
"""Seconds for which another process that writes is waited for."""

_TRIES = 3
"""How often a transaction is begun that another process keeps waiting."""

_FORGOTTEN = 5
"""Of so many calls one goes, the oldest, where there are too many."""

_TABLES = """
CREATE TABLE whats (
  number INTEGER PRIMARY KEY, run TEXT, session TEXT, scope TEXT, outcome TEXT, recorded_in TEXT, recording TEXT,
  told TEXT
);
CREATE TABLE calls (id INTEGER PRIMARY KEY, what INTEGER, at REAL, first_byte_ms REAL, total_ms REAL);
CREATE TABLE trims (count INTEGER);
INSERT INTO trims VALUES (0);
"""


class What(NamedTuple):
    """What is the same for many calls: the columns of ``whats`` but the number."""

    run: str
    session: str
    scope: str
    outcome: str
    recorded_in: str
    recording: str
    told: str
    """The call as JSON, without what ``calls`` has."""


class Entry:
    """A ``What``, and under which number it is in the file by now."""

    __slots__ = ("epoch", "number", "what")

    def __init__(self, what: What) -> None:
        self.what = what
        self.epoch: object = None
        """For as long as this is that of the file, the number holds."""
        self.number = 0

    def write(self, opened: sqlite3.Connection, epoch: object) -> int:
        """Write it, and return its number."""
        added = opened.execute(
            "INSERT INTO whats (run, session, scope, outcome, recorded_in, recording, told)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            self.what,
        )
        self.number = int(added.lastrowid or 0)
        self.epoch = epoch
        return self.number


type Row = tuple[Entry, float, float | None, float | None]
"""One call: its entry, and its ``at``, ``first_byte_ms`` and ``total_ms``. A plain tuple is made in a tenth of the time
that a named one takes."""


class CallDatabase:
    """Writes one file. For one thread."""

    def __init__(self, file: Path, most: int, limit: int = LIMIT) -> None:
        self.file = file
        self._most = most
        self._limit = limit
        self._opened: sqlite3.Connection | None = None
        self._inode = 0
        self._trims = -1
        self._epoch = object()
        """Another object where the numbers that entries have do not hold any more."""

    def write(self, rows: Sequence[Row]) -> int:
        """Write calls, all or none; return the number of the first. Raises OSError or sqlite3.Error."""
        tries = 0
        while True:
            tries += 1
            try:
                return self._write(rows)
            except sqlite3.DatabaseError as e:
                self.close()
                if _is_damaged(e):
                    self._put_aside()
                elif not is_busy(e):
                    raise
                if tries == _TRIES:
                    raise

    def close(self) -> None:
        """Close the file."""
        self._epoch = object()
        if self._opened:
            with suppress(sqlite3.Error):
                self._opened.close()
        self._opened = None

    def _write(self, rows: Sequence[Row]) -> int:
        opened = self._current()
        opened.execute("BEGIN IMMEDIATE")
        try:
            first = self._insert(opened, rows)
            opened.execute("COMMIT")
        except BaseException:
            self._epoch = object()
            with suppress(sqlite3.Error):
                opened.execute("ROLLBACK")
            raise
        return first

    def _insert(self, opened: sqlite3.Connection, rows: Sequence[Row]) -> int:
        trims = opened.execute("SELECT count FROM trims").fetchone()[0]
        if trims != self._trims:
            self._trims = trims
            self._epoch = object()
        epoch = self._epoch
        values = [
            (entry.number if entry.epoch is epoch else entry.write(opened, epoch), at, first_byte_ms, total_ms)
            for entry, at, first_byte_ms, total_ms in rows
        ]
        before = opened.execute("SELECT max(id) FROM calls").fetchone()[0] or 0
        opened.executemany("INSERT INTO calls (what, at, first_byte_ms, total_ms) VALUES (?, ?, ?, ?)", values)
        self._trim(opened)
        return int(before) + 1

    def _trim(self, opened: sqlite3.Connection) -> None:
        """Have the oldest calls go, where there are too many."""
        oldest = opened.execute("SELECT min(id) FROM calls").fetchone()[0]
        newest = opened.execute("SELECT max(id) FROM calls").fetchone()[0]
        count = newest - oldest + 1
        keep = count
        if count > self._most:
            keep = self._most - self._most // _FORGOTTEN
        elif _bytes(opened) > self._limit:
            keep = count - max(1, count // _FORGOTTEN)
        if keep == count:
            return
        # The newest stays, whatever it is: the next number is one above it.
        opened.execute("DELETE FROM calls WHERE id <= ?", (newest - max(1, keep),))
        opened.execute("DELETE FROM whats WHERE number NOT IN (SELECT what FROM calls)")
        opened.execute("UPDATE trims SET count = count + 1")

    def _current(self) -> sqlite3.Connection:
        """Return the connection to the file that has the name now."""
        if self._opened:
            with suppress(OSError):
                if self.file.stat().st_ino == self._inode:
                    return self._opened
            self.close()
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(self.file, os.O_RDWR | os.O_CREAT, 0o600))
        self.file.chmod(0o600)
        self._inode = self.file.stat().st_ino
        # Each statement is as it stands: transactions are begun and ended here.
        opened = sqlite3.connect(self.file, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            _prepare(opened)
        except BaseException:
            opened.close()
            raise
        self._opened = opened
        self._trims = -1
        return opened

    def _put_aside(self) -> None:
        """Have a damaged file out of the way."""
        with suppress(OSError):
            self.file.replace(self.file.with_name(f"{self.file.name}.broken"))
        for end in ("-wal", "-shm"):
            with suppress(OSError):
                self.file.with_name(f"{self.file.name}{end}").unlink()


class NotOursError(OSError):
    """The file is another program's."""


def _prepare(opened: sqlite3.Connection) -> None:
    """Make the tables, where there is nothing yet. Raises sqlite3.Error, and NotOursError."""
    write_ahead(opened)
    opened.execute("PRAGMA synchronous = NORMAL")
    opened.execute("PRAGMA journal_size_limit = 16000000")
    if opened.execute("PRAGMA application_id").fetchone()[0] == APPLICATION:
        return
    opened.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been first.
        if opened.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
            if opened.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                raise NotOursError("it is a database of another program's")
            for statement in _TABLES.strip().split(";\n"):
                opened.execute(statement)
            opened.execute(f"PRAGMA application_id = {APPLICATION}")
    finally:
        if opened.in_transaction:
            opened.execute("COMMIT")


def _bytes(opened: sqlite3.Connection) -> int:
    """Return how many bytes of the file are in use."""
    pages = opened.execute("PRAGMA page_count").fetchone()[0] - opened.execute("PRAGMA freelist_count").fetchone()[0]
    return int(pages * opened.execute("PRAGMA page_size").fetchone()[0])


def _is_damaged(error: sqlite3.DatabaseError) -> bool:
    """Tell whether it is the file that is wrong, and not its disk, or another process."""
    return code_of(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
