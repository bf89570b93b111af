"""An answer as values: as it came, as it goes out, and why it is none to record. Under ``wire`` and what it is made of.

What is here knows no endpoint.
"""

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from wiretape.codecs import content_coding, http_fields, json_text
from wiretape.codecs.pieces import Pieces
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
    """Why an answer cannot become a recording: it is in no form that is known."""


class StatusError(UnrecordableError):
    """An answer whose status says something about when it came, or who asked, and not about the request."""


class BrokeOffError(UnrecordableError):
    """An answer that did not come to its end."""

    def __init__(self, reason: str, elements: Sequence[JSON] = ()) -> None:
        super().__init__(reason)
        self.elements = elements
        """The chunks, or lines, of a stream that came."""


class HoldsError(UnrecordableError):
    """An answer that began well and holds an error."""

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
        """Return a header's value; empty where it has none of this name."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    def without_empty(self) -> "LiveResponse":
        """Return it without its empty pieces; itself where it has none."""
        if all(self.pieces):
            return self
        full = [index for index, piece in enumerate(self.pieces) if piece]
        return replace(self, pieces=Pieces(self.pieces[index] for index in full), at=[self.at[index] for index in full])


def decoded(live: LiveResponse) -> LiveResponse:
    """Return an answer without its content coding and without empty pieces. Raises UnrecordableError."""
    try:
        codings = [value for name, value in live.headers if name.lower() == "content-encoding"]
        pieces = content_coding.decode(live.pieces, ",".join(codings))
    except content_coding.CodingError as e:
        raise UnrecordableError(str(e)) from e
    headers = tuple((name, value) for name, value in live.headers if name.lower() != "content-encoding")
    return replace(live, headers=headers, pieces=pieces).without_empty()


def as_sent(live: LiveResponse) -> RecordedResponse:
    """Return an answer whose body is kept as it came: what is none of its endpoint, or no JSON."""
    body = whole(live.pieces)
    try:
        content: Any = body.decode("utf-8")
    except UnicodeDecodeError:
        content = {"base64": base64.b64encode(body).decode("ascii")}
    return RecordedResponse(
        content,
        is_streaming=False,
        status=live.status,
        content_type=content_type_of(live),
        location=location_of(live),
    )


def as_kept(response: RecordedResponse) -> HttpResponse:
    """Return an answer whose body is kept as it came, as it was sent."""
    body = response.body
    status = response.status or 200
    if status in http_fields.EMPTY:
        return HttpResponse(status, leading(response), ())
    if response.is_streaming and response.error is not None and response.error.get("body") is None:
        # What came of its last event is none.
        events = re.split(r"(?<=\n\n)", "\n".join(body))
        chunks = tuple(encoded(event) for event in events if event)
        return HttpResponse(status, EVENT_STREAM, chunks, broken=response.broke_off)
    if response.is_streaming:
        return HttpResponse(status, EVENT_STREAM, tuple(events_of(body)))
    if response.content_type is None:
        return HttpResponse(status, (*JSON_TYPE, *leading(response)), (json_text.dumps(body),))
    content = encoded(body) if isinstance(body, str) else base64.b64decode(body["base64"])
    headers = (*typed(response.content_type), *leading(response))
    return HttpResponse(status, headers, (content,) if content else (), broken=response.broke_off)


def error(answer: tuple[int, bytes], content_type: str | None) -> HttpResponse:
    """Return the answer that an error is, given its status and its body."""
    status, body = answer
    known = JSON_TYPE if body[:1] in (b"{", b"[") else TEXT
    return HttpResponse(status, known if content_type is None else typed(content_type), (body,))


def content_type_of(live: LiveResponse) -> str:
    """Return the Content-Type of an answer, without what no header can have."""
    return "".join(filter(http_fields.is_value, live.header("content-type")))


def location_of(live: LiveResponse) -> str | None:
    """Return where an answer leads to; None where it leads nowhere."""
    if live.status == 200 or live.status >= 400:
        return None
    return "".join(filter(http_fields.is_value, live.header("location"))) or None


def whole(pieces: Sequence[bytes]) -> bytes | bytearray:
    """Return a body in one piece."""
    return pieces.data if isinstance(pieces, Pieces) else b"".join(pieces)


def must_have_ended(live: LiveResponse) -> None:
    """Raise BrokeOffError where the end of the body was not seen."""
    if not live.ended:
        raise BrokeOffError("the answer broke off")


def must_be_whole(end: End, live: LiveResponse) -> None:
    """Raise BrokeOffError where neither the provider says that the stream is over nor its content and framing do."""
    if end is End.OVER or (end is End.COMPLETE and live.ended and live.is_framed):
        return
    if end is End.COMPLETE and live.ended:
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
    """Return a text as a JSON object; an empty one where it is none."""
    value = value_of(text)
    return value if isinstance(value, dict) else {}


def value_of(text: str | bytes | bytearray) -> JSON:
    """Return a text as a JSON value; None where it is no JSON."""
    try:
        return json_of(text)
    except ValueError:
        return None


def json_of(text: str | bytes | bytearray) -> Any:
    """Return JSON text of the wire as a value. Raises ValueError."""
    if not isinstance(text, str):
        try:
            return json_text.loads(text, json_text.DEEPEST_ON_WIRE)
        except UnicodeDecodeError:
            text = text.decode("utf-8", "surrogateescape")
    # A byte that is no UTF-8 is half of a surrogate pair by now, which JSON texts of others have too.
    return json_text.loads(text.encode("utf-8", "surrogatepass"), json_text.DEEPEST_ON_WIRE)


def events_of(lines: Sequence[str]) -> list[bytes]:
    """Return the events that lines are, each as it goes out."""
    *events, rest = ("\n".join(lines) + "\n").split("\n\n")
    chunks = [f"{event}\n\n" for event in events]
    if rest:
        chunks.append(rest if not rest.strip() else f"{rest}\n")
    return [*map(encoded, chunks)]


def typed(content_type: str) -> tuple[tuple[str, str], ...]:
    """Return the header of a content type; none where it is empty."""
    return (("content-type", content_type),) if content_type else ()


def leading(response: RecordedResponse) -> tuple[tuple[str, str], ...]:
    """Return the header that says where an answer leads to, where it leads anywhere."""
    return (("location", response.location),) if response.location else ()
