"""Recordings as the commands see them: files below a folder, whatever is above it, or objects of a bucket.

Between the command line's argument and ``recordings``. A folder may be all sessions, one session or one folder, and
need not be laid out as a store is; a bucket is a store.
"""

import os
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import batched
from pathlib import Path
from typing import Protocol

from wiretape.codecs import printable
from wiretape.codecs.units import parse_size
from wiretape.library import parallel
from wiretape.sessions.model import check_name
from wiretape.store import freezing, regular
from wiretape.store.atomic import write_file
from wiretape.store.base import RESPONSES, WIRE, Store
from wiretape.store.directory import DirectoryStore
from wiretape.store.opening import is_url, open_store

_AT_ONCE = 16
"""Objects that are asked for at once."""

_BATCH = 256


class File(Protocol):
    """A recording or a capture; as text, where it is."""

    @property
    def name(self) -> str:
        """Its name, without ``.json``."""

    @property
    def below(self) -> str:
        """The same with the folders that lead to it from where all of them are."""

    @property
    def is_capture(self) -> bool:
        """Whether it is a capture."""

    @property
    def is_frozen(self) -> bool:
        """Whether its session has the mark, with which nothing is written there. Raises OSError."""

    def state(self) -> Hashable:
        """What changes when it, or its capture, does. Raises OSError."""

    def written(self) -> float | None:
        """When its file was written, in seconds since 1970; None where that is not known."""

    def read(self) -> bytes | None:
        """The bytes; None where there is nothing. Raises NotARecordingError and OSError."""

    def write(self, data: bytes, *, replace: bool) -> bool:
        """As a store's. Raises OSError."""

    def remove(self) -> None:
        """Remove it, if it is there. Raises OSError."""

    def capture(self) -> "File | None":
        """The capture of a recording, which need not be there; None where it can have none."""

    def named(self, name: str, output: Path | None) -> "File":
        """The file of another name beside it; or at the same place below another folder."""


class Source(Protocol):
    """Where the recordings of a command are; as text, for people."""

    @property
    def store(self) -> Store:
        """Where what was found out about them is noted."""

    def files(self, *, captures: bool = False) -> list[File]:
        """The recordings, in the order of their names; with ``captures`` those too. Raises OSError."""

    def mapped[R](self, work: Callable[[File], R], files: Sequence[File]) -> Iterator[R]:
        """What ``work`` gives for each file, in order; several at once where that is quicker."""


def largest() -> int:
    """Bytes of a recording, as the proxy's option. Raises ValueError."""
    text = os.environ.get("WIRETAPE_MAX_RECORDING")
    try:
        if text:
            return parse_size(text)
        return regular.LARGEST
    except ValueError as e:
        raise ValueError(f"WIRETAPE_MAX_RECORDING: {e}") from e


def source(text: str, session: str | None = None) -> Source:
    """What a command was asked to look at: a folder or the URL of a bucket, all of it or one session.

    Raises ValueError for what is neither, and where there is no such session; OSError where the store fails.
    """
    # Nothing waits in a spool: a command that has ended must have done what it said.
    store = open_store(text, spool=0, largest=largest())
    if not is_url(text) and not Path(text).is_dir():
        raise ValueError(f"{text}: there is no such directory")
    if session is not None and check_name(session) not in (there := store.sessions()):
        raise ValueError(f"no session {session} below {store.url}; there are {', '.join(there) or 'none'}")
    if is_url(text):
        return _Bucket(store, session)
    return _Folder(Path(text), session, store)


@dataclass(frozen=True, slots=True)
class _Folder:
    root: Path
    session: str | None
    store: Store

    def __str__(self) -> str:
        return str(self.root)

    def files(self, *, captures: bool = False) -> list[File]:
        found: list[Path] = []
        seen: set[str] = set()
        waiting = [self.root / self.session if self.session else self.root]
        while waiting:
            for parent, folders, names in os.walk(waiting.pop(), onerror=_raise):
                real = os.path.realpath(parent)
                if real in seen:
                    folders.clear()
                    continue
                seen.add(real)
                hidden = ""
                if RESPONSES in folders and not captures:
                    hidden = WIRE
                folders[:] = [name for name in folders if not name.startswith(".") and name != hidden]
                shown = [name for name in names if not name.startswith(".")]
                waiting += [path for path in map(Path(parent).joinpath, folders) if self._is_followed(path)]
                found += [path for path in map(Path(parent).joinpath, (*folders, *shown)) if self._is_file(path)]
        return [OnDisk(path, self.root) for path in sorted(found)]

    def mapped[R](self, work: Callable[[File], R], files: Sequence[File]) -> Iterator[R]:
        return parallel.mapped(work, files)

    def _is_followed(self, path: Path) -> bool:
        """Whether a folder is a link that stays inside, where ``os.walk`` does not follow any."""
        return path.is_symlink() and self._is_inside(path)

    def _is_file(self, path: Path) -> bool:
        """Whether it is a recording, or a link out: what that leads to is not looked at, and who reads it is told."""
        return path.suffix == ".json" or (path.is_symlink() and not self._is_inside(path))

    def _is_inside(self, path: Path) -> bool:
        return regular.is_inside(str(path), str(self.root))


def _raise(error: OSError) -> None:
    raise error


@dataclass(frozen=True, slots=True)
class OnDisk:
    """A file."""

    path: Path
    root: Path

    def __str__(self) -> str:
        return printable.line(str(self.path))

    @property
    def name(self) -> str:
        """Its name, without ``.json``."""
        return self.path.stem

    @property
    def below(self) -> str:
        """Its path below the root."""
        path = str(self.path)
        root = f"{self.root}{os.sep}"
        # Of the folder "." a path does not have the name; and Path's own way is a hundred times as slow.
        below = path.removeprefix(root) if path.startswith(root) else str(self.path.relative_to(self.root))
        return os.path.splitext(below)[0]  # noqa: PTH122

    @property
    def is_capture(self) -> bool:
        """Whether it is in the folder of the captures, beside that of the recordings."""
        return self.path.parent.name == WIRE and (self.path.parent.parent / RESPONSES).is_dir()

    @property
    def is_frozen(self) -> bool:
        """Whether the folder above its own has the mark."""
        session = self.path.resolve().parent.parent
        return freezing.is_frozen(DirectoryStore(session.parent), session.name)

    def state(self) -> Hashable:
        """Of the file and of its capture."""
        folder, name = os.path.split(self.path)
        above, last = os.path.split(folder)
        beside = (os.path.join(above, WIRE, name),) if last == RESPONSES else ()  # noqa: PTH118
        return tuple(_looked(each) for each in (str(self.path), *beside))

    def written(self) -> float | None:
        """As the disk has it."""
        looked = _looked(str(self.path))
        if not looked:
            return None
        return looked[0] / 1e9

    def read(self) -> bytes | None:
        """The bytes."""
        try:
            return regular.read(str(self.path), str(self.root), largest())
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, data: bytes, *, replace: bool) -> bool:
        """Whole or not at all."""
        return write_file(self.path, data, replace=replace)

    def remove(self) -> None:
        """Remove it."""
        self.path.unlink(missing_ok=True)

    def capture(self) -> "OnDisk | None":
        """In the folder of the captures, beside that of the recordings."""
        folder = self.path.parent
        if folder.name != RESPONSES:
            return None
        return OnDisk(folder.parent / WIRE / self.path.name, self.root)

    def named(self, name: str, output: Path | None) -> "OnDisk":
        """A file of another name."""
        root = output or self.root
        return OnDisk(root / self.path.parent.relative_to(self.root) / f"{name}.json", root)


def _looked(path: str) -> tuple[int, int] | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


@dataclass(frozen=True, slots=True)
class _Bucket:
    store: Store
    session: str | None

    def __str__(self) -> str:
        if self.session:
            return self.store.where(self.session)
        return self.store.url

    def files(self, *, captures: bool = False) -> list[File]:
        return [*self._files(captures)]

    def mapped[R](self, work: Callable[[File], R], files: Sequence[File]) -> Iterator[R]:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for some in batched(files, _BATCH):
                yield from pool.map(work, some)

    def _files(self, captures: bool) -> Iterator[File]:
        for session in [self.session] if self.session else self.store.sessions():
            # Which captures there may be is told by the recordings.
            seen = self.store.scan(session)
            names = sorted(seen)
            for folder in (RESPONSES, WIRE) if captures else (RESPONSES,):
                yield from (_Stored(self.store, session, name, folder, seen[name]) for name in names)


@dataclass(frozen=True, slots=True)
class _Stored:
    """An object."""

    store: Store
    session: str
    name: str
    folder: str = RESPONSES
    seen: Hashable = field(default=None, compare=False)
    """Its state when all were listed; a capture is written after its recording."""

    def __str__(self) -> str:
        return self.store.where(self.session, self.name, self.folder)

    @property
    def below(self) -> str:
        return f"{self.session}/{self.folder}/{self.name}"

    @property
    def is_capture(self) -> bool:
        return self.folder == WIRE

    @property
    def is_frozen(self) -> bool:
        return freezing.is_frozen(self.store, self.session)

    def state(self) -> Hashable:
        return self.seen

    def written(self) -> float | None:
        return None

    def read(self) -> bytes | None:
        return self.store.read(self.session, self.name, self.folder)

    def write(self, data: bytes, *, replace: bool) -> bool:
        return self.store.write(self.session, self.name, data, replace=replace, folder=self.folder)

    def remove(self) -> None:
        self.store.remove(self.session, self.name, self.folder)

    def capture(self) -> "_Stored":
        return _Stored(self.store, self.session, self.name, WIRE)

    def named(self, name: str, output: Path | None) -> "_Stored":
        return _Stored(DirectoryStore(output) if output else self.store, self.session, name, self.folder)
