"""Recordings as the commands see them, wherever they are. ``sources`` makes them from what the user typed.

``files_on_disk`` has those below a folder, ``files_in_bucket`` those of a bucket.
"""

import os
from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from wiretape.codecs.units import parse_size
from wiretape.store import regular
from wiretape.store.base import Store


class File(Protocol):
    """A recording or a capture. Its text tells people where it is."""

    @property
    def name(self) -> str:
        """Its name, without ``.json``."""

    @property
    def below(self) -> str:
        """The same, after the folders that lead to it from the place where all files are."""

    @property
    def is_capture(self) -> bool:
        """Whether it is a capture."""

    @property
    def is_frozen(self) -> bool:
        """Whether a mark freezes its session, so that nothing may be written there. Raises OSError."""

    def state(self) -> Hashable:
        """Return a value that changes when the file, or its capture, does. Raises OSError."""

    def written(self) -> float | None:
        """Return when the file was written, in seconds since 1970, or None where that is not known."""

    def read(self) -> bytes | None:
        """Return the bytes, or None where there is nothing. Raises NotARecordingError and OSError."""

    def write(self, data: bytes, *, replace: bool) -> bool:
        """Write it as a store does. Raises OSError."""

    def remove(self) -> None:
        """Remove it, if it is there. Raises OSError."""

    def capture(self) -> "File | None":
        """Return the capture of a recording, which need not be there, or None where it can have none."""

    def named(self, name: str, output: Path | None) -> "File":
        """Return the file of another name beside it, or at the same place below another folder."""


class Source(Protocol):
    """Where the recordings of a command are. Its text is for people."""

    @property
    def store(self) -> Store:
        """The store whose notes tell what was found out about them."""

    def files(self, *, captures: bool = False) -> list[File]:
        """Return the recordings in the order of their names, and with ``captures`` the captures as
        well. Raises OSError.
        """

    def mapped[R](self, work: Callable[[File], R], files: Sequence[File]) -> Iterator[R]:
        """Yield what ``work`` returns for each file, in order, working on several at once where that is faster."""


def largest() -> int:
    """Return how many bytes a recording may have, by the proxy's option. Raises ValueError."""
    text = os.environ.get("WIRETAPE_MAX_RECORDING")
    try:
        if text:
            return parse_size(text)
        return regular.LARGEST
    except ValueError as e:
        raise ValueError(f"WIRETAPE_MAX_RECORDING: {e}") from e
