"""An answer as values: as it came, as it goes out, and why it is none to record. Under ``wire`` and what it is made of.

What is here knows no endpoint.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from wiretape.codecs import content_coding, http_fields, json_text
from wiretape.codecs.pieces import Pieces
from wiretape.metrics.counters import Reason
from wiretape.providers.stream_ends import End
from wiretape.recording import JSON, RecordedResponse, encoded

EVENT_STREAM = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))
NDJSON = (("content-type", "application/x-ndjson"),)
JSON_TYPE = (("content-type", "application/json"),)
TEXT = (("content-type", "text/plain; charset=utf-8"),)


LARGE = 1 << 20
"""Bytes of a stream from which its elements are not held."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An HTTP answer as values."""

    status: int
    headers: tuple[tuple[str, str], ...]
    chunks: tuple[bytes, ...]
    """The body, piece for piece as each is to leave."""
    at: tuple[float, ...] = ()
    """When each chunk came from the provider: milliseconds from the request's last byte; empty where unknown."""
    broken: bool = False
    """The body breaks off after its last chunk."""

    @property
    def body(self) -> bytes:
        """The body in one piece."""
        return b"".join(self.chunks)


class UnrecordableError(Exception):
    """Why an answer cannot become a recording."""

    reason = Reason.FORM


class StatusError(UnrecordableError):
    """An answer whose status says something about when it came, or who asked, and not about the request."""

    reason = Reason.ERROR


class BrokeOffError(UnrecordableError):
    """An answer that did not come to its end."""

    reason = Reason.BROKE_OFF

    def __init__(self, reason: str, elements: Sequence[JSON] = ()) -> None:
        super().__init__(reason)
        self.elements = elements
        """The chunks, or lines, of a stream that came."""


class HoldsError(UnrecordableError):
    """An answer that began well and holds an error."""

    reason = Reason.ERROR

    def __init__(
        self, error: JSON, body: JSON = None, tail: Sequence[str] = (), *, is_streaming: bool = False, said: str = ""
    ) -> None:
        super().__init__(said or f"the {'stream' if is_streaming else 'answer'} holds an error")
        self.error = error
        """What the answer says went wrong."""
        self.body = body
        """The rest of it, as a recording has it; None where it has no other form than the one in which it came."""
        self.tail = tail
        """Of a stream of chunks: the lines from the error on."""
        self.is_streaming = is_streaming


@dataclass(frozen=True, slots=True)
class LiveResponse:
    """A live answer as it came."""

    status: int
    headers: tuple[tuple[str, str], ...]
    pieces: Sequence[bytes]
    """The body, piece for piece."""
    at: Sequence[float]
    """When each piece came: milliseconds from the request's last byte."""
    ended: bool
    """Whether the end of the body was seen, not a connection that broke."""
    is_framed: bool = True
    """Whether a length or the transfer coding has told the end: a connection that is closed may be one that broke."""
    is_abandoned: bool = False
    """Whether it is not known what else would have come: the client left, or the proxy stopped."""

    def header(self, name: str) -> str:
        """A header's value, or empty."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    def without_empty(self) -> "LiveResponse":
        """Return it without its empty pieces; itself where it has none."""
        if all(self.pieces):
            return self
        full = [index for index, piece in enumerate(self.pieces) if piece]
        return replace(self, pieces=Pieces(self.pieces[index] for index in full), at=[self.at[index] for index in full])


def decoded(arrived: LiveResponse) -> LiveResponse:
    """The answer without its content coding and without empty pieces. Raises Unrecordable for a broken coding."""
    try:
        codings = [value for name, value in arrived.headers if name.lower() == "content-encoding"]
        pieces = content_coding.decode(arrived.pieces, ",".join(codings))
    except content_coding.CodingError as e:
        raise UnrecordableError(str(e)) from e
    headers = tuple((name, value) for name, value in arrived.headers if name.lower() != "content-encoding")
    return replace(arrived, headers=headers, pieces=pieces).without_empty()


def as_sent(arrived: LiveResponse) -> RecordedResponse:
    """An answer whose body is kept as it came: what is none of its endpoint's, or no JSON."""
    body = whole(arrived.pieces)
    try:
        content: Any = body.decode("utf-8")
    except UnicodeDecodeError:
        content = {"base64": base64.b64encode(body).decode("ascii")}
    return RecordedResponse(
        content,
        is_streaming=False,
        status=arrived.status,
        content_type=content_type_of(arrived),
        location=location_of(arrived),
    )


def content_type_of(arrived: LiveResponse) -> str:
    """The Content-Type of an answer, without what no header can have."""
    return "".join(filter(http_fields.is_value, arrived.header("content-type")))


def location_of(arrived: LiveResponse) -> str | None:
    """Where an answer leads to; None where it does not."""
    if arrived.status == 200 or arrived.status >= 400:
        return None
    return "".join(filter(http_fields.is_value, arrived.header("location"))) or None


def whole(pieces: Sequence[bytes]) -> bytes | bytearray:
    """The body in one piece."""
    return pieces.data if isinstance(pieces, Pieces) else b"".join(pieces)


def must_have_ended(arrived: LiveResponse) -> None:
    """Raise BrokeOff where the end of the body was not seen."""
    if not arrived.ended:
        raise BrokeOffError("the answer broke off")


def must_be_whole(end: End, arrived: LiveResponse) -> None:
    """Raise BrokeOff where neither the provider has said that the stream is over nor its content and framing do."""
    if end is End.OVER or (end is End.COMPLETE and arrived.ended and arrived.is_framed):
        return
    if end is End.COMPLETE and arrived.ended:
        raise BrokeOffError("the stream ended without its last event, where its connection was closed: it broke off")
    raise BrokeOffError("the stream ended without its last event: it broke off")


class _Decoder[T](Protocol):
    def feed(self, piece: bytes, /) -> list[T]: ...
    def flush(self) -> list[T]: ...


def parts[T](decoder: _Decoder[T], pieces: Sequence[bytes]) -> Iterator[tuple[T, bool]]:
    """Yield the events, or lines, of a body; and of each whether it has ended, as the last may be cut off."""
    # Piece by piece: all events of a large answer take as much memory as the answer, and more.
    for piece in pieces:
        for part in decoder.feed(piece):
            yield part, True
    for part in decoder.flush():
        yield part, False


def object_of(text: str | bytes) -> dict[str, Any]:
    """A JSON object; an empty one where it is none."""
    value = value_of(text)
    return value if isinstance(value, dict) else {}


def value_of(text: str | bytes | bytearray) -> JSON:
    """A JSON value; None where it is no JSON."""
    try:
        return json_of(text)
    except ValueError:
        return None


def json_of(text: str | bytes | bytearray) -> Any:
    """JSON text of the wire as a value. Raises ValueError."""
    if not isinstance(text, str):
        try:
            return json_text.loads(text, json_text.DEEPEST_ON_WIRE)
        except UnicodeDecodeError:
            text = text.decode("utf-8", "surrogateescape")
    # A byte that is no UTF-8 is half of a surrogate pair by now, which JSON texts of others have too.
    return json_text.loads(text.encode("utf-8", "surrogatepass"), json_text.DEEPEST_ON_WIRE)


def events_of(lines: Sequence[str]) -> list[bytes]:
    """The events that lines are, each as it goes out."""
    *events, rest = ("\n".join(lines) + "\n").split("\n\n")
    chunks = [f"{event}\n\n" for event in events]
    if rest:
        chunks.append(rest if not rest.strip() else f"{rest}\n")
    return [*map(encoded, chunks)]


def typed(content_type: str) -> tuple[tuple[str, str], ...]:
    """The header of a content type; none where it is empty."""
    return (("content-type", content_type),) if content_type else ()


def leading(recorded: RecordedResponse) -> tuple[tuple[str, str], ...]:
    """The header that says where an answer leads to, where it does."""
    return (("location", recorded.location),) if recorded.location else ()
