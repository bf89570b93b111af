"""What sessions with a budget have spent, on this machine's disk: a file of SQLite for all workers of a proxy.

It outlives a worker, and the proxy: a budget that each ``wiretape run`` has anew is none. A budget for a day is another
row on the next day; one without a period holds until ``wiretape budget --reset``.

What holds:

- Sums are exact: whole numbers of a millionth of a millionth of a dollar, rounded up.
- What one process has added is there for all others as soon as ``add`` has returned.
- Where the file cannot be read, nothing is known, and it raises: nobody may take that for nothing spent.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from pathlib import Path

from wiretape.store.shared_database import write_ahead

_UNIT = 12
"""Digits behind the point that are kept."""

_BUSY_S = 5.0
"""Seconds for which another process that writes is waited for."""

_KEPT = 1_000
"""Rows that are kept: those of the newest periods."""

_TABLE = """
CREATE TABLE IF NOT EXISTS spent (
  session TEXT, period TEXT, amount INTEGER NOT NULL, unpriced INTEGER NOT NULL, PRIMARY KEY (session, period)
)
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a session has spent in a period."""

    usd: Decimal = Decimal(0)
    unpriced: int = 0
    """Paid calls whose price is not known: they count as nothing."""


class Spending:
    """The file. For any thread. All methods raise OSError where it cannot be read or written."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._opened: sqlite3.Connection | None = None

    def add(self, session: str, period: str, usd: Decimal | None) -> None:
        """Add what a call has cost; None where its price is not known."""
        amount = 0
        if usd is not None:
            amount = int(usd.scaleb(_UNIT).to_integral_value(ROUND_CEILING))
        with self._using() as opened:
            opened.execute(
                "INSERT INTO spent VALUES (?, ?, ?, ?) ON CONFLICT (session, period) DO UPDATE"
                " SET amount = amount + excluded.amount, unpriced = unpriced + excluded.unpriced",
                (session, period, amount, int(usd is None)),
            )
            opened.execute(
                "DELETE FROM spent WHERE rowid NOT IN (SELECT rowid FROM spent ORDER BY period DESC, rowid LIMIT ?)"
                " AND period != ''",
                (_KEPT,),
            )

    def of(self, session: str, period: str) -> Spent:
        """Return what a session has spent in a period."""
        with self._using() as opened:
            query = "SELECT amount, unpriced FROM spent WHERE session = ? AND period = ?"
            row = opened.execute(query, (session, period)).fetchone()
        return _spent(*row) if row else Spent()

    def all(self) -> dict[tuple[str, str], Spent]:
        """Return what all sessions have spent, by session and period."""
        with self._using() as opened:
            rows = opened.execute("SELECT session, period, amount, unpriced FROM spent ORDER BY session, period")
            return {(session, period): _spent(*rest) for session, period, *rest in rows}

    def reset(self, session: str) -> None:
        """Forget what a session has spent, in all periods."""
        with self._using() as opened:
            opened.execute("DELETE FROM spent WHERE session = ?", (session,))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._opened:
                self._opened.close()
            self._opened = None

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._opened is None:
                    self._opened = self._open()
                with self._opened:
                    yield self._opened
            except sqlite3.Error as e:
                raise OSError(f"{self.file}: {e}") from e

    def _open(self) -> sqlite3.Connection:
        os.close(os.open(self.file, os.O_RDWR | os.O_CREAT, 0o600))
        opened = sqlite3.connect(self.file, timeout=_BUSY_S, check_same_thread=False)
        try:
            write_ahead(opened)
            opened.execute(_TABLE)
        except BaseException:
            opened.close()
            raise
        return opened


def _spent(amount: int, unpriced: int) -> Spent:
    return Spent(Decimal(amount).scaleb(-_UNIT), unpriced)
