"""Server-sent events: bytes <-> events, incremental. Knows nothing of what the events mean.

Source: WHATWG HTML, 9.2.6 (Interpreting an event stream).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One dispatched event. ``event`` is empty where the stream named none (a browser says ``message``)."""

    data: str
    event: str = ""


class Decoder:
    """Bytes in, events out; a piece may end anywhere, in a line end or in the middle of a character."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._scanned = 0
        self._started = False
        self._data: list[str] = []
        self._event = ""

    def feed(self, piece: bytes) -> list[Event]:
        """The events that this piece completes."""
        self._rest += piece
        if not self._started:
            if len(self._rest) < 3 and b"\xef\xbb\xbf".startswith(self._rest):
                return []
            self._started = True
            if self._rest.startswith(b"\xef\xbb\xbf"):
                del self._rest[:3]
        return self._lines(at_end=False)

    def flush(self) -> list[Event]:
        """The end of the stream. An event without its empty line is dropped, as the standard says."""
        events = self._lines(at_end=True)
        self._rest.clear()
        self._scanned = 0
        self._data.clear()
        return events

    def _lines(self, *, at_end: bool) -> list[Event]:
        events: list[Event] = []
        rest, start = self._rest, 0
        while (end := _line_end(rest, max(start, self._scanned))) >= 0:
            after = end + 1
            if rest[end] == 13:  # CR, alone or with LF: only the next byte tells
                if after == len(rest) and not at_end:
                    self._scanned = end - start
                    break
                if rest[after : after + 1] == b"\n":
                    after += 1
            self._line(bytes(rest[start:end]), events)
            start = after
            self._scanned = 0
        else:
            # What has been looked through once is not looked through again: a line may come byte by byte.
            self._scanned = len(rest) - start
        del rest[:start]
        return events

    def _line(self, line: bytes, events: list[Event]) -> None:
        if not line:
            if self._data:
                events.append(Event("\n".join(self._data), self._event))
            self._data, self._event = [], ""
            return
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value.decode("utf-8", "replace"))
        elif field == b"event":
            self._event = value.decode("utf-8", "replace")


def _line_end(text: bytearray, start: int) -> int:
    lf = text.find(b"\n", start)
    cr = text.find(b"\r", start, lf if lf >= 0 else len(text))
    return cr if cr >= 0 else lf


def encode(data: bytes, event: str = "") -> bytes:
    """The bytes of one event, as providers write them; an event without a name has no ``event:`` line."""
    name = f"event: {event}\n".encode() if event else b""
    return name + b"".join(b"data: " + line + b"\n" for line in data.split(b"\n")) + b"\n"
