"""What a proxy has left that has ended: its journal, taken over by one process at a time. After ``folder``."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wiretape.journal import key as key_file
from wiretape.journal.folder import OWNER, WRITER
from wiretape.journal.lock import Lock
from wiretape.journal.places import journals


@dataclass(frozen=True, slots=True)
class Leftover:
    """The journal of a proxy that has ended, to which this process alone sees."""

    path: Path
    key: bytes | None
    """None where it is gone, and with it all that was left."""

    @property
    def process(self) -> str:
        """The id that the proxy's process had."""
        return self.path.name.partition("-")[0]


@contextlib.contextmanager
def take_over(path: Path) -> Iterator[Leftover | None]:
    """Hold the journal of a proxy that has ended for as long as this lasts; give None where it or its writer lives."""
    locks: list[Lock] = []
    try:
        for name in (OWNER, WRITER):
            lock = Lock.take(path / name) if path.is_dir() else None
            if lock is None:
                yield None
                return
            locks.append(lock)
        yield Leftover(path, key_file.find(path))
    finally:
        for lock in locks:
            lock.release()


def has_leftovers() -> bool:
    """Return whether there is a journal whose proxy has ended and to which no process sees."""
    for path in journals():
        with contextlib.suppress(OSError), take_over(path) as leftover:
            if leftover:
                return True
    return False
