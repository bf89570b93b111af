"""One live answer that several requests share: how much has come so far, and who waits for more. No clock, no thread.

The first of several equal requests leads: it is sent to the provider. The others follow, and read its pieces from the
journal as they come, from the first.
"""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field

from wiretape.codecs.content_coding import CodingError, ContentDecoder
from wiretape.journal.exchange_file import EntryKind, EntryReader, JournalEntry

_AT_ONCE = 1 << 20
_MOST_AT_ONCE = 200
"""Bytes, and pieces, that a follower reads until others have their turn."""


@dataclass(eq=False, slots=True)
class SharedResponse:
    """A live answer under way. Its owner adds to it; those who wait are called after each change."""

    status: int = 0
    """0 until the head of the answer has come."""
    headers: tuple[tuple[str, str], ...] = ()
    asker: Hashable = None
    """Equal for those who ask with the same bytes and the same credentials as who leads."""
    entry: JournalEntry | None = None
    """Where its pieces are."""
    ended: bool = False
    """Nothing more will come."""
    failure: str = ""
    """Why it broke off; empty where it ended well."""
    _waiting: list[Callable[[], None]] = field(default_factory=list)

    def begin(self, status: int, headers: tuple[tuple[str, str], ...], entry: JournalEntry) -> None:
        """The head of the answer has come."""
        self.status, self.headers, self.entry = status, headers, entry
        self.changed()

    def follower(self, decoder: ContentDecoder | None = None) -> "Follower | None":
        """Who gets its pieces from the first; None where they cannot be read any more: the answer is recorded.

        ``decoder`` is for one that cannot read them as they come.
        """
        entry = self.entry
        if entry is None:
            return None
        try:
            return Follower(self, entry, entry.reader(), decoder)
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

    def __init__(
        self, flight: SharedResponse, entry: JournalEntry, reader: EntryReader, decoder: ContentDecoder | None
    ) -> None:
        self.flight = flight
        self._entry = entry
        self._reader = reader
        self._decoder = decoder
        self._parts: Iterator[bytes] | None = None
        """Of the piece that is being decoded."""
        self._fault = ""

    @property
    def is_behind(self) -> bool:
        """Whether there is something to read."""
        return not self._fault and (self._parts is not None or self._reader.offset < self._entry.size)

    @property
    def failure(self) -> str:
        """Why the answer broke off for it; empty where it ended well."""
        return self._fault or self.flight.failure

    def pieces(self) -> Iterator[bytes]:
        """The pieces that came since the last call, or the next of them."""
        room = _AT_ONCE
        left = _MOST_AT_ONCE
        while self.is_behind and room > 0 and left:
            left -= 1
            if piece := self._next():
                room -= len(piece)
                yield piece

    def _next(self) -> bytes:
        """The next bytes that there are; none where it is something else that comes next."""
        try:
            if self._parts is not None:
                part = next(self._parts, None)
                if part is not None:
                    return part
                self._parts = None
                return b""
            record = self._reader.next()
        except CodingError as e:
            self._fault = str(e)
            return b""
        except OSError:
            record = None
        if record is None:
            self._fault = "the journal cannot be read"
        elif record.kind is EntryKind.PIECE:
            if self._decoder is None:
                return record.data
            self._parts = self._decoder.feed(record.data)
        return b""
