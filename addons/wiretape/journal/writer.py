"""From a journal to recordings: takes the exchanges that have ended, in their order, and removes what is written.

It works in the writer's process, for as long as its proxy lives and then to the end; in ``wiretape recover`` and at a
start, on what a proxy has left that was killed; and in the proxy itself where no process can be started. Whoever works
holds the writer's lock of the journal.

An exchange's file goes through these stages here (see ``exchange_file``):

    .ended --written------------------------------------------> .recorded   --told--> removed
    .ended --no answer to record, or it cannot be read--------> .unrecorded --told--> removed
    .ended --the store refuses for now (a full disk)----------> .ended, "failed": tried again

What holds:

- An exchange is done only when its recording is on the disk, or in the spool of a bucket that is away, or when it is
  told why there is none. What another version of wiretape has written stays for that version.
- They are written in their order. Small ones go into a directory in groups, so that a group waits for the disk once;
  before a large one, which is written by itself, the group is written.
- While the proxy lives one of those that failed is tried now and then, and all of them once the store takes it; else
  whoever comes next tries them.
- What was written by a process that was killed before it could say so is written again, which changes nothing: the
  recorder is told that it may be there (``_repeated``).
- An exchange of which writer after writer dies, as it is too large for this machine's memory, is given up after eight.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass

from wiretape.journal.exchange_file import Stage, StoredExchange
from wiretape.journal.folder import ATTEMPT, Folder
from wiretape.journal.outcome import LogCapture, WriteOutcome
from wiretape.journal.stores import Stores
from wiretape.journal.write_job import OtherVersionError, WriteJob
from wiretape.metrics.counters import Counters, Reason
from wiretape.store.grouped import GroupedStore, Key

logger = logging.getLogger(__name__)

_MOST = 64
"""Exchanges of a group."""

_PAUSE = 0.03
"""Seconds until what has ended is looked at: a client's next request, which often comes at once, goes before, and more
is written at once."""

_MANY = 4
_LONG_PAUSE = 0.4
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


@dataclass(slots=True)
class _Grouped:
    """An exchange of a group, until the group is written."""

    exchange: StoredExchange
    outcome: WriteOutcome
    store: GroupedStore
    touched: frozenset[Key]
    """The files that it would write."""


class JournalWriter:
    """Writes recordings from one journal. For one thread."""

    def __init__(self, folder: Folder, stores: Stores, log: LogCapture) -> None:
        """``log``: has what is said while an exchange is written; a handler of the logger ``wiretape``."""
        self._folder = folder
        self._cipher = folder.cipher
        self._stores = stores
        self._log = log
        self._failed: set[int] = set()
        """The exchanges that their store has refused."""
        self._retry_at = 0.0
        self._attempt = folder.path / ATTEMPT
        # Of what is there by now, another writer may have written the beginning.
        self._repeated = {exchange.number for exchange in folder.files(Stage.ENDED)}

    def told_again(self) -> Iterator[WriteOutcome]:
        """Yield what another writer was done with, and may not have told before it was killed."""
        for exchange in self._folder.files(*DONE):
            is_recorded = exchange.stage is Stage.RECORDED
            yield WriteOutcome(exchange.number, recorded=is_recorded, unrecorded=not is_recorded)

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

    def finish(self) -> Iterator[WriteOutcome]:
        """Write all that is left, and remove the journal if then nothing is. Its proxy has ended."""
        self._folder.remove_empty()
        while left := self._left(Stage.ENDED, Stage.LIVE):
            yield from self._write(left[:_MOST])
        for exchange in self._folder.files(*DONE):
            exchange.path.unlink(missing_ok=True)
        if not self._folder.files(Stage.ENDED, Stage.LIVE):
            self._folder.remove()

    def _try_again(self) -> Iterator[WriteOutcome]:
        """Write one of those that their store has refused, and leave the others to be written if it takes that."""
        self._retry_at = time.monotonic() + _RETRY
        for exchange in self._folder.files(Stage.ENDED):
            if exchange.number in self._failed:
                self._failed.discard(exchange.number)
                for outcome in self._write([exchange]):
                    if outcome.is_kept:
                        return  # It was told before.
                    yield outcome
                break
        self._failed.clear()

    def _left(self, *stages: Stage) -> list[StoredExchange]:
        return [exchange for exchange in self._folder.files(*stages) if exchange.number not in self._failed]

    def _write(self, exchanges: Sequence[StoredExchange]) -> Iterator[WriteOutcome]:
        """Write exchanges in their order, and yield what became of each."""
        group: list[_Grouped] = []
        for exchange in exchanges:
            job, outcome = self._read(exchange)
            store = self._group_store(job) if job else None
            if store is None or store.size > _HELD:
                # What is before it in the order goes before it.
                yield from self._commit(group)
                group = []
            if job and store:
                group.append(self._put_into(store, exchange, job, outcome))
                continue
            if job and (job.size <= _LARGE or self._may_try(exchange, outcome)):
                self._record(job, None, outcome)
                self._attempt.unlink(missing_ok=True)
            yield self._done(exchange, outcome)
        yield from self._commit(group)

    def _group_store(self, job: WriteJob) -> GroupedStore | None:
        """Return what takes an exchange with others, where it may be one of a group."""
        if job.size > _LARGE:
            return None
        try:
            return self._stores.group(job.request.config)
        except ValueError:
            return None  # Told in a moment.

    def _put_into(
        self, store: GroupedStore, exchange: StoredExchange, job: WriteJob, outcome: WriteOutcome
    ) -> _Grouped:
        store.touched = set()
        self._record(job, store, outcome)
        return _Grouped(exchange, outcome, store, frozenset(store.touched))

    def _commit(self, group: Sequence[_Grouped]) -> Iterator[WriteOutcome]:
        """Write a group. Where some of it cannot be written so, each exchange of which that is goes by itself."""
        stores = {id(each.store): each.store for each in group}
        failed = {key for store in stores.values() for key in store.commit()}
        for each in group:
            outcome = each.outcome
            if not failed.isdisjoint(each.touched):
                self._repeated.add(each.exchange.number)
                job, outcome = self._read(each.exchange)
                if job:
                    self._record(job, None, outcome)
            yield self._done(each.exchange, outcome)

    def _may_try(self, exchange: StoredExchange, outcome: WriteOutcome) -> bool:
        """Note that an exchange is tried. Return False where too many writers have died of it: then it is lost."""
        tried = self._tries_of(exchange)
        if tried < _ATTEMPTS:
            self._attempt.write_text(f"{exchange.number} {tried + 1}", "ascii")
            return True
        logger.error("RECORDING LOST: %d processes were killed while they wrote %s", tried, exchange.path)
        self._lose(outcome)
        outcome.log += self._log.taken()
        self._attempt.unlink(missing_ok=True)
        return False

    def _tries_of(self, exchange: StoredExchange) -> int:
        """Return how many writers have tried an exchange, and have not come to its end."""
        with suppress(OSError, ValueError):
            number, tried = map(int, self._attempt.read_text("ascii").split())
            if number == exchange.number:
                return tried
        return 0

    @staticmethod
    def _lose(outcome: WriteOutcome) -> None:
        outcome.unrecorded = 1
        outcome.reason = Reason.LOST
        outcome.is_lost = True

    def _read(self, exchange: StoredExchange) -> tuple[WriteJob | None, WriteOutcome]:
        """Read an exchange; no job where there is nothing to write, which the outcome tells."""
        outcome = WriteOutcome(exchange.number)
        job = None
        try:
            job = self._job(exchange)
        except OtherVersionError as e:
            logger.error("%s of the journal stays, for the `wiretape recover` of that version: %s", exchange.path, e)
            outcome.unrecorded = 1
            outcome.reason = Reason.LOST
            outcome.is_kept = True
        except (OSError, ValueError) as e:
            logger.error("RECORDING LOST: %s of the journal cannot be read: %s", exchange.path, e)
            self._lose(outcome)
        else:
            outcome.is_unfinished = job is None
        outcome.log += self._log.taken()
        return job, outcome

    def _job(self, exchange: StoredExchange) -> WriteJob | None:
        reader = exchange.reader(self._cipher)
        try:
            return WriteJob.read(reader)
        finally:
            reader.close()

    def _record(self, job: WriteJob, group: GroupedStore | None, outcome: WriteOutcome) -> None:
        """Write the recording of an exchange, into a group where one is given; the outcome gets what became of it."""
        counters = Counters()
        config = job.request.config
        try:
            store = group or self._stores.of(config)
            is_repeated = outcome.number in self._repeated
            recorder = config.open_recorder(store, counters, self._stores.written, is_repeated=is_repeated)
            outcome.is_kept = not job.write(recorder)
            call = recorder.call
            outcome.recording = call.recording
            outcome.label = call.label
            outcome.model = call.model
            outcome.usage = asdict(call.usage)
        except ValueError as e:  # The environment of who recovers lacks what the proxy's had.
            logger.error("RECORDING LOST: %s: %s", config.place.recordings, e)
            counters.not_recorded(Reason.LOST)
            outcome.is_kept = True
        outcome.reason = next(iter(counters.reasons), Reason.TOLD)
        outcome.recorded = counters.recorded
        outcome.unrecorded = counters.unrecorded
        outcome.is_unfinished = not job.has_last and not counters.recorded
        outcome.log += self._log.taken()

    def _done(self, exchange: StoredExchange, outcome: WriteOutcome) -> WriteOutcome:
        if outcome.is_kept:
            if not self._failed:
                self._retry_at = time.monotonic() + _RETRY
            self._failed.add(exchange.number)
            self._repeated.add(exchange.number)
        else:
            exchange.moved(outcome.stage)
        return outcome
