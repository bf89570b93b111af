"""Server-sent events: bytes <-> events, incremental. Knows nothing of what the events mean.

Source: WHATWG HTML, 9.2.6 (Interpreting an event stream).
"""

from dataclasses import dataclass

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Event:
    """One dispatched event. ``event`` is empty where the stream named none (a browser says ``message``).

    What is no UTF-8 is in it as half a surrogate pair, where the standard has U+FFFD: two answers never become one.
    """

    data: str
    event: str = ""


class SseDecoder:
    """Bytes in, events out; a piece may end anywhere, in a line end or in the middle of a character."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        """Of a line that has not ended yet, piece by piece: no piece is looked through twice."""
        self._after_cr = False
        """Whether the rest ends in a CR, of which the next byte tells whether an LF belongs to it."""
        self._started = False
        self._data: list[str] = []
        self._event = ""

    def feed(self, piece: bytes) -> list[Event]:
        """The events that this piece completes."""
        if not self._started:
            piece = b"".join(self._rest) + piece
            self._rest.clear()
            if len(piece) < 3 and _BOM.startswith(piece):
                self._rest.append(piece)
                return []
            self._started = True
            piece = piece.removeprefix(_BOM)
        return self._lines(piece, at_end=False)

    def flush(self) -> list[Event]:
        """The end of the stream. The last event needs no empty line and no line end, as the SDKs take it too.

        The standard drops it. It may be cut off: what its data is tells.
        """
        events = self._lines(b"", at_end=True)
        self._line(b"", events)
        return events

    def _lines(self, piece: bytes, *, at_end: bool) -> list[Event]:
        events: list[Event] = []
        if not (at_end or self._after_cr or b"\n" in piece or b"\r" in piece):
            self._rest.append(piece)
            return events
        # Of bytes, this splits at CR, LF and CRLF and at nothing else.
        lines = (b"".join(self._rest) + piece).splitlines(keepends=True)
        self._rest.clear()
        self._after_cr = False
        if lines and not at_end and not lines[-1].endswith(b"\n"):
            rest = lines.pop()
            self._after_cr = rest.endswith(b"\r")
            self._rest.append(rest)
        for line in lines:
            self._line(line.rstrip(b"\r\n"), events)
        return events

    def _line(self, line: bytes, events: list[Event]) -> None:
        if not line:
            if self._data:
                events.append(Event("\n".join(self._data), self._event))
            self._data = []
            self._event = ""
            return
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value.decode("utf-8", "surrogateescape"))
        elif field == b"event":
            self._event = value.decode("utf-8", "surrogateescape")


def lines(event: Event) -> list[str]:
    """The lines of one event, with the empty one that ends it."""
    name = [f"event: {event.event}"] if event.event else []
    return [*name, *(f"data: {line}" for line in event.data.split("\n")), ""]


def encode(data: bytes, event: str = "") -> bytes:
    """The bytes of one event, as providers write them; an event without a name has no ``event:`` line."""
    name = b""
    if event:
        name = f"event: {event}\n".encode()
    return name + b"".join(b"data: " + line + b"\n" for line in data.split(b"\n")) + b"\n"
