"""What was found out about the files of a bucket, kept on this machine so that none is read again for it.

Beside ``index``, whose notes these are; does not know what they mean. A note holds for one state of one file. Whatever
is wrong with the file of the notes, they are made anew: nothing is lost but time. Any number of processes may share it.
"""

import contextlib
import hashlib
import logging
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

_FORM = 1
"""The form of the file; one of another form is begun anew."""

_LIMIT = 256 << 20
"""Bytes of the file. When it is full it is begun anew."""

_PAGE = 4096


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of one state of a file."""

    name: str
    state: str
    head: str
    """What is needed of every file."""
    body: bytes = b""
    """What is needed of some now and then."""


class Notes:
    """Notes by session and name. For any number of threads. Never raises: what fails is said in the log."""

    def __init__(self, path: Path, limit: int = _LIMIT) -> None:
        self._path = path
        self._limit = limit
        self._lock = threading.Lock()
        self._opened: sqlite3.Connection | None = None

    def all(self, session: str) -> dict[str, Note]:
        """Return the notes of a session without their bodies, by name."""
        sound = {}
        rows = self._run("SELECT name, state, head, body, sum FROM notes WHERE session = ?", [(session,)])
        for row in rows:
            if _is_sound(session, row):
                name, state, head, _, _ = row
                sound[name] = Note(name, state, head)
        return sound

    def bodies(self, session: str, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Give the names of those that are noted, each with its note's body."""
        for name in names:
            rows = self._run(
                "SELECT name, state, head, body, sum FROM notes WHERE session = ? AND name = ?", [(session, name)]
            )
            for row in rows:
                if _is_sound(session, row) and row[3]:
                    yield name, row[3]

    def keep(self, session: str, notes: Iterable[Note]) -> None:
        """Keep notes, in the place of those of the same names."""
        rows = []
        for each in notes:
            row = session, each.name, each.state, each.head, each.body
            rows.append((*row, _sum(*row)))
        self._run("INSERT OR REPLACE INTO notes VALUES (?, ?, ?, ?, ?, ?)", rows)

    def drop(self, session: str, names: Iterable[str]) -> None:
        """Forget the notes of these names."""
        self._run("DELETE FROM notes WHERE session = ? AND name = ?", [(session, name) for name in names])

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._close()

    def _run(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._execute(statement, rows)
            except (sqlite3.Error, OSError) as e:
                if getattr(e, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL or not _may_pass(e):
                    logger.info("%s: what was known of recordings is found out anew: %s", self._path, e)
                    self._begin_anew()
                else:
                    logger.warning("%s: what is found out about recordings is not kept: %s", self._path, e)
                return []

    def _execute(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        if self._opened is None:
            self._opened = self._open()
        found: list[tuple[Any, ...]] = []
        with self._opened as transaction:
            for row in rows:
                found += transaction.execute(statement, row).fetchall()
        return found

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Prompts are in it, as in the recordings: it is its owner's alone.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        self._path.chmod(0o600)
        opened = sqlite3.connect(self._path, timeout=2.0, check_same_thread=False)
        try:
            opened.execute(f"PRAGMA page_size = {_PAGE}")
            opened.execute(f"PRAGMA max_page_count = {max(16, self._limit // _PAGE)}")
            opened.execute("PRAGMA synchronous = OFF")  # After a crash of the machine it may be begun anew.
            opened.execute("PRAGMA journal_mode = TRUNCATE")
            with opened:
                if opened.execute("PRAGMA user_version").fetchone()[0] != _FORM:
                    opened.execute("DROP TABLE IF EXISTS notes")
                    opened.execute(
                        "CREATE TABLE notes (session TEXT, name TEXT, state TEXT, head TEXT, body BLOB, sum BLOB,"
                        " PRIMARY KEY (session, name)) WITHOUT ROWID"
                    )
                    opened.execute(f"PRAGMA user_version = {_FORM}")
        except sqlite3.Error:
            opened.close()
            raise
        return opened

    def _begin_anew(self) -> None:
        self._close()
        for path in (self._path, self._path.with_name(f"{self._path.name}-journal")):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._opened:
            with contextlib.suppress(sqlite3.Error):
                self._opened.close()
            self._opened = None


def _may_pass(error: Exception) -> bool:
    """Whether the file may be sound: it is locked, or the disk fails."""
    return not isinstance(error, sqlite3.DatabaseError) or isinstance(error, sqlite3.OperationalError)


def _is_sound(session: str, row: tuple[Any, ...]) -> bool:
    try:
        return bool(row[4] == _sum(session, *row[:4]))
    except TypeError:
        return False  # A value has become one of another type.


def _sum(session: str, name: str, state: str, head: str, body: bytes) -> bytes:
    """What tells a row that is not as it was written."""
    text = f"{session}\0{name}\0{state}\0{head}\0".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text + body).digest()[:16]
