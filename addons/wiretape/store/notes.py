"""Notes about what was found out about files, kept on this machine, so that no file is read again for it.

There may be very many files, or they may be far away. The notes are those of ``index``; this module does not know what
they mean. A note holds for one state of one file. Whatever is wrong with the file of the notes, they are made anew:
only time is lost. Any number of processes may share the file.
"""

import contextlib
import logging
import os
import sqlite3
import threading
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

logger = logging.getLogger(__name__)

_FORM = 3
"""The form of the file. A file of another form is begun anew."""

_LIMIT = 512 << 20
"""How many bytes the file may have. A full file is begun anew."""

_PAGE = 4096

_SETS = 8
"""Sets of rules of which it is kept what they make of a session."""

_NO_PIECES: Mapping[bytes, bytes] = MappingProxyType({})

_TABLES = """
CREATE TABLE heads (session TEXT, name TEXT, state TEXT, head TEXT, sum INTEGER, PRIMARY KEY (session, name));
CREATE TABLE outlines (session TEXT, name TEXT, outline BLOB, sum INTEGER, PRIMARY KEY (session, name));
CREATE TABLE pieces (session TEXT, number BLOB, piece BLOB, sum INTEGER, PRIMARY KEY (session, number)) WITHOUT ROWID;
CREATE TABLE bodies (session TEXT, name TEXT, body BLOB, sum INTEGER, PRIMARY KEY (session, name));
CREATE TABLE rules (number INTEGER PRIMARY KEY, session TEXT, rules TEXT, UNIQUE (session, rules));
CREATE TABLE reduced (rules INTEGER, name TEXT, state TEXT, form BLOB, sum INTEGER, PRIMARY KEY (rules, name))
  WITHOUT ROWID;
"""


class Note(NamedTuple):
    """What is known about one state of a file."""

    name: str
    state: str
    head: str
    """What is needed about every file."""
    outline: bytes = b""
    """What is needed about every file, now and then. What several have in common of it are *pieces*."""
    body: bytes = b""
    """What is needed about some files, now and then."""


class Notes:
    """Notes by session and name. For any number of threads. Never raises: failures are logged."""

    def __init__(self, path: Path, limit: int = _LIMIT) -> None:
        self._path = path
        self._limit = limit
        self._lock = threading.Lock()
        self._opened: sqlite3.Connection | None = None
        self._is_told = False

    def all(self, session: str) -> dict[str, Note]:
        """Return the notes of a session by name, with their heads alone."""
        notes: dict[str, Note] = {}

        def read(opened: sqlite3.Connection) -> None:
            query = "SELECT session, name, state, head, sum FROM heads WHERE session = ?"
            for row in opened.execute(query, (session,)):
                if _is_sound(row):
                    notes[row[1]] = Note(row[1], row[2], row[3])

        self._run(read)
        return notes

    def outlines(self, session: str) -> dict[str, tuple[str, bytes]]:
        """Return the outlines of a session's notes by name, each with the state that it holds for."""
        outlines: dict[str, tuple[str, bytes]] = {}

        def read(opened: sqlite3.Connection) -> None:
            query = "SELECT session, name, outline, sum FROM outlines WHERE session = ?"
            drawn = {row[1]: row[2] for row in opened.execute(query, (session,)) if _is_sound(row)}
            query = "SELECT name, state FROM heads WHERE session = ?"
            for name, state in opened.execute(query, (session,)):
                if name in drawn:
                    outlines[name] = state, drawn[name]

        self._run(read)
        return outlines

    def pieces(self, session: str) -> dict[bytes, bytes]:
        """Return the pieces of a session's outlines."""
        pieces: dict[bytes, bytes] = {}

        def read(opened: sqlite3.Connection) -> None:
            query = "SELECT session, number, piece, sum FROM pieces WHERE session = ?"
            pieces.update((row[1], row[2]) for row in opened.execute(query, (session,)) if _is_sound(row))

        self._run(read)
        return pieces

    def bodies(self, session: str, names: Sequence[str]) -> dict[str, bytes]:
        """Return the bodies of the notes with these names, where they have one."""
        bodies: dict[str, bytes] = {}

        def read(opened: sqlite3.Connection) -> None:
            query = "SELECT session, name, body, sum FROM bodies WHERE session = ? AND name = ?"
            for name in names:
                row = opened.execute(query, (session, name)).fetchone()
                if row and row[2] and _is_sound(row):
                    bodies[name] = row[2]

        self._run(read)
        return bodies

    def keep(self, session: str, notes: Iterable[Note], pieces: Mapping[bytes, bytes] = _NO_PIECES) -> None:
        """Keep notes, in place of those with the same names, and the pieces of their outlines."""
        notes = [*notes]
        heads = [_summed(session, each.name, each.state, each.head) for each in notes]
        outlines = [_summed(session, each.name, each.outline) for each in notes]
        bodies = [_summed(session, each.name, each.body) for each in notes]
        shared = [_summed(session, number, piece) for number, piece in pieces.items()]

        def write(opened: sqlite3.Connection) -> None:
            opened.executemany("INSERT OR REPLACE INTO heads VALUES (?, ?, ?, ?, ?)", heads)
            opened.executemany("INSERT OR REPLACE INTO outlines VALUES (?, ?, ?, ?)", outlines)
            opened.executemany("INSERT OR REPLACE INTO bodies VALUES (?, ?, ?, ?)", bodies)
            opened.executemany("INSERT OR REPLACE INTO pieces VALUES (?, ?, ?, ?)", shared)

        self._run(write)

    def reduced(self, session: str, rules: str) -> list[tuple[str, str, bytes]]:
        """Return what is noted of a session's files by some rules: of each its name, its state and the note."""
        notes: list[tuple[str, str, bytes]] = []

        def read(opened: sqlite3.Connection) -> None:
            query = (
                "SELECT name, state, form, sum FROM reduced WHERE rules ="
                " (SELECT number FROM rules WHERE session = ? AND rules = ?)"
            )
            notes.extend(row[:-1] for row in opened.execute(query, (session, rules)) if _is_sound(row))

        self._run(read)
        return notes

    def keep_reduced(self, session: str, rules: str, notes: Iterable[tuple[str, str, bytes]]) -> None:
        """Note the same, in place of what is noted by these rules of files with the same names.

        Of each session it is kept what a few sets of rules have made of it, those that were noted last.
        """
        rows = [_summed(*each) for each in notes]

        def write(opened: sqlite3.Connection) -> None:
            number = _number_of(opened, session, rules)
            opened.executemany(
                "INSERT OR REPLACE INTO reduced VALUES (?, ?, ?, ?, ?)", [(number, *row) for row in rows]
            )

        self._run(write)

    def drop(self, session: str, names: Iterable[str]) -> None:
        """Remove the notes with these names."""
        rows = [(session, name) for name in names]

        def remove(opened: sqlite3.Connection) -> None:
            for table in ("heads", "outlines", "bodies"):
                opened.executemany(f"DELETE FROM {table} WHERE session = ? AND name = ?", rows)  # noqa: S608  of ours
            of_session = "DELETE FROM reduced WHERE rules IN (SELECT number FROM rules WHERE session = ?) AND name = ?"
            opened.executemany(of_session, rows)

        self._run(remove)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._close()

    def _run(self, task: Callable[[sqlite3.Connection], None]) -> None:
        with self._lock:
            try:
                if self._opened is None:
                    self._opened = self._open()
                with self._opened as transaction:
                    task(transaction)
            except (sqlite3.Error, OSError) as e:
                if _is_passing(e):
                    level = logging.WARNING
                    if self._is_told:
                        level = logging.DEBUG
                    self._is_told = True
                    logger.log(level, "%s: what is found out about recordings is not kept: %s", self._path, e)
                else:
                    logger.info("%s: what was known of recordings is found out anew: %s", self._path, e)
                    self._begin_anew()

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # It contains prompts, as recordings do: only its owner may read it.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        self._path.chmod(0o600)
        opened = sqlite3.connect(self._path, timeout=2.0, check_same_thread=False)
        try:
            opened.execute(f"PRAGMA page_size = {_PAGE}")
            opened.execute(f"PRAGMA max_page_count = {max(16, self._limit // _PAGE)}")
            opened.execute("PRAGMA synchronous = OFF")  # After a crash of the machine, it may have to be begun anew.
            opened.execute("PRAGMA journal_mode = TRUNCATE")
            form = opened.execute("PRAGMA user_version").fetchone()[0]
            if form not in (0, _FORM):
                raise sqlite3.DatabaseError(f"it is of form {form}")
            if form == 0:
                opened.executescript(f"BEGIN EXCLUSIVE; {_TABLES} PRAGMA user_version = {_FORM}; COMMIT;")
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


def _number_of(opened: sqlite3.Connection, session: str, rules: str) -> int:
    """Return under which number it is noted what some rules make of a session; what is too many goes for it."""
    known = opened.execute("SELECT number FROM rules WHERE session = ? AND rules = ?", (session, rules)).fetchone()
    if known:
        return int(known[0])
    query = "SELECT number FROM rules WHERE session = ? ORDER BY number DESC LIMIT -1 OFFSET ?"
    for old in opened.execute(query, (session, _SETS - 1)).fetchall():
        opened.execute("DELETE FROM reduced WHERE rules = ?", old)
        opened.execute("DELETE FROM rules WHERE number = ?", old)
    added = opened.execute("INSERT INTO rules (session, rules) VALUES (?, ?)", (session, rules))
    return int(added.lastrowid or 0)


def _is_passing(error: Exception) -> bool:
    """Tell whether the file itself is sound, given an error: another process has locked it, or the disk fails."""
    if getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_ERROR):
        return False  # It is full, or its tables are different ones.
    return not isinstance(error, sqlite3.DatabaseError) or isinstance(error, sqlite3.OperationalError)


def _summed(*row: str | bytes) -> tuple[str | bytes | int, ...]:
    return (*row, _sum(row))


def _is_sound(row: tuple[Any, ...]) -> bool:
    """Tell whether a row is as it was written: a disk may have changed it."""
    return bool(row[-1] == _sum(row[:-1]))


def _sum(row: tuple[Any, ...]) -> int:
    # It is no guard against anybody: who may write the file may write the recordings.
    last = row[-1]
    if isinstance(last, bytes):
        return zlib.crc32(last, _sum(row[:-1]))
    try:
        return zlib.crc32("\0".join(row).encode("utf-8", "backslashreplace"))
    except TypeError:
        return -1  # A disk has made something else of it.
