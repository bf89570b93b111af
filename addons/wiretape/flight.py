"""One live answer that several requests share: how much has come so far, and who waits for more. No clock, no thread.

The first of several equal requests leads: it is sent to the provider. The others follow, and read its pieces from the
journal as they come, from the first.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from wiretape.journal import Entry, EntryReader, Kind

_AT_ONCE = 1 << 20
_MOST_AT_ONCE = 200
"""Bytes, and pieces, that a follower reads until others have their turn."""


@dataclass(eq=False, slots=True)
class Flight:
    """A live answer under way. Its owner adds to it; those who wait are called after each change."""

    status: int = 0
    """0 until the head of the answer has come."""
    headers: tuple[tuple[str, str], ...] = ()
    entry: Entry | None = None
    """Where its pieces are."""
    ended: bool = False
    """Nothing more will come."""
    failure: str = ""
    """Why it broke off; empty where it ended well."""
    _waiting: list[Callable[[], None]] = field(default_factory=list)

    def begin(self, status: int, headers: tuple[tuple[str, str], ...], entry: Entry) -> None:
        """The head of the answer has come."""
        self.status, self.headers, self.entry = status, headers, entry
        self.changed()

    def follower(self) -> "Follower | None":
        """Who gets its pieces from the first; None where they cannot be read any more: the answer is recorded."""
        entry = self.entry
        if entry is None:
            return None
        try:
            return Follower(self, entry, entry.reader())
        except OSError:
            return None

    def close(self) -> None:
        """Nobody can begin to follow any more: it is recorded."""
        self.entry = None

    def end(self, failure: str = "") -> None:
        """The answer's end, or why there will be none. Only the first call counts."""
        if not self.ended:
            self.ended, self.failure = True, failure
            self.changed()

    def call_when_changed(self, callback: Callable[[], None]) -> None:
        """Call back once, at the next change."""
        self._waiting.append(callback)

    def changed(self) -> None:
        """A piece of the body has come, or anything else has happened."""
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            callback()


class Follower:
    """One that shares a flight, and how far it is."""

    def __init__(self, flight: Flight, entry: Entry, reader: EntryReader) -> None:
        self.flight = flight
        self._entry = entry
        self._reader = reader
        self._fault = ""

    @property
    def is_behind(self) -> bool:
        """Whether there is something to read."""
        return not self._fault and self._reader.offset < self._entry.size

    @property
    def failure(self) -> str:
        """Why the answer broke off for it; empty where it ended well."""
        return self._fault or self.flight.failure

    def pieces(self) -> Iterator[bytes]:
        """The pieces that came since the last call, or the next of them."""
        until = min(self._entry.size, self._reader.offset + _AT_ONCE)
        left = _MOST_AT_ONCE
        while self._reader.offset < until and left:
            left -= 1
            try:
                record = self._reader.next()
            except OSError:
                record = None
            if record is None:
                self._fault = "the journal cannot be read"
                return
            if record.kind is Kind.PIECE:
                yield record.data
