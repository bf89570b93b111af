"""Reads what became of calls: from the logs of proxies, which may be writing, and from reports. Beside ``log``.

A file is of one of two kinds, which its first bytes tell: a log, in SQLite, or lines of JSON that ``wiretape run
--report`` has written. Each look is short, so that nobody who writes waits for it.

    reader = CallReader([log_file("recordings")])
    calls = reader.calls(session="checkout", after=0)
    more = reader.calls(session="checkout", after=calls[-1].id)  # what has come since

Raises OSError where a file cannot be read, and ValueError where it is of neither kind. One that is not there has no
calls: nobody has called yet.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from wiretape.call_log import report
from wiretape.call_log.call import Call, Outcome, from_json
from wiretape.call_log.database import APPLICATION
from wiretape.call_log.places import SQLITE

LIMIT = 1000
"""Calls that a look gives where nobody says how many."""

# Each call is looked at once, in their order, and what it refers to is found by its number.
_JOINED = "FROM calls CROSS JOIN whats ON number = what"

_CALLS = f"SELECT id, at, first_byte_ms, total_ms, what, told {_JOINED}"

_ASKED_FOR = f"SELECT recorded_in, recording, run, session, count(*), max(at) {_JOINED}"

_RUNS = f"SELECT run, session, min(at), max(at), count(*) {_JOINED} GROUP BY run, session"

_ANY = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls are wanted. What is empty is left open."""

    session: str = ""
    scope: str = ""
    run: str = ""
    outcomes: frozenset[Outcome] = frozenset()
    after: int = 0
    """Those with a higher id."""
    before: int | None = None
    """Those with a lower id."""
    since: float = 0.0
    """Those that came then or later: seconds since 1970."""

    def has(self, call: Call) -> bool:
        """Return whether a call is one of them."""
        return (
            self.session in ("", call.session)
            and self.scope in ("", call.scope)
            and self.run in ("", call.run)
            and (not self.outcomes or call.outcome in self.outcomes)
            and call.id > self.after
            and (self.before is None or call.id < self.before)
            and call.at >= self.since
        )


@dataclass(slots=True)
class Run:
    """All calls of a proxy from its start to its end, over all its workers."""

    run: str
    first_at: float
    """When its first call came that is known still: seconds since 1970."""
    last_at: float
    calls: int = 0
    sessions: set[str] = field(default_factory=set)


@dataclass(slots=True)
class AskedFor:
    """A recording that has answered calls, or was made by one."""

    session: str
    """The session that has it."""
    recording: str
    times: int = 0
    last_at: float = 0.0
    runs: set[str] = field(default_factory=set)
    asked_by: set[str] = field(default_factory=set)
    """The sessions of the calls: its own, or those that stand on it."""


class CallReader:
    """Reads files. For any thread."""

    def __init__(self, files: Iterable[Path]) -> None:
        self.files = tuple(files)

    def calls(
        self,
        *,
        session: str = "",
        scope: str = "",
        run: str = "",
        outcomes: Iterable[Outcome] = (),
        after: int | None = None,
        before: int | None = None,
        since: float = 0.0,
        limit: int = LIMIT,
    ) -> list[Call]:
        """Return so many calls at most, by their ids.

        With ``after``, an id, or ``since``, a time, they are the first from there on; without, the last, with
        ``before`` those of them with a lower id. Ids of several files have nothing to do with each other: then calls
        are in the order of their times.
        """
        wanted = Wanted(session, scope, run, frozenset(outcomes), after or 0, before, since)
        is_forward = after is not None or bool(since)
        found = [call for file in self.files for call in _calls(file, wanted, limit, is_forward=is_forward)]
        if len(self.files) > 1:
            found.sort(key=lambda call: call.at)
        return found[:limit] if is_forward else found[max(0, len(found) - limit) :]

    def call(self, number: int) -> Call | None:
        """Return the call with an id; None where there is none any more."""
        found = self.calls(after=number - 1, limit=1)
        return found[0] if found and found[0].id == number else None

    def newest(self) -> int:
        """Return the id of the call that was told last; 0 where there is none."""
        found = self.calls(limit=1)
        return found[0].id if found else 0

    def runs(self) -> list[Run]:
        """Return the runs of which there are calls, in the order of their first ones."""
        known: dict[str, Run] = {}
        for file in self.files:
            for one in _runs(file):
                run = known.setdefault(one.run, Run(one.run, one.first_at, one.last_at))
                run.first_at = min(run.first_at, one.first_at)
                run.last_at = max(run.last_at, one.last_at)
                run.calls += one.calls
                run.sessions |= one.sessions
        return sorted(known.values(), key=lambda run: run.first_at)

    def recordings(self, *, session: str = "", scope: str = "", runs: Iterable[str] = ()) -> list[AskedFor]:
        """Return the recordings that were asked for: by calls of a session, in a scope, in some runs; or ever.

        Each once, with the session that has it.
        """
        wanted = frozenset(runs)
        known: dict[tuple[str, str], AskedFor] = {}
        for file in self.files:
            for one in _recordings(file, Wanted(session, scope), wanted):
                key = one.session, one.recording
                asked = known.setdefault(key, AskedFor(*key))
                asked.times += one.times
                asked.last_at = max(asked.last_at, one.last_at)
                asked.runs |= one.runs
                asked.asked_by |= one.asked_by
        return [known[key] for key in sorted(known)]


# -- of a file of either kind ------------------------------------------------------------------------------------------


def _is_log(file: Path) -> bool | None:
    """Return whether a file is a log; None where it is not there, or empty."""
    try:
        with file.open("rb") as opened:
            head = opened.read(len(SQLITE))
    except FileNotFoundError:
        return None
    return head == SQLITE if head else None


def _calls(file: Path, wanted: Wanted, limit: int, *, is_forward: bool) -> list[Call]:
    kind = _is_log(file)
    if kind is None:
        return []
    if kind:
        return _logged(file, wanted, limit, is_forward=is_forward)
    found = [call for call in report.read(file) if wanted.has(call)]
    return found[:limit] if is_forward else found[max(0, len(found) - limit) :]


def _runs(file: Path) -> list[Run]:
    kind = _is_log(file)
    if kind is None:
        return []
    if kind:
        return [Run(run, first, last, count, {session}) for run, session, first, last, count in _rows(file, _RUNS)]
    return [Run(call.run, call.at, call.at, 1, {call.session}) for call in report.read(file)]


def _recordings(file: Path, wanted: Wanted, runs: frozenset[str]) -> list[AskedFor]:
    kind = _is_log(file)
    if kind is None:
        return []
    if not kind:
        return [
            AskedFor(call.recorded_in, call.recording, 1, call.at, {call.run}, {call.session})
            for call in report.read(file)
            if call.recording and wanted.has(call) and (not runs or call.run in runs)
        ]
    where, values = _condition(wanted, ["recording != ''"])
    query = f"{_ASKED_FOR} WHERE {where} GROUP BY recorded_in, recording, run, session"
    return [
        AskedFor(recorded_in, recording, times, last, {run}, {session})
        for recorded_in, recording, run, session, times, last in _rows(file, query, values)
        if not runs or run in runs
    ]


# -- of a log ----------------------------------------------------------------------------------------------------------


def _logged(file: Path, wanted: Wanted, limit: int, *, is_forward: bool) -> list[Call]:
    where, values = _condition(wanted, ["id > ?"], [wanted.after])
    order = "ASC" if is_forward else "DESC"
    query = f"{_CALLS} WHERE {where} ORDER BY id {order} LIMIT ?"
    known: dict[int, Call] = {}
    found = []
    for id_, at, first_byte_ms, total_ms, what, told in _rows(file, query, [*values, limit]):
        if what not in known:
            known[what] = from_json(json.loads(told) | {"at": _ANY})
        found.append(replace(known[what], id=id_, at=at, first_byte_ms=first_byte_ms, total_ms=total_ms))
    return found if is_forward else found[::-1]


def _condition(wanted: Wanted, given: Sequence[str], values: Sequence[Any] = ()) -> tuple[str, list[Any]]:
    """Return what is wanted as a condition of SQL, beside those that are given."""
    conditions = [*given]
    asked_by = [*values]
    for column, value in (("session", wanted.session), ("scope", wanted.scope), ("run", wanted.run)):
        if value:
            conditions.append(f"{column} = ?")
            asked_by.append(value)
    if wanted.outcomes:
        conditions.append(f"outcome IN ({', '.join('?' * len(wanted.outcomes))})")
        asked_by += wanted.outcomes
    if wanted.before is not None:
        conditions.append("id < ?")
        asked_by.append(wanted.before)
    if wanted.since:
        conditions.append("at >= ?")
        asked_by.append(wanted.since)
    return " AND ".join(conditions), asked_by


def _rows(file: Path, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Return what a query gives. Raises OSError, and ValueError where the file is no log of ours."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)) as opened:
            # All looks are at one state of the file.
            opened.execute("BEGIN")
            if not _has_tables(opened):
                return []
            return opened.execute(query, values).fetchall()
    except sqlite3.OperationalError as e:
        raise OSError(f"{file} cannot be read: {e}") from e
    except sqlite3.DatabaseError as e:
        raise ValueError(f"{file} is no log of calls: {e}") from e


def _has_tables(opened: sqlite3.Connection) -> bool:
    """Tell whether a log has its tables: in one that another process is just making there is nothing yet."""
    if opened.execute("PRAGMA application_id").fetchone()[0] == APPLICATION:
        return True
    if opened.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        raise sqlite3.DatabaseError("it is a database of another program's")
    return False
