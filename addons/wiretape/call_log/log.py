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

import json
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple, TextIO

from wiretape import redaction
from wiretape.call_log.call import Call, as_json, from_json
from wiretape.call_log.database import CallDatabase, Entry, Row, What
from wiretape.call_log.report import ReportWriter
from wiretape.codecs.units import counted
from wiretape.providers.usage import Usage

logger = logging.getLogger(__name__)

MOST = 100_000
"""Calls that a file has."""

type Price = Callable[[str, str, Usage, float], Decimal | None]
"""What tokens cost at a provider: its name, the model, the tokens, when. None where no price is known."""

_WAITING = 50_000
"""Calls that wait for the thread."""

_BATCH_S = 0.1
"""Seconds for which calls are gathered before they are written."""

_TEXT = 8_000
"""Characters of a text that are kept."""

_TEXTS = 20
"""Texts of one list that are kept."""

_OF_EACH = ("id", "at", "first_byte_ms", "total_ms")
"""What is told of each call, where all else is the same."""


class CallTemplate:
    """A call that is made again and again, the same but for its times."""

    __slots__ = ("make", "prepared")

    def __init__(self, make: Callable[[], Call]) -> None:
        """``make`` is called once, in the thread of the log; the times of its call are of no meaning."""
        self.make = make
        self.prepared: _Prepared | None = None
        """What a log keeps with it."""


class _Prepared(NamedTuple):
    """A call that may be written, and by which log."""

    log: "CallLog"
    call: Call
    entry: Entry


class _Timed(NamedTuple):
    """One call of a template; its times are by ``time.monotonic``."""

    template: CallTemplate
    came_at: float
    done_at: float


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
        account: Callable[[Call], None] | None = None,
    ) -> None:
        """``run``: what all calls of this proxy, from its start to its end, have in common. ``report`` gets a line of
        JSON for each call of this process. ``account`` is given each call, with its price; its times are of no meaning.
        """
        self.file = file
        self.run = run
        self._price = price
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
        self._put(_Timed(template, came_at, done_at))

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
        self.flush(seconds)
        self._is_closing = True
        self._room = 0
        self._hurry.set()
        self._wake.set()
        if self._thread:
            self._thread.join(seconds)
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
            self._write([self._waiting.popleft() for _ in range(len(self._waiting))])
        if self._database:
            self._database.close()

    def _write(self, waiting: Sequence[_Waiting]) -> None:
        clock = time.time() - time.monotonic()
        made = [entry for each in waiting if (entry := self._made(each, clock))]
        self._count([prepared.call for prepared, _ in made])
        try:
            first = self._store([row for _, row in made])
            if self._report and made:
                calls = (_told(prepared.call, row, first + at) for at, (prepared, row) in enumerate(made))
                self._report.write(calls)
        except OSError as e:
            # The calls go on without it.
            assert self._report
            logger.error("the report cannot be written any more: %s: %s", self._report.name, e.strerror or e)
            self._report.close()
            self._report = None
        finally:
            for each in waiting:
                if isinstance(each, threading.Event):
                    each.set()

    def _count(self, calls: Sequence[Call]) -> None:
        """Give calls to the account. Never raises."""
        if self._account is None:
            return
        try:
            for call in calls:
                self._account(call)
        except Exception:
            logger.exception("what calls have cost cannot be added up")

    def _store(self, rows: Sequence[Row]) -> int:
        """Write calls into the file, where there is one; return the first one's number. Never raises."""
        if not self._database or not rows:
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

    def _made(self, waiting: _Waiting, clock: float) -> tuple[_Prepared, Row] | None:
        """Return what is to be written; None where it is no call, or cannot be made. ``clock`` plus the time of
        ``time.monotonic`` is that of ``time.time``.
        """
        if isinstance(waiting, threading.Event):
            return None
        try:
            if isinstance(waiting, _Timed):
                template = waiting.template
                prepared = template.prepared
                if prepared is None or prepared.log is not self:
                    prepared = template.prepared = self._prepared(template.make())
                taken_ms = (waiting.done_at - waiting.came_at) * 1000
                return prepared, Row(prepared.entry, waiting.came_at + clock, taken_ms, taken_ms)
            call = waiting if isinstance(waiting, Call) else waiting()
            prepared = self._prepared(call)
            return prepared, Row(prepared.entry, call.at, call.first_byte_ms, call.total_ms)
        except Exception:  # One call is not to cost the others.
            self._unwritten += 1
            logger.exception("a call cannot be told")
            return None

    def _prepared(self, call: Call) -> _Prepared:
        call = replace(call, run=self.run, cost_usd=self._cost(call))
        told = redaction.DEFAULT.clean(_cut(as_json(call)))
        cleaned = from_json(told)
        text = json.dumps({name: each for name, each in told.items() if name not in _OF_EACH}, ensure_ascii=False)
        what = What(
            call.run,
            cleaned.session,
            cleaned.scope,
            cleaned.outcome,
            cleaned.recorded_in,
            cleaned.recording,
            text,
        )
        return _Prepared(self, cleaned, Entry(what))

    def _cost(self, call: Call) -> Decimal | None:
        if call.cost_usd is not None or self._price is None:
            return call.cost_usd
        return self._price(call.provider, call.model, call.usage, call.at)


def _told(call: Call, row: Row, number: int) -> Call:
    """Return a call with what is told of each."""
    return replace(call, id=number, at=row.at, first_byte_ms=row.first_byte_ms, total_ms=row.total_ms)


def _cut(value: object) -> object:
    """Return a value of JSON whose texts and lists are not too long."""
    if isinstance(value, str):
        return value if len(value) <= _TEXT else f"{value[:_TEXT]}…"
    if isinstance(value, list):
        return [_cut(each) for each in value[:_TEXTS]]
    if isinstance(value, dict):
        return {name: _cut(each) for name, each in value.items()}
    return value
