"""One live answer that several requests share: how much has come so far, and who waits for more. No clock, no thread.

The first of several equal requests leads: it is sent to the provider. The others follow, and read its pieces from where
they are kept while they come, from the first. The journal keeps them; here it is known by what it has to do alone.
"""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from wiretape.codecs.content_coding import CodingError, ContentDecoder

_AT_ONCE = 1 << 20
_MOST_AT_ONCE = 200
"""Bytes, and pieces, that a follower reads until others have their turn."""


class FlightEnd(Enum):
    """How a live answer ended, in words for those who followed it."""

    WHOLE = ""
    """Its end was seen."""
    BROKE_OFF = "the answer broke off"
    LEFT = "the client that asked first left"
    """What else the provider would have sent is not known."""
    UNSHARED = "the answer is not kept, and cannot be shared"


class KeptPieces(Protocol):
    """Where the pieces of a live answer are kept while they come."""

    @property
    def size(self) -> int:
        """Return how many bytes there are to read by now, of pieces and of all else that is kept with them."""

    def reader(self) -> "PieceReader":
        """Return a reader that begins with the first. Raises OSError where they are kept no more."""


class PieceReader(Protocol):
    """Reads the pieces of a live answer while more of them come."""

    @property
    def offset(self) -> int:
        """Return how many of the bytes were read."""

    def next_piece(self) -> bytes | None:
        """Return the next piece; nothing where something else is kept there, None where it cannot be read.

        Raises OSError.
        """


@dataclass(eq=False, slots=True)
class SharedResponse:
    """A live answer under way. Its owner adds to it; those who wait are called after each change."""

    status: int = 0
    """0 until the head of the answer has come."""
    headers: tuple[tuple[str, str], ...] = ()
    asker: Hashable = None
    """Equal for those who ask with the same bytes and the same credentials as who leads."""
    kept: KeptPieces | None = None
    """Where its pieces are."""
    ending: FlightEnd | None = None
    """None while more may come."""
    failure: str = ""
    """Why it broke off; empty where it ended well."""
    _waiting: list[Callable[[], None]] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        """Return whether nothing more will come."""
        return self.ending is not None

    def begin(self, status: int, headers: tuple[tuple[str, str], ...], kept: KeptPieces) -> None:
        """Take the head of the answer, which has come, and the place where its pieces will be kept."""
        self.status = status
        self.headers = headers
        self.kept = kept
        self.changed()

    def follower(self, decoder: ContentDecoder | None = None) -> "Follower | None":
        """Return who gets its pieces from the first; None where they cannot be read any more: the answer is recorded.

        ``decoder`` is for a client that cannot read them as they come.
        """
        if self.kept is None:
            return None
        try:
            return Follower(self, self.kept, self.kept.reader(), decoder)
        except OSError:
            return None

    def close(self) -> None:
        """Let nobody begin to follow any more: the answer is recorded."""
        self.kept = None

    def end(self, ending: FlightEnd, why: str = "") -> None:
        """Tell how the answer has ended, and why if that is known. Only the first call counts."""
        if not self.ended:
            self.ending = ending
            self.failure = why or ending.value
            self.changed()

    def call_when_changed(self, callback: Callable[[], None]) -> None:
        """Call back once, at the next change."""
        self._waiting.append(callback)

    def changed(self) -> None:
        """Tell those who wait that a piece of the body has come, or that anything else has happened."""
        waiting = self._waiting
        self._waiting = []
        for callback in waiting:
            callback()


class Follower:
    """A request that shares a live answer, and how far it has read."""

    def __init__(
        self, flight: SharedResponse, kept: KeptPieces, reader: PieceReader, decoder: ContentDecoder | None
    ) -> None:
        self.flight = flight
        self._kept = kept
        self._reader = reader
        self._decoder = decoder
        self._parts: Iterator[bytes] | None = None
        """Of the piece that is being decoded."""
        self._fault = ""

    @property
    def is_behind(self) -> bool:
        """Return whether there is something to read."""
        return not self._fault and (self._parts is not None or self._reader.offset < self._kept.size)

    @property
    def is_done(self) -> bool:
        """Return whether nothing more will come for it: all is read, or what is there cannot be."""
        return bool(self._fault) or (self.flight.ended and not self.is_behind)

    @property
    def failure(self) -> str:
        """Return why the answer broke off for it; empty where it ended well."""
        return self._fault or self.flight.failure

    def pieces(self) -> Iterator[bytes]:
        """Yield the pieces that came since the last call, or the next of them."""
        room = _AT_ONCE
        left = _MOST_AT_ONCE
        while self.is_behind and room > 0 and left:
            left -= 1
            if piece := self._next():
                room -= len(piece)
                yield piece

    def _next(self) -> bytes:
        """Return the next bytes; nothing where something else comes next."""
        try:
            if self._parts is not None:
                return self._next_part(self._parts)
            piece = self._reader.next_piece()
        except CodingError as e:
            self._fault = str(e)
            return b""
        except OSError:
            piece = None
        if piece is None:
            self._fault = "the journal cannot be read"
            return b""
        if self._decoder is None or not piece:
            return piece
        self._parts = self._decoder.feed(piece)
        return b""

    def _next_part(self, parts: Iterator[bytes]) -> bytes:
        part = next(parts, None)
        if part is None:
            self._parts = None
            return b""
        return part
