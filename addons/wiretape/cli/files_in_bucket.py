"""Recordings in a bucket."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import batched
from pathlib import Path

from wiretape.cli.files import File
from wiretape.store import freezing
from wiretape.store.base import RESPONSES, WIRE, Store
from wiretape.store.directory import DirectoryStore

_AT_ONCE = 16
"""How many objects are asked for at once."""

_BATCH = 256


@dataclass(frozen=True, slots=True)
class BucketSource:
    """The recordings of a bucket, all of them or those of one session."""

    store: Store
    session: str | None

    def __str__(self) -> str:
        if self.session:
            return self.store.where(self.session)
        return self.store.url

    def files(self, *, captures: bool = False) -> list[File]:
        """Return the recordings, in the order of their names."""
        return [*self._files(captures)]

    def mapped[R](self, work: Callable[[File], R], files: Sequence[File]) -> Iterator[R]:
        """Yield what ``work`` returns for each file, in order."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for some in batched(files, _BATCH):
                yield from pool.map(work, some)

    def _files(self, captures: bool) -> Iterator[File]:
        if self.session:
            sessions = [self.session]
        else:
            sessions = self.store.sessions()
        folders = [RESPONSES]
        if captures:
            folders.append(WIRE)
        for session in sessions:
            # The recordings tell which captures there may be.
            seen = self.store.scan(session)
            names = sorted(seen)
            for folder in folders:
                yield from (StoredFile(self.store, session, name, folder, seen[name]) for name in names)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An object."""

    store: Store
    session: str
    name: str
    folder: str = RESPONSES
    seen: Hashable = field(default=None, compare=False)
    """Its state when all were listed. A capture is written after its recording."""

    def __str__(self) -> str:
        return self.store.where(self.session, self.name, self.folder)

    @property
    def below(self) -> str:
        """Its name, below the folders that lead to it."""
        return f"{self.session}/{self.folder}/{self.name}"

    @property
    def is_capture(self) -> bool:
        """Whether it is a capture."""
        return self.folder == WIRE

    @property
    def is_frozen(self) -> bool:
        """Whether its session is frozen by a mark in the store."""
        return freezing.is_frozen(self.store, self.session)

    def state(self) -> Hashable:
        """Return its state when all were listed."""
        return self.seen

    def written(self) -> float | None:
        """Return None: a list does not tell."""
        return None

    def read(self) -> bytes | None:
        """Return the bytes, or None where there are none."""
        return self.store.read(self.session, self.name, self.folder)

    def write(self, data: bytes, *, replace: bool) -> bool:
        """Write it whole or not at all."""
        return self.store.write(self.session, self.name, data, replace=replace, folder=self.folder)

    def remove(self) -> None:
        """Remove it, if it is there."""
        self.store.remove(self.session, self.name, self.folder)

    def capture(self) -> "StoredFile":
        """Return the capture of the recording, which need not be there."""
        return StoredFile(self.store, self.session, self.name, WIRE)

    def named(self, name: str, output: Path | None) -> "StoredFile":
        """Return the file of another name beside it, or at the same place below another folder."""
        store = self.store
        if output:
            store = DirectoryStore(output)
        return StoredFile(store, self.session, name, self.folder)
