"""The journals of proxies that were killed with their writer are finished: at a start, and in ``wiretape recover``."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wiretape.journal.exchange_file import Stage
from wiretape.journal.folder import Folder
from wiretape.journal.leftovers import Leftover, take_over
from wiretape.journal.outcome import LogCapture, LogLine
from wiretape.journal.places import journals
from wiretape.journal.stores import Stores
from wiretape.journal.writer import JournalWriter


@dataclass(slots=True)
class Recovered:
    """What became of a journal that was left."""

    path: Path
    process: str
    """The id that the proxy's process had."""
    recorded: int = 0
    unrecorded: int = 0
    """Answers that are none to record."""
    unfinished: int = 0
    """Dropped, as they were under way when the proxy was killed."""
    kept: int = 0
    """Still in the journal, as their store failed."""
    lost: int = 0
    """Dropped, as their key is gone or they cannot be read."""

    @property
    def is_whole(self) -> bool:
        """Whether all is written that can be."""
        return not self.kept and not self.lost

    def __str__(self) -> str:
        told = [f"{self.recorded} recorded"]
        if self.unrecorded:
            told.append(f"{self.unrecorded} not to be recorded")
        if self.unfinished:
            told.append(f"{self.unfinished} dropped that had not ended")
        if self.lost:
            told.append(
                f"{self.lost} LOST: the key of the journal is gone, as after a start of the machine, or it is damaged"
            )
        if self.kept:
            told.append(f"{self.kept} that could not be written stay in {self.path}: wiretape recover tries again")
        return f"a proxy (process {self.process}) had ended with answers still to be written: {', '.join(told)}"

    @property
    def level(self) -> int:
        """How loud that is, as a level of ``logging``."""
        if not self.is_whole:
            return logging.ERROR
        return logging.WARNING if self.unfinished else logging.INFO


def recover(log: LogCapture) -> Iterator[tuple[Recovered | None, list[LogLine]]]:
    """Finish each journal whose proxy has ended and to which no process sees; yield it with what was said.

    Yield None for a journal that another process has. Never raises OSError.
    """
    stores = Stores()
    try:
        for path in journals():
            try:
                with take_over(path) as leftover:
                    yield (_finish(leftover, stores, log) if leftover else None), log.taken()
            except OSError as e:
                logging.getLogger(__name__).error("%s: cannot be taken up: %s", path, e)
                yield Recovered(path, path.name.partition("-")[0], kept=1), log.taken()
        stores.start()
        if lines := log.taken():
            yield None, lines
    finally:
        stores.close()


def _finish(leftover: Leftover, stores: Stores, log: LogCapture) -> Recovered:
    recovered = Recovered(leftover.path, leftover.process)
    folder = Folder(leftover.path, leftover.key or b"")
    if leftover.key is None:
        folder.remove_empty()
        files = folder.files(Stage.ENDED, Stage.LIVE)
        recovered.lost = len(files)
        for kept in folder.files(*Stage):
            kept.path.unlink(missing_ok=True)
        folder.remove()
        return recovered
    lines: list[LogLine] = []
    for outcome in JournalWriter(folder, stores, log).finish():
        lines += outcome.log
        recovered.recorded += outcome.recorded
        if outcome.is_kept:
            recovered.kept += 1
        elif outcome.is_lost:
            recovered.lost += 1
        elif outcome.is_unfinished:
            recovered.unfinished += 1
        elif outcome.unrecorded:
            recovered.unrecorded += 1
    log.lines += lines
    return recovered
