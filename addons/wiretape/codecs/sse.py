"""Server-sent events <-> bytes, incrementally. It does not know what the events mean.

Source: WHATWG HTML, 9.2.6 (Interpreting an event stream).
"""

from dataclasses import dataclass

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Event:
    """One event that was dispatched. ``event`` is empty where the stream names none (a browser says ``message``).

    A byte that is not UTF-8 becomes half a surrogate pair, where the standard has U+FFFD: two answers never become one.
    """

    data: str
    event: str = ""


class SseDecoder:
    """Takes bytes and gives events. A piece may end anywhere, within a line end or a character."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        """The line that has not ended yet, piece by piece: no piece is searched twice."""
        self._after_cr = False
        """Whether the rest ends with a CR. Only the next byte tells whether an LF belongs to it."""
        self._started = False
        self._data: list[str] = []
        self._event = ""

    def feed(self, piece: bytes) -> list[Event]:
        """Return the events that this piece completes."""
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
        """End the stream, and return the last event: it needs no empty line and no line end, just as SDKs take it.

        The standard drops it. It may be cut off; its data tells.
        """
        events = self._lines(b"", at_end=True)
        self._line(b"", events)
        return events

    def _lines(self, piece: bytes, *, at_end: bool) -> list[Event]:
        events: list[Event] = []
        if not (at_end or self._after_cr or b"\n" in piece or b"\r" in piece):
            self._rest.append(piece)
            return events
        # In bytes, this splits at CR, LF and CRLF and nowhere else.
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
    """Return the lines of one event, with the empty line that ends it."""
    name = []
    if event.event:
        name = [f"event: {event.event}"]
    return [*name, *(f"data: {line}" for line in event.data.split("\n")), ""]


def encode(data: bytes, event: str = "") -> bytes:
    """Return the bytes of one event as providers write them. An event without a name has no ``event:`` line."""
    name = b""
    if event:
        name = f"event: {event}\n".encode()
    return name + b"".join(b"data: " + line + b"\n" for line in data.split(b"\n")) + b"\n"
