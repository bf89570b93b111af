"""What every store can do. The tape, the index and the commands know this and nothing of what is behind it."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from wiretape.codecs.parts import Parts
from wiretape.exceptions import StoreUnavailableError
from wiretape.store.notes import Notes

__all__ = ["RESPONSES", "WIRE", "Fetched", "Store"]


RESPONSES = "responses"
"""The folder of a session's recordings."""

WIRE = "wire"
"""The folder of their captures."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that was read with others."""

    state: Hashable | None
    data: bytes | None
    """None, and no state, where there is nothing."""
    problem: StoreUnavailableError | None = None
    """Why that cannot be told."""


class Store(Protocol):
    """Recordings of all sessions, by session, folder (``RESPONSES`` or ``WIRE``) and name.

    Every method may block. What only reads raises ``StoreUnavailableError`` where it cannot be told what is there,
    ``StoreAwayError`` where that is because a bucket cannot be asked; what writes and removes may raise any OSError.
    See ``failures``.
    """

    @property
    def url(self) -> str:
        """What ``open_store`` makes this store of: a path, or ``s3://bucket/prefix``. For people too."""

    @property
    def is_quick(self) -> bool:
        """Whether ``state`` takes no longer than who carries the traffic can wait."""

    @property
    def has_spool(self) -> bool:
        """Whether what cannot be written now waits on this machine, is served from there and goes up later."""

    @property
    def notes(self) -> Notes | None:
        """Where it is noted what was found out about files; None where it is not."""

    def where(self, session: str, name: str = "", folder: str = RESPONSES) -> str:
        """Where a recording is or would be, for people; without a name: where the session is."""

    def read(self, session: str, name: str, folder: str = RESPONSES) -> bytes | None:
        """Return the bytes, whole, or None where there are none. Raises NotARecordingError where no file is there."""

    def digest(self, session: str, name: str, folder: str = RESPONSES) -> str | None:
        """What a capture knows the bytes by, or None where there are none. Raises as ``read``."""

    def exists(self, session: str, name: str, folder: str = RESPONSES) -> bool:
        """Whether there is anything of this name, readable or not."""

    def state(self, session: str, name: str, folder: str = RESPONSES) -> Hashable | None:
        """A value that is another one when the bytes are others; None where there are none."""

    def write(self, session: str, name: str, data: bytes | Parts, *, replace: bool, folder: str = RESPONSES) -> bool:
        """Write whole or not at all; False where another's recording stays, which is then the one to serve.

        Without ``replace`` whatever exists stays. With it, what somebody else wrote since it was last read may stay.
        """

    def remove(self, session: str, name: str, folder: str = RESPONSES) -> None:
        """Remove; nothing happens where there is nothing."""

    def scan(self, session: str) -> Mapping[str, Hashable]:
        """Every recording's name and its state, which may be of another form than ``state`` gives."""

    def glance(self, session: str, names: Sequence[str] = ()) -> Mapping[str, Hashable] | None:
        """As ``scan``, of this moment or later and with states as ``state`` gives them; None where that takes long.

        Where one of ``names`` is in it, it may be of the moment before. Raises StoreUnavailableError.
        """

    def fetch(self, session: str, files: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Fetched]:
        """Read files, (name, folder), all at once where each takes a while; else none of them. Never raises."""

    def sessions(self) -> list[str]:
        """The sessions that have recordings, in order."""

    def refresh(self, session: str) -> None:
        """Take nothing for granted that was seen before: another process of this proxy has written."""

    def check_writable(self, session: str) -> None:
        """Raise OSError, saying why, where nothing can be recorded in a session and that will not change by itself.

        May wait for the store. A bucket that does not answer may be back in a moment.
        """

    def start(self) -> None:
        """Begin what is done beside the traffic, and clean up after writers that were killed: said in the log.

        May wait for the store, once. Never raises.
        """

    def close(self) -> None:
        """End it. What could not be written yet is kept for the next start. May be called twice."""
