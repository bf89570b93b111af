"""Recordings below a folder: of all sessions, of one, or of any folder that need not be laid out as a store is."""

import os
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wiretape.cli.files import File, largest
from wiretape.codecs import printable
from wiretape.library import parallel
from wiretape.store import freezing, regular
from wiretape.store.atomic import write_file
from wiretape.store.base import RESPONSES, WIRE, Store
from wiretape.store.directory import DirectoryStore


@dataclass(frozen=True, slots=True)
class FolderSource:
    """The recordings below a folder, all of them or those of one session."""

    root: Path
    session: str | None
    store: Store

    def __str__(self) -> str:
        if self.session:
            return str(self.root / self.session)
        return str(self.root)

    def files(self, *, captures: bool = False) -> list[File]:
        """Return the recordings, in the order of their names."""
        paths: list[Path] = []
        seen: set[str] = set()
        waiting = [self.root / (self.session or "")]
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
                paths += [path for path in map(Path(parent).joinpath, (*folders, *shown)) if self._is_file(path)]
        return [OnDisk(path, self.root) for path in sorted(paths)]

    def mapped[R](self, work: Callable[[File], R], files: Sequence[File]) -> Iterator[R]:
        """Yield what ``work`` returns for each file, in order."""
        return parallel.mapped(work, files)

    def _is_followed(self, path: Path) -> bool:
        """Tell whether a folder is a link that stays inside. ``os.walk`` does not follow links."""
        return path.is_symlink() and self._is_inside(path)

    def _is_file(self, path: Path) -> bool:
        """Tell whether it is a recording, or a link out of the root. Its target is not looked at, and
        reading it tells why.
        """
        return path.suffix == ".json" or (path.is_symlink() and not self._is_inside(path))

    def _is_inside(self, path: Path) -> bool:
        return regular.is_inside(str(path), str(self.root))


def _raise(error: OSError) -> None:
    raise error


@dataclass(frozen=True, slots=True)
class OnDisk:
    """A file below a folder."""

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
        # Path.relative_to takes a hundred times as long. It is needed for the folder ".", with which no path begins.
        if path.startswith(root):
            below = path.removeprefix(root)
        else:
            below = str(self.path.relative_to(self.root))
        return os.path.splitext(below)[0]  # noqa: PTH122

    @property
    def is_capture(self) -> bool:
        """Whether it is in a folder of captures, beside one of recordings."""
        return self.path.parent.name == WIRE and (self.path.parent.parent / RESPONSES).is_dir()

    @property
    def is_frozen(self) -> bool:
        """Whether the folder above its own has the mark."""
        session = self.path.resolve().parent.parent
        return freezing.is_frozen(DirectoryStore(session.parent), session.name)

    def state(self) -> Hashable:
        """Return the state of the file and of its capture."""
        folder, name = os.path.split(self.path)
        above, last = os.path.split(folder)
        paths = [str(self.path)]
        if last == RESPONSES:
            paths.append(os.path.join(above, WIRE, name))  # noqa: PTH118
        return tuple(_state(each) for each in paths)

    def written(self) -> float | None:
        """Return the time of its last change."""
        state = _state(str(self.path))
        if not state:
            return None
        return state[0] / 1e9

    def read(self) -> bytes | None:
        """Return the bytes, or None where there is no file."""
        try:
            return regular.read(str(self.path), str(self.root), largest())
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, data: bytes, *, replace: bool) -> bool:
        """Write it whole or not at all."""
        return write_file(self.path, data, replace=replace)

    def remove(self) -> None:
        """Remove it, if it is there."""
        self.path.unlink(missing_ok=True)

    def capture(self) -> "OnDisk | None":
        """Return the file in the folder of the captures, or None where it is not in a folder of recordings."""
        folder = self.path.parent
        if folder.name != RESPONSES:
            return None
        return OnDisk(folder.parent / WIRE / self.path.name, self.root)

    def named(self, name: str, output: Path | None) -> "OnDisk":
        """Return the file of another name beside it, or at the same place below another folder."""
        root = output or self.root
        return OnDisk(root / self.path.parent.relative_to(self.root) / f"{name}.json", root)


def _state(path: str) -> tuple[int, int] | None:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
