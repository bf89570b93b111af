"""What every store can do. The tape, the index and the commands know this, and nothing of what is behind it."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from wiretape.codecs.parts import Parts
from wiretape.exceptions import StoreUnavailableError
from wiretape.store.notes import Notes

__all__ = ["RESPONSES", "WIRE", "Fetched", "Store"]


RESPONSES = "responses"
"""The folder of the recordings of a session."""

WIRE = "wire"
"""The folder of their captures."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that was read together with others."""

    state: Hashable | None
    data: bytes | None
    """The bytes. They and the state are None where there is nothing."""
    problem: StoreUnavailableError | None = None
    """Why the file could not be read."""


class Store(Protocol):
    """The recordings of all sessions, by session, folder (``RESPONSES`` or ``WIRE``) and name.

    Every method may block. A method that reads raises ``StoreUnavailableError`` where it cannot be told what is there,
    and ``StoreAwayError`` where that is because a bucket cannot be asked. A method that writes or removes may raise any
    OSError. See ``failures``.
    """

    @property
    def url(self) -> str:
        """The path, or ``s3://bucket/prefix``, which ``open_store`` makes this store of. It is for people, too."""

    @property
    def is_quick(self) -> bool:
        """Whether ``state`` is fast enough for the thread that carries the traffic."""

    @property
    def has_spool(self) -> bool:
        """Whether writes that fail now wait on this machine: they are served from there, and go up later."""

    @property
    def notes(self) -> Notes | None:
        """The notes about what was found out about files; None where none are kept."""

    def where(self, session: str, name: str = "", folder: str = RESPONSES) -> str:
        """Tell people where a recording is or would be, or, without a name, where the session is."""

    def read(self, session: str, name: str, folder: str = RESPONSES) -> bytes | None:
        """Return the whole bytes, or None where there are none. Raises NotARecordingError where
        something else stands there.
        """

    def digest(self, session: str, name: str, folder: str = RESPONSES) -> str | None:
        """Return the digest that a capture has of the bytes, or None where there are none. Raises as ``read`` does."""

    def exists(self, session: str, name: str, folder: str = RESPONSES) -> bool:
        """Tell whether there is anything of this name, readable or not."""

    def state(self, session: str, name: str, folder: str = RESPONSES) -> Hashable | None:
        """Return a value that changes when the bytes do, or None where there are none."""

    def write(self, session: str, name: str, data: bytes | Parts, *, replace: bool, folder: str = RESPONSES) -> bool:
        """Write whole or not at all. Return False where another recording stays, which is then the one to serve.

        Without ``replace``, anything that exists stays. With it, a recording that another process has written since it
        was last read may stay.
        """

    def remove(self, session: str, name: str, folder: str = RESPONSES) -> None:
        """Remove a file, if there is one."""

    def scan(self, session: str) -> Mapping[str, Hashable]:
        """Return the name of every recording with its state, which may have another form than ``state`` gives."""

    def glance(self, session: str, names: Sequence[str] = ()) -> Mapping[str, Hashable] | None:
        """Return the same, with states as ``state`` gives them, or None where that takes long.

        It tells how things are at this moment or later. Where it contains one of ``names``, it may be a moment old.
        Raises StoreUnavailableError.
        """

    def fetch(self, session: str, files: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Fetched]:
        """Read files, given by name and folder, all at once; or none, where reading them one by one is
        as fast. Never raises.
        """

    def sessions(self) -> list[str]:
        """Return the names of the sessions that have recordings, in order."""

    def refresh(self, session: str) -> None:
        """Believe nothing that was seen before: another process of this proxy has written."""

    def check_writable(self, session: str) -> None:
        """Raise OSError, which tells why, where nothing can be recorded in a session and that will not change by
        itself.

        It may wait for the store. A bucket that does not answer may be back in a moment.
        """

    def start(self) -> None:
        """Begin what is done beside the traffic, remove what killed writers have left, and log that.

        It may wait for the store, once. Never raises.
        """

    def close(self) -> None:
        """Stop. What could not be written yet is kept for the next start. It may be called twice."""
