"""Takes what became of calls from any thread, which waits for nothing, and has it written by a thread of its own.

``add`` appends to a queue; the thread takes what has come within a tenth of a second, makes calls of it, and writes
them into a file that all workers share (``database``) and into a report (``report``), where there is one. What costs
time is done there: a call may be given as what makes it, its price is asked for, secrets are taken out, long texts are
cut. Of calls that are the same but for their times all of that is done once (``CallTemplate``).

What holds:

- The traffic waits for no disk, and goes on without the log where that fails; it is said once. A disk that works
  again has what comes from then on.
- So many calls wait at most; what comes beyond is counted, and said at the end.
- After ``flush`` all that was added before is there for whoever reads the file.
- What a process has added in its last tenth of a second is lost where it is killed.

    log = CallLog(file, "2026-11-28T08:00:00Z-4711")
    log.add(call)
    log.flush()
"""

import logging
import sqlite3
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from wiretape.call_log.call import Call
from wiretape.call_log.database import CallDatabase, Row
from wiretape.call_log.preparing import CallTemplate, Prepared, Preparer, Price
from wiretape.call_log.report import ReportWriter
from wiretape.codecs.units import counted

logger = logging.getLogger(__name__)

MOST = 100_000
"""Calls that a file has."""

_WAITING = 50_000
"""Calls that wait for the thread."""

_BATCH_S = 0.1
"""Seconds for which calls are gathered before they are written."""

type Account = Callable[[Call, int], None]
"""What is told of calls when they are written: each different one, and how many there are that are the same."""

type _Timed = tuple[CallTemplate, float, float]
"""One call of a template: when its request came, and when it went out in one piece, by ``time.monotonic``."""

type _Waiting = Call | Callable[[], Call] | _Timed | threading.Event


class CallLog:
    """Has calls written. For any thread."""

    def __init__(
        self,
        file: Path | None,
        run: str,
        price: Price | None = None,
        most: int = MOST,
        *,
        report: TextIO | None = None,
        account: Account | None = None,
    ) -> None:
        """``run``: what all calls of this proxy, from its start to its end, have in common. ``report`` gets a line of
        JSON for each call of this process, and ``account`` is told of each; without ``file``, that is all.
        """
        self.file = file
        self.run = run
        self._preparer = Preparer(run, price)
        self._account = account
        self._database = CallDatabase(file, most) if file else None
        self._report = ReportWriter(report) if report else None
        self._waiting: deque[_Waiting] = deque()
        self._room = _WAITING
        """Calls that may wait: none when it is closed."""
        self._unwritten = 0
        """Calls that are in no file."""
        self._is_told = False
        """Whether it was said that the file cannot be written."""
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._is_closing = False
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    # -- for any thread ----------------------------------------------------------------------------------------------

    def add(self, call: Call | Callable[[], Call]) -> None:
        """Have a call written: itself, or what its maker makes when its turn comes, in another thread."""
        self._put(call)

    def add_like(self, template: CallTemplate, came_at: float, done_at: float) -> None:
        """Have a call written that went out in one piece at ``done_at``; both times are by ``time.monotonic``."""
        self._put((template, came_at, done_at))

    def flush(self, seconds: float = 10.0) -> bool:
        """Wait until all that was added is in the file, for so many seconds at most. Return whether it is."""
        if self._is_closing:
            return True
        done = threading.Event()
        self._waiting.append(done)
        self._hurry.set()
        self._start()
        return done.wait(seconds)

    def close(self, seconds: float = 10.0) -> None:
        """Write what was added, for so many seconds at most, and then nothing more."""
        if self._is_closing:
            return
        self._room = 0
        if self._thread:
            self.flush(seconds)
            self._is_closing = True
            self._hurry.set()
            self._wake.set()
            self._thread.join(seconds)
        self._is_closing = True
        if self._unwritten:
            logger.warning("%s in no log", counted(self._unwritten, "call is", "calls are"))

    def _put(self, waiting: _Waiting) -> None:
        if len(self._waiting) >= self._room:
            self._unwritten += 1
            return
        self._waiting.append(waiting)
        if not self._wake.is_set():
            self._start()

    def _start(self) -> None:
        self._wake.set()
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._work, name="wiretape-calls", daemon=True)
                    self._thread.start()

    # -- for its own thread ------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._is_closing:
            self._wake.wait()
            self._hurry.wait(_BATCH_S)
            self._hurry.clear()
            # Before the queue is read: what comes after that sets it again.
            self._wake.clear()
            waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
            try:
                self._write(waiting)
            except Exception:  # What is added next is to be written.
                logger.exception("calls cannot be told")
            finally:
                for each in waiting:
                    if isinstance(each, threading.Event):
                        each.set()
        if self._database:
            self._database.close()

    def _write(self, waiting: Sequence[_Waiting]) -> None:
        prepared, rows = self._prepared(waiting)
        if not rows:
            return
        first = self._store(rows)
        if self._report:
            self._tell(self._report, prepared, rows, first)
        if self._account:
            # Those of a template are one object.
            different = {id(each): each.call for each in prepared}
            for key, times in Counter(map(id, prepared)).items():
                self._account(different[key], times)

    def _prepared(self, waiting: Sequence[_Waiting]) -> tuple[list[Prepared], list[Row]]:
        """Return what is to be written: calls, and the row of each."""
        preparer = self._preparer
        # Plus the time of ``time.monotonic``, it is that of ``time.time``.
        clock = time.time() - time.monotonic()
        calls: list[Prepared] = []
        rows: list[Row] = []
        for each in waiting:
            if isinstance(each, tuple):
                template, came_at, done_at = each
                prepared = template.prepared
                if prepared is None or prepared.by is not preparer:
                    prepared = preparer.of_template(template)
                if prepared:
                    calls.append(prepared)
                    taken_ms = (done_at - came_at) * 1000
                    rows.append((prepared.entry, came_at + clock, taken_ms, taken_ms))
            elif not isinstance(each, threading.Event) and (prepared := preparer.of(each)):
                calls.append(prepared)
                call = prepared.call
                rows.append((prepared.entry, call.at, call.first_byte_ms, call.total_ms))
        return calls, rows

    def _store(self, rows: Sequence[Row]) -> int:
        """Write calls into the file, where there is one; return the first one's number. Never raises."""
        if not self._database:
            return 1
        try:
            first = self._database.write(rows)
        except (OSError, sqlite3.Error) as e:
            self._unwritten += len(rows)
            if not self._is_told:
                self._is_told = True
                text = "the log of calls cannot be written, and the traffic goes on without it: %s: %s"
                logger.error(text, self._database.file, e)
            return 1
        self._is_told = False
        return first

    def _tell(self, report: ReportWriter, calls: Sequence[Prepared], rows: Sequence[Row], first: int) -> None:
        """Write calls into the report, with the numbers that they have in the file."""
        told = (
            replace(each.call, id=number, at=at, first_byte_ms=first_byte_ms, total_ms=total_ms)
            for number, (each, (_, at, first_byte_ms, total_ms)) in enumerate(zip(calls, rows, strict=True), first)
        )
        try:
            report.write(told)
        except OSError as e:
            # The calls go on without it.
            logger.error("the report cannot be written any more: %s: %s", report.name, e.strerror or e)
            report.close()
            self._report = None
