"""From a journal to recordings: takes the exchanges that have ended, in their order, and removes what is written.

Works in the writer's process, for as long as its proxy lives and then to the end; in ``wiretape recover`` and at a
start, on what a proxy has left that was killed; and in the proxy itself where no process can be started. Who works
holds the writer's lock of the journal.

An exchange is done in the journal only when its recording is on the disk, or in the spool of a bucket that is
away, or when it is told why there is none. One that the store refuses for now (a full disk) stays. While the proxy
lives one of those is tried now and then, and all of them once the store takes it; else whoever comes next tries them.
What was written by a process that was killed before it could say so in the journal is written again, which changes
nothing: the tape is told that it may be there.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from wiretape.journal.exchange_file import Stage, StoredExchange
from wiretape.journal.folder import ATTEMPT, Folder
from wiretape.journal.write_job import OtherVersionError, WriteJob, WriterConfig
from wiretape.metrics.counters import Counters, Reason
from wiretape.policy import Mode, Takes
from wiretape.store.base import Store
from wiretape.store.directory import DirectoryStore
from wiretape.store.grouped import GroupedStore, Key
from wiretape.store.opening import StoreUrl
from wiretape.tape.tape import Failing, conflict_resolver

logger = logging.getLogger(__name__)

_MOST = 64
"""Exchanges of a group."""

_PAUSE = 0.03
"""Seconds until what has ended is looked at: a client's next request, which often comes at once, goes before, and more
is written at once."""

_MANY, _LONG_PAUSE = 4, 0.4
"""So many exchanges that end within that time are followed by as many that begin: so many seconds later those are under
way, and wait no more for the processor and the disk that the writing takes."""

DONE = (Stage.RECORDED, Stage.UNRECORDED)

_LARGE = 1 << 20
"""Bytes of an exchange from which it is written by itself: a group is held in memory."""

_HELD = 16 << 20
"""Bytes of a group's files from which it is not made larger."""

_RETRY = 5.0
"""Seconds until it is looked whether a store that has refused something works again."""

_ATTEMPTS = 8
"""So many writers may die of a large exchange: of one that is too large for this machine's memory all would."""

type LogLine = tuple[str, int, str]
"""Name of the logger, level, message."""


@dataclass(slots=True)
class WriteOutcome:
    """What became of an exchange."""

    number: int
    recorded: int = 0
    unrecorded: int = 0
    reason: str = Reason.TOLD
    """Why it is not recorded."""
    is_kept: bool = False
    """Whether it is still in the journal, as the store failed."""
    is_lost: bool = False
    """Whether the journal has it and nobody can read it."""
    is_unfinished: bool = False
    """Whether its proxy was killed while it was under way, and what came is not whole."""
    log: list[LogLine] = field(default_factory=list)

    @property
    def stage(self) -> Stage:
        """How the journal's file is called, when this is told and the file is not kept."""
        return Stage.RECORDED if self.recorded else Stage.UNRECORDED


def say(lines: Iterable[LogLine]) -> None:
    """Put lines that another process has said into this one's log."""
    for name, level, message in lines:
        logging.getLogger(name).log(level, "%s", message)


class LogCapture(logging.Handler):
    """Log records as values, for the process whose log they belong in."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[LogLine] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record's line."""
        self.lines.append((record.name, record.levelno, self.format(record)))

    def taken(self) -> list[LogLine]:
        """The lines since the last call."""
        lines, self.lines = self.lines, []
        return lines


class Stores:
    """The stores that were written to: one for all exchanges, as a bucket's finds out first what its server can do."""

    def __init__(self) -> None:
        self._stores: dict[StoreUrl, Store] = {}
        self._groups: dict[StoreUrl, GroupedStore] = {}
        self._chosen: dict[str, tuple[Mode, Takes]] = {}
        self._states: dict[tuple[StoreUrl, str], dict[str, int]] = {}
        self.failing: Failing = {}

    def states(self, config: WriterConfig) -> dict[str, int]:
        """What was written of what moves on, in the session of an exchange: for its tape, which counts."""
        return self._states.setdefault((config.place, config.tape.session), {})

    def of(self, config: WriterConfig) -> Store:
        """The store of an exchange; how its session is recorded is kept for what has to wait. Raises ValueError."""
        self._chosen[config.tape.session] = config.tape.mode, config.tape.takes
        if config.place not in self._stores:
            store = config.place.open(conflict_resolver(self._choice))
            self._stores[config.place] = store
            if isinstance(store, DirectoryStore):
                self._groups[config.place] = GroupedStore(store)
        return self._stores[config.place]

    def group(self, config: WriterConfig) -> GroupedStore | None:
        """The same for several exchanges at once, where it is a directory."""
        self.of(config)
        return self._groups.get(config.place)

    def _choice(self, session: str) -> tuple[Mode, Takes]:
        # What an earlier process has left: as the option's default has it.
        return self._chosen.get(session, (Mode.RECORD_IF_MISSING, Takes.LAST))

    def start(self) -> None:
        """Have them clean up after writers that were killed."""
        for store in self._stores.values():
            store.start()

    def close(self) -> None:
        """End them."""
        for store in self._stores.values():
            store.close()


@dataclass(slots=True)
class _Grouped:
    """An exchange of a group, until the group is written."""

    kept: StoredExchange
    outcome: WriteOutcome
    touched: frozenset[Key]


class JournalWriter:
    """Writes recordings from one journal. For one thread."""

    def __init__(self, folder: Folder, stores: Stores, log: LogCapture) -> None:
        """``log``: has what is said while an exchange is written; a handler of the logger ``wiretape``."""
        self._folder = folder
        self._cipher = folder.cipher
        self._stores = stores
        self._log = log
        self._failed: set[int] = set()
        self._retry_at = 0.0
        self._attempt = folder.path / ATTEMPT
        # Of what is there by now, another writer may have written the beginning.
        self._repeated = {kept.number for kept in folder.files(Stage.ENDED)}

    def told_again(self) -> Iterator[WriteOutcome]:
        """What another writer was done with, and may not have told before it was killed."""
        for kept in self._folder.files(*DONE):
            is_recorded = kept.stage is Stage.RECORDED
            yield WriteOutcome(kept.number, recorded=is_recorded, unrecorded=not is_recorded)

    def pause(self) -> None:
        """Leave what has just ended for a moment."""
        time.sleep(_PAUSE)
        if len(self._left(Stage.ENDED)) >= _MANY:
            time.sleep(_LONG_PAUSE)

    def write_ended(self) -> Iterator[WriteOutcome]:
        """Write what has ended by now."""
        if self._failed and time.monotonic() >= self._retry_at:
            yield from self._try_again()
        while ended := self._left(Stage.ENDED):
            yield from self._write(ended[:_MOST])
            if len(ended) <= _MOST:
                return

    def _try_again(self) -> Iterator[WriteOutcome]:
        """Write one of those that their store has refused, and leave the others to be written if it takes that."""
        self._retry_at = time.monotonic() + _RETRY
        for kept in self._folder.files(Stage.ENDED):
            if kept.number in self._failed:
                self._failed.discard(kept.number)
                for outcome in self._write([kept]):
                    if outcome.is_kept:
                        return  # It was told before.
                    yield outcome
                break
        self._failed.clear()

    def _left(self, *stages: Stage) -> list[StoredExchange]:
        return [kept for kept in self._folder.files(*stages) if kept.number not in self._failed]

    def finish(self) -> Iterator[WriteOutcome]:
        """Write all that is left, and remove the journal if then nothing is. Its proxy has ended."""
        self._folder.remove_empty()
        while left := self._left(Stage.ENDED, Stage.LIVE):
            yield from self._write(left[:_MOST])
        for kept in self._folder.files(*DONE):
            kept.path.unlink(missing_ok=True)
        if not self._folder.files(Stage.ENDED, Stage.LIVE):
            self._folder.remove()

    def _write(self, files: Sequence[StoredExchange]) -> Iterator[WriteOutcome]:
        grouped: list[_Grouped] = []
        groups: dict[int, GroupedStore] = {}
        for kept in files:
            job, outcome = self._read(kept)
            group = job and self._group(job)
            if group and group.size > _HELD:
                yield from self._commit(grouped, groups)
                grouped, groups = [], {}
            if job and group:
                group.touched = set()
                self._record(job, group, outcome)
                groups[id(group)] = group
                grouped.append(_Grouped(kept, outcome, frozenset(group.touched)))
                continue
            # What is before it in the order goes before it.
            yield from self._commit(grouped, groups)
            grouped, groups = [], {}
            if job and (job.size <= _LARGE or self._may_try(kept, outcome)):
                self._record(job, None, outcome)
                self._attempt.unlink(missing_ok=True)
            yield self._done(kept, outcome)
        yield from self._commit(grouped, groups)

    def _may_try(self, kept: StoredExchange, outcome: WriteOutcome) -> bool:
        """Note that an exchange is tried; whether too many writers have died of it."""
        tried = 0
        with suppress(OSError, ValueError):
            number, tried = map(int, self._attempt.read_text("ascii").split())
            tried *= number == kept.number
        if tried >= _ATTEMPTS:
            logger.error("RECORDING LOST: %d processes were killed while they wrote %s", tried, kept.path)
            outcome.unrecorded, outcome.is_lost = 1, True
            outcome.reason = Reason.LOST
            outcome.log += self._log.taken()
            self._attempt.unlink(missing_ok=True)
            return False
        self._attempt.write_text(f"{kept.number} {tried + 1}", "ascii")
        return True

    def _commit(self, grouped: Sequence[_Grouped], groups: dict[int, GroupedStore]) -> Iterator[WriteOutcome]:
        failed = {key for group in groups.values() for key in group.commit()}
        for each in grouped:
            outcome = each.outcome
            if not failed.isdisjoint(each.touched):
                self._repeated.add(each.kept.number)
                job, outcome = self._read(each.kept)
                if job:
                    self._record(job, None, outcome)
            yield self._done(each.kept, outcome)

    def _read(self, kept: StoredExchange) -> tuple[WriteJob | None, WriteOutcome]:
        outcome = WriteOutcome(kept.number)
        try:
            reader = kept.reader(self._cipher)
            try:
                job = WriteJob.read(reader)
            finally:
                reader.close()
        except OtherVersionError as e:
            logger.error("%s of the journal stays, for the `wiretape recover` of that version: %s", kept.path, e)
            job = None
            outcome.unrecorded = 1
            outcome.reason = Reason.LOST
            outcome.is_kept = True
        except (OSError, ValueError) as e:
            logger.error("RECORDING LOST: %s of the journal cannot be read: %s", kept.path, e)
            job = None
            outcome.unrecorded = 1
            outcome.reason = Reason.LOST
            outcome.is_lost = True
        else:
            outcome.is_unfinished = job is None
        outcome.log += self._log.taken()
        return job, outcome

    def _group(self, job: WriteJob) -> GroupedStore | None:
        if job.size > _LARGE:
            return None
        try:
            return self._stores.group(job.asked.config)
        except ValueError:
            return None  # Told in a moment.

    def _record(self, job: WriteJob, group: GroupedStore | None, outcome: WriteOutcome) -> None:
        counters = Counters()
        config = job.asked.config
        try:
            store = group or self._stores.of(config)
            is_repeated = outcome.number in self._repeated
            states = self._stores.states(config)
            tape = config.open_tape(store, counters, self._stores.failing, is_repeated=is_repeated, states=states)
            outcome.is_kept = not job.write(tape)
        except ValueError as e:  # The environment of who recovers lacks what the proxy's had.
            logger.error("RECORDING LOST: %s: %s", config.place.recordings, e)
            counters.not_recorded(Reason.LOST)
            outcome.is_kept = True
        outcome.reason = next(iter(counters.reasons), Reason.TOLD)
        outcome.recorded, outcome.unrecorded = counters.recorded, counters.unrecorded
        outcome.is_unfinished = not job.has_last and not counters.recorded
        outcome.log += self._log.taken()

    def _done(self, kept: StoredExchange, outcome: WriteOutcome) -> WriteOutcome:
        if outcome.is_kept:
            if not self._failed:
                self._retry_at = time.monotonic() + _RETRY
            self._failed.add(kept.number)
            self._repeated.add(kept.number)
        else:
            kept.moved(outcome.stage)
        return outcome
