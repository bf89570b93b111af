"""Recording <-> HTTP status, headers and bytes. Between the recording and whoever speaks HTTP; knows no proxy.

Going out, a hit becomes the bytes that the provider would send. Coming in, the bytes of an answer become a response
fit for a recording, or the reason why they cannot be one.
"""

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, repeat
from typing import Any, Protocol

import orjson

from wiretape import (
    body_form,
    checks,
    coding,
    embeddings,
    errors,
    fields,
    jsontext,
    ndjson,
    request,
    shapes,
    sse,
    stream_ends,
)
from wiretape.body_form import BodyForm
from wiretape.capture import Capture
from wiretape.counters import Reason
from wiretape.pieces import Pieces
from wiretape.recording import JSON, MODEL_LISTS, RecordedRequest, RecordedResponse, Recording
from wiretape.remade import Remade
from wiretape.stream_ends import DONE, End

_ENDED_LINE = re.compile(rb"([^\r\n]*+)(\r\n|\r|\n)")
_LINE = re.compile(rb"(?!\Z)([^\r\n]*+)(\r\n|\r|\n|\Z)")
_BASE64_EMBEDDING = re.compile(rb'"embedding"\s*:\s*"')
UNKNOWN_EVENT = "openai.types.responses.response_stream_event.ResponseStreamEvent"

_EVENT_STREAM = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))
_NDJSON = (("content-type", "application/x-ndjson"),)
_JSON = (("content-type", "application/json"),)
_TEXT = (("content-type", "text/plain; charset=utf-8"),)


@dataclass(frozen=True, slots=True)
class Answer:
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


class Unrecordable(Exception):  # noqa: N818  a verdict that the tape counts and logs, not an error of ours
    """Why an answer cannot become a recording."""

    reason = Reason.FORM


class StatusError(Unrecordable):
    """An answer whose status says something about when it came, or who asked, and not about the request."""

    reason = Reason.ERROR


class BrokeOff(Unrecordable):
    """An answer that did not come to its end."""

    reason = Reason.BROKE_OFF

    def __init__(self, reason: str, elements: Sequence[JSON] = ()) -> None:
        super().__init__(reason)
        self.elements = elements
        """The chunks, or lines, of a stream that came."""


class HoldsError(Unrecordable):
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
class _Kind:
    """How the answers of one recorded endpoint are read and written."""

    single: str
    """Class of an answer in one piece."""
    chunk: str | None = None
    """Class of a chunk of a stream, where the endpoint streams."""


_KINDS = {
    "/v1/chat/completions": _Kind("ChatCompletion", "ChatCompletionChunk"),
    "/v1/completions": _Kind("Completion", "Completion"),
    "/v1/embeddings": _Kind("CreateEmbeddingResponse"),
    "/v1/models": _Kind("Model"),
    "/v1/responses": _Kind("Response", "ResponseStreamEvent"),
    "/api/generate": _Kind("GenerateResponse", "GenerateResponse"),
    "/api/chat": _Kind("ChatResponse", "ChatResponse"),
    "/api/embeddings": _Kind("EmbedResponse"),
    "/api/pull": _Kind("ProgressResponse", "ProgressResponse"),
    "/api/ps": _Kind("ProcessResponse"),
    "/api/tags": _Kind("ListResponse"),
}

_LASTING = frozenset({400, 404, 413, 422})
"""Statuses that the same request would get again: what was wrong is the request. The others say nothing about it."""

_PARTIAL = 206
"""A part of what a URL leads to: which one is asked for in a header."""

_OF_THINGS = frozenset({"id", "name", "status", "state"})
"""Members of something that was made before and is asked about: it may have failed."""

_ENVELOPE = {"object": "list", "data": []}
"""What is around the models of a list, where a recording says nothing else."""

_LARGE = 1 << 20
"""Bytes of a stream from which its elements are not held."""

# -- coming in ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Arrived:
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

    def without_empty(self) -> "Arrived":
        """Return it without its empty pieces; itself where it has none."""
        if all(self.pieces):
            return self
        full = [index for index, piece in enumerate(self.pieces) if piece]
        return replace(self, pieces=Pieces(self.pieces[index] for index in full), at=[self.at[index] for index in full])


def decoded(arrived: Arrived) -> Arrived:
    """The answer without its content coding and without empty pieces. Raises Unrecordable for a broken coding."""
    try:
        codings = [value for name, value in arrived.headers if name.lower() == "content-encoding"]
        pieces = coding.decode(arrived.pieces, ",".join(codings))
    except coding.CodingError as e:
        raise Unrecordable(str(e)) from e
    headers = tuple((name, value) for name, value in arrived.headers if name.lower() != "content-encoding")
    return replace(arrived, headers=headers, pieces=pieces).without_empty()


def response(asked: RecordedRequest, arrived: Arrived, *, keep_errors: bool = False) -> RecordedResponse:
    """The recorded response of a live answer, which has no content coding any more.

    Raises Unrecordable where the exchange did not end well, or holds what another such request need not get. With
    ``keep_errors`` every status is recorded, and of an answer that broke off or holds an error what came of it.
    """
    if not (keep_errors or _is_worth_keeping(asked, arrived.status)):
        raise StatusError(f"the provider answered with status {arrived.status}")
    if keep_errors and arrived.is_abandoned and arrived.status >= 400:
        # Who retries leaves as soon as it has seen the status: what came is what it got.
        arrived = replace(arrived, ended=True)
    try:
        made = _response(asked, arrived)
    except Unrecordable as e:
        if not keep_errors or arrived.is_abandoned:
            raise
        made = _kept(arrived, e)
    content = {"body": made.body, "is_streaming": made.is_streaming, "status": made.status}
    content |= {"content_type": made.content_type, "is_exception": made.error is not None, "exception_data": made.error}
    content |= {"location": made.location, "tail": made.tail, "envelope": made.envelope}
    try:
        # What could not be read again must not be written.
        checks.check_response(content, None if asked.passthrough else asked.endpoint)
    except ValueError as e:
        raise Unrecordable(f"the answer is none of {request.endpoint(asked) or asked.url}: {e}") from e
    return made


def _is_worth_keeping(asked: RecordedRequest, status: int) -> bool:
    """Return whether an answer says something about the request, and not about when it came or who sent it."""
    if asked.passthrough and 200 <= status < 300:
        return status != _PARTIAL
    return status == 200 or status in _LASTING


def _kept(arrived: Arrived, problem: Unrecordable) -> RecordedResponse:
    """What is kept of an answer that is no whole one of its endpoint. Raises the problem where nothing can be."""
    status = None if arrived.status == 200 else arrived.status
    match problem:
        case HoldsError(body=None) if arrived.status == 200:
            return replace(_as_sent(arrived), error=errors.inside(problem.error))
        case HoldsError() if arrived.status == 200:
            error = errors.inside(problem.error)
            return RecordedResponse(problem.body, problem.is_streaming, error, tail=problem.tail)
        case BrokeOff() if problem.elements:
            error = errors.broke_off(str(problem), ended=arrived.ended)
            return RecordedResponse(problem.elements, is_streaming=True, error=error, status=status)
    if 200 < arrived.status < 400 and arrived.ended:
        return _as_sent(arrived)
    if any(arrived.pieces):
        return replace(_as_sent(arrived), error=errors.broke_off(str(problem), ended=arrived.ended))
    raise problem


def _as_sent(arrived: Arrived) -> RecordedResponse:
    """An answer whose body is kept as it came: what is none of its endpoint's, or no JSON."""
    body = _whole(arrived.pieces)
    try:
        content: Any = body.decode("utf-8")
    except UnicodeDecodeError:
        content = {"base64": base64.b64encode(body).decode("ascii")}
    return RecordedResponse(
        content,
        is_streaming=False,
        status=arrived.status,
        content_type=_content_type(arrived),
        location=_location(arrived),
    )


def _content_type(arrived: Arrived) -> str:
    return "".join(filter(fields.is_value, arrived.header("content-type")))


def _location(arrived: Arrived) -> str | None:
    if arrived.status == 200 or arrived.status >= 400:
        return None
    return "".join(filter(fields.is_value, arrived.header("location"))) or None


def _response(asked: RecordedRequest, arrived: Arrived) -> RecordedResponse:
    if asked.passthrough:
        return _passthrough(asked, arrived)
    if arrived.status == 200:
        return _elements_of(asked, arrived)
    if arrived.status < 400:  # To an SDK it is an answer like others.
        return replace(_elements_of(asked, arrived), status=arrived.status, location=_location(arrived))
    _must_have_ended(arrived)
    error = errors.describe(asked, arrived.status, b"".join(arrived.pieces))
    content_type = _content_type(arrived) if isinstance(error["body"], str) else None
    return RecordedResponse(None, is_streaming=False, error=error, content_type=content_type)


def _elements_of(asked: RecordedRequest, arrived: Arrived) -> RecordedResponse:
    kind = _KINDS[request.endpoint(asked)]
    form = body_form.of(arrived.header("content-type"), _whole(arrived.pieces))
    if form is BodyForm.OTHER:
        form = _form_that_was_asked(asked)
    if form is BodyForm.JSON:
        _must_have_ended(arrived)
        if kind.single == "Model":
            return _models(_whole(arrived.pieces))
        return RecordedResponse(_single(kind.single, asked, _whole(arrived.pieces)), is_streaming=False)
    if kind.chunk is None:
        raise Unrecordable(f"no form is known for a stream of {asked.endpoint}")
    read = _lines if form is BodyForm.LINES else _events
    each = partial(read, kind.chunk, asked, arrived)
    return RecordedResponse(_elements(each, sum(map(len, arrived.pieces))), is_streaming=True)


def _form_that_was_asked(asked: RecordedRequest) -> BodyForm:
    if not asked.body.get("stream"):
        return BodyForm.JSON
    return BodyForm.LINES if asked.endpoint.startswith("/api/") else BodyForm.EVENTS


def _whole(pieces: Sequence[bytes]) -> bytes | bytearray:
    return pieces.data if isinstance(pieces, Pieces) else b"".join(pieces)


def _must_have_ended(arrived: Arrived) -> None:
    if not arrived.ended:
        raise BrokeOff("the answer broke off")


def _elements(each: Callable[[], Iterator[dict[str, Any]]], size: int) -> Sequence[dict[str, Any]]:
    """The elements of a stream; of a large one they take ten times its memory, and are made anew each time."""
    held: list[dict[str, Any]] = []
    count = 0
    failed: BrokeOff | HoldsError | None = None
    try:
        for element in each():
            count += 1
            if size <= _LARGE:
                held.append(element)
    except (BrokeOff, HoldsError) as e:
        failed = e
    elements = held if size <= _LARGE else Remade(each, count)
    match failed:
        case BrokeOff():
            raise BrokeOff(str(failed), elements)
        case HoldsError():
            raise HoldsError(failed.error, elements, failed.tail, is_streaming=True)
    if not count:
        raise Unrecordable("the stream is empty")
    return elements


def _events(chunk: str, asked: RecordedRequest, arrived: Arrived) -> Iterator[dict[str, Any]]:
    watcher = stream_ends.watcher(asked)
    end = End.OPEN
    events = _parts(sse.Decoder(), arrived.pieces)
    for event, is_whole in events:
        if not event.data.strip():
            continue  # It only keeps the connection open.
        if stream_ends.is_done(event.data):
            return
        data = _value(event.data)
        if (is_whole or data or arrived.ended) and errors.holds(data, event.event):  # Its data need not be JSON.
            tail = [line for each, _ in chain([(event, True)], events) for line in sse.lines(each)]
            raise HoldsError(errors.said(data) or event.data, (), tail, is_streaming=True)
        if not isinstance(data, dict):
            data = _part(event.data, "an event of the stream", is_whole)
        yield _element(chunk, data)
        end = watcher.see(data, event.event)
        if end is End.OVER:
            return
    _must_be_whole(end, arrived)


def _lines(chunk: str, asked: RecordedRequest, arrived: Arrived) -> Iterator[dict[str, Any]]:
    watcher = stream_ends.watcher(asked)
    end = End.OPEN
    lines = _parts(ndjson.Decoder(), arrived.pieces)
    for line, is_whole in lines:
        data = _value(line)
        if errors.holds(data):
            tail = [str(each, "utf-8", "surrogateescape") for each, _ in chain([(line, True)], lines)]
            raise HoldsError(errors.said(data), (), [each.replace("\r", "") for each in tail], is_streaming=True)
        if not isinstance(data, dict):
            data = _part(line, "a line of the stream", is_whole)
        yield _element(chunk, data)
        end = watcher.see(data)
        if end is End.OVER:
            return
    _must_be_whole(end, arrived)


def _must_be_whole(end: End, arrived: Arrived) -> None:
    """Raise BrokeOff where neither the provider has said that the stream is over nor its content and framing do."""
    if end is End.OVER or (end is End.COMPLETE and arrived.ended and arrived.is_framed):
        return
    if end is End.COMPLETE and arrived.ended:
        raise BrokeOff("the stream ended without its last event, where its connection was closed: it broke off")
    raise BrokeOff("the stream ended without its last event: it broke off")


class _Decoder[T](Protocol):
    def feed(self, piece: bytes, /) -> list[T]: ...
    def flush(self) -> list[T]: ...


def _parts[T](decoder: _Decoder[T], pieces: Sequence[bytes]) -> Iterator[tuple[T, bool]]:
    """Yield the events, or lines, of a body; and of each whether it has ended, as the last may be cut off."""
    # Piece by piece: all events of a large answer take as much memory as the answer, and more.
    for piece in pieces:
        for part in decoder.feed(piece):
            yield part, True
    for part in decoder.flush():
        yield part, False


def _part(text: str | bytes, what: str, is_whole: bool) -> dict[str, Any]:
    """Return the object that an event, or a line, holds. Raises BrokeOff for one that is cut off."""
    try:
        return _object(text, what)
    except Unrecordable as e:
        if is_whole:
            raise
        raise BrokeOff(f"the stream ended within {what}: it broke off") from e


def _text_lines(data: bytes | bytearray) -> Iterator[str]:
    """The lines of a stream, and after the last event the empty line that servers may leave out.

    A last line that has no end is one where it is whole: a cut one is left out.
    """
    view = memoryview(data)
    line = ""
    for match in _LINE.finditer(view):
        text = str(view[match.start() : match.end(1)], "utf-8", "surrogateescape")
        if match[2] or _is_whole_data(text):
            line = text
            yield line
    if line:
        yield ""


def _is_whole_data(line: str) -> bool:
    data = line.removeprefix("data:")
    return data != line and (stream_ends.is_done(data) or bool(_data(data)))


def _cut_lines(data: bytes | bytearray) -> Iterator[str]:
    """The lines of a stream that broke off, and what came of the next one, be it nothing."""
    view = memoryview(data)
    end = 0
    for match in _ENDED_LINE.finditer(view):
        end = match.end()
        yield str(view[match.start() : match.end(1)], "utf-8", "surrogateescape")
    yield str(view[end:], "utf-8", "surrogateescape")


def _passthrough(asked: RecordedRequest, arrived: Arrived) -> RecordedResponse:
    body = _whole(arrived.pieces)
    content_type = _content_type(arrived)
    form = body_form.of(content_type, body) if arrived.status == 200 else BodyForm.OTHER
    if form is BodyForm.EVENTS:
        return RecordedResponse(_lines_of_events(asked, arrived, body), is_streaming=True)
    _must_have_ended(arrived)
    if form is BodyForm.LINES:
        if asked.method != "GET":  # Else it is a file, whose lines may tell of errors.
            _must_hold_no_error(asked, arrived)
        return _as_sent(arrived)
    if not body:
        return _as_sent(arrived)
    if arrived.is_framed and not body.strip():
        return _as_sent(arrived)  # Nothing, as servers answer who deletes something, whatever they call it.
    media_type = body_form.media_type(content_type)
    is_json = media_type == "application/json" or media_type.endswith("+json")
    try:
        value = _json(body_form.without_end_marker(body))
    except ValueError as e:
        if arrived.status == 200 and is_json:
            raise Unrecordable(f"the answer is not JSON: {e}") from e
        return _as_sent(arrived)
    if arrived.status == 200 and _is_error(asked, value):
        raise HoldsError(errors.said(value), value)
    if media_type and not is_json:
        return _as_sent(arrived)  # Of a file of another type each byte counts, not only what it says.
    return RecordedResponse(value, is_streaming=False, status=arrived.status, location=_location(arrived))


def _lines_of_events(asked: RecordedRequest, arrived: Arrived, body: bytes | bytearray) -> Sequence[str]:
    try:
        error = _must_end_well(asked, arrived)
    except BrokeOff as e:
        raise BrokeOff(str(e), _listed(partial(_cut_lines, body), body) if body else ()) from e
    lines = _listed(partial(_text_lines, body), body)
    if error is not None:
        raise HoldsError(error, lines, is_streaming=True)
    return lines


def _listed(make: Callable[[], Iterator[str]], body: bytes | bytearray) -> Sequence[str]:
    return [*make()] if len(body) <= _LARGE else Remade.of(make)


def _must_end_well(asked: RecordedRequest, arrived: Arrived) -> JSON:
    """Look through the events of a passthrough endpoint; raises BrokeOff. Returns the error that they hold, or None."""
    watcher = stream_ends.watcher(asked)
    end = End.OPEN
    is_over = False
    for event, is_whole in _parts(sse.Decoder(), arrived.pieces):
        data = _data(event.data)
        if (is_whole or data) and errors.holds(data, event.event):
            return errors.said(data) or event.data
        if stream_ends.is_done(event.data):
            is_over = True
        elif is_whole or data:
            end = watcher.see(data, event.event)
            is_over = is_over or end is End.OVER
        elif event.data.strip():
            end = End.OPEN  # It is cut off.
    _must_be_whole(End.OVER if is_over else end, arrived)
    return None


def _must_hold_no_error(asked: RecordedRequest, arrived: Arrived) -> None:
    for line, _ in _parts(ndjson.Decoder(), arrived.pieces):
        data = _data(line)
        if _is_error(asked, data):
            raise HoldsError(errors.said(data))


def _is_error(asked: RecordedRequest, value: Any) -> bool:
    """Return whether an answer is an error, and not something that tells of one: a job that has failed, say."""
    is_thing = asked.method == "GET" and isinstance(value, dict) and not _OF_THINGS.isdisjoint(value)
    return not is_thing and errors.holds(value)


def _data(text: str | bytes) -> dict[str, Any]:
    value = _value(text)
    return value if isinstance(value, dict) else {}


def _value(text: str | bytes) -> JSON:
    """A JSON value; None where it is no JSON."""
    try:
        return _json(text)
    except ValueError:
        return None


def _single(name: str, asked: RecordedRequest, body: bytes | bytearray) -> Any:
    answer = _object(body_form.without_end_marker(body), "the answer")
    if errors.holds(answer):
        raise HoldsError(errors.said(answer), _element(name, answer))
    if name in ("ChatCompletion", "Completion") and not isinstance(answer.get("choices"), list):
        # An error in a form of its own.
        raise HoldsError(answer, _element(name, answer), said="the answer has no choices")
    if name in ("GenerateResponse", "ChatResponse") and answer.get("done") is False:
        raise BrokeOff("the answer is the first line of a stream: it broke off")
    if name == "CreateEmbeddingResponse":
        if not isinstance(answer.get("data"), list):
            raise Unrecordable("the answer holds no list of embeddings")
        if asked.base64_wanted:
            sent = request.wire_body(asked)
            answer = {**answer, "data": [embeddings.to_numbers(item, sent) for item in answer["data"]]}
    return _element(name, answer)


def _models(body: bytes | bytearray) -> RecordedResponse:
    """A list of models: in an object as OpenAI sends it, or in another one, or the list itself."""
    try:
        answer = _json(body)
    except ValueError as e:
        raise Unrecordable(f"the answer is not JSON: {e}") from e
    if errors.holds(answer):
        raise HoldsError(errors.said(answer))
    envelope: JSON = []
    models = answer
    if isinstance(answer, dict):
        key = _key_of_models(answer)
        # Servers in Go send null for an empty one.
        models = [] if answer.get(key, 0) is None else answer.get(key)
        envelope = {**answer, key: None if answer.get(key) is None else []}
    if not isinstance(models, list) or not all(isinstance(model, dict) for model in models):
        raise Unrecordable("the answer is no list of models")
    elements = [_element("Model", model) for model in models]
    return RecordedResponse(elements, is_streaming=False, envelope=None if envelope == _ENVELOPE else envelope)


def _key_of_models(envelope: Mapping[str, Any]) -> str:
    return "models" if "models" in envelope and "data" not in envelope else "data"


def _json(text: str | bytes | bytearray) -> Any:
    # A byte that is no UTF-8 is half of a surrogate pair by now, which JSON texts of others have too.
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return jsontext.loads(data, jsontext.DEEPEST_ON_WIRE)


def _object(text: str | bytes | bytearray, what: str) -> dict[str, Any]:
    try:
        value = _json(text)
    except ValueError as e:
        raise Unrecordable(f"{what} is not JSON: {e}") from e
    if not isinstance(value, dict):
        if errors.holds(value):
            raise HoldsError(errors.said(value), said=f"{what} holds an error")
        raise Unrecordable(f"{what} is not a JSON object")
    return value


def _element(name: str, data: Mapping[str, Any]) -> dict[str, Any]:
    class_ = shapes.table().resolve(name, data)
    if name == "ResponseStreamEvent" and data.get("type") not in shapes.table().unions[name]:
        # An event that the table does not know yet: kept as it came, under the name of the union.
        return {"__type__": UNKNOWN_EVENT, "__data__": dict(data)}
    return {"__type__": shapes.qualified(class_), "__data__": shapes.fill(class_, data)}


# -- going out ---------------------------------------------------------------------------------------------------------


def answer(recordings: Sequence[Recording], *, base64_wanted: bool = False) -> Answer:
    """What the provider would send: one recording, or the several of a model list.

    ``base64_wanted``: embeddings go as base64 of their numbers, as the live request asked.
    """
    first = recordings[0].response
    asked = recordings[0].request
    if first.error is not None and not first.is_partial:
        status, body = errors.answer(first.error)
        known = _JSON if body[:1] in (b"{", b"[") else _TEXT
        return Answer(status, known if first.content_type is None else _typed(first.content_type), (body,))
    if asked.passthrough or first.content_type is not None:
        return _sent(first)
    if asked.endpoint in MODEL_LISTS and not first.is_partial:
        return _model_list(asked.endpoint, recordings)
    if not first.is_streaming:
        return _single_answer(asked, first, base64_wanted=base64_wanted)
    return _stream(asked, first)


def _single_answer(asked: RecordedRequest, recorded: RecordedResponse, *, base64_wanted: bool) -> Answer:
    content = _stripped(recorded.elements()[0])
    if asked.endpoint == "/v1/embeddings" and isinstance(content.get("data"), list):
        sent = request.wire_body(asked)
        content["data"] = [embeddings.to_wire(each, sent, base64_wanted=base64_wanted) for each in content["data"]]
    return Answer(recorded.status or 200, (*_JSON, *_leading(recorded)), (jsontext.dumps(content),))


def _stream(asked: RecordedRequest, recorded: RecordedResponse) -> Answer:
    elements = recorded.elements()
    bodies = [jsontext.dumps(_stripped(element)) for element in elements]
    status = recorded.status or 200
    if asked.endpoint.startswith("/api/"):
        lines = [_encoded(line) for line in recorded.tail]
        if recorded.is_partial and not lines:
            lines = [*_said_at_the_end(recorded)]
        return Answer(status, _NDJSON, tuple(map(ndjson.encode, (*bodies, *lines))), broken=recorded.broke_off)
    names: Iterable[str] = repeat("")
    if request.endpoint(asked) == "/v1/responses":
        names = [_event_name(element["__data__"].get("type")) for element in elements]
    events = [*map(sse.encode, bodies, names)]
    if recorded.tail:
        events += _events_of(recorded.tail)
    elif recorded.is_partial:
        events += map(sse.encode, _said_at_the_end(recorded))
    elif request.endpoint(asked) != "/v1/responses":
        events.append(sse.encode(DONE.encode()))
    return Answer(status, _EVENT_STREAM, tuple(events), broken=recorded.broke_off)


def _said_at_the_end(recorded: RecordedResponse) -> Iterator[bytes]:
    """What a stream says of its error, where the recording does not have it as it came: others write it so."""
    error = (recorded.error or {}).get("body")
    if error is not None:
        yield jsontext.dumps({"error": error})


def _events_of(lines: Sequence[str]) -> list[bytes]:
    """The events that lines are, each as it goes out."""
    *events, rest = ("\n".join(lines) + "\n").split("\n\n")
    chunks = [f"{event}\n\n" for event in events]
    if rest:
        chunks.append(rest if not rest.strip() else f"{rest}\n")
    return [*map(_encoded, chunks)]


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # Half of a surrogate pair, in a recording that somebody has written.
        return text.encode("utf-8", "surrogatepass")


def _typed(content_type: str) -> tuple[tuple[str, str], ...]:
    return (("content-type", content_type),) if content_type else ()


def _leading(recorded: RecordedResponse) -> tuple[tuple[str, str], ...]:
    return (("location", recorded.location),) if recorded.location else ()


def _event_name(value: Any) -> str:
    # Any other would be a line of the stream of its own.
    return value if isinstance(value, str) and fields.is_value(value) else ""


def _model_list(endpoint: str, recordings: Sequence[Recording]) -> Answer:
    key = MODEL_LISTS[endpoint]
    contents = [_stripped(element) for each in recordings for element in each.response.elements()]
    models = contents if endpoint == "/v1/models" else [model for each in contents for model in each["models"]]
    if len(recordings) > 1:
        by_name = {str(model.get(key)): model for model in models}
        models = [by_name[name] for name in sorted(by_name)]
    first = recordings[0].response
    around = contents[0] if contents else {}
    content = {**around, "models": models} if endpoint == "/api/tags" else _in_envelope(models, first.envelope)
    return Answer(first.status or 200, (*_JSON, *_leading(first)), (jsontext.dumps(content),))


def _in_envelope(models: list[Any], envelope: JSON) -> JSON:
    if envelope == []:
        return models
    content = dict(_ENVELOPE if envelope is None else envelope)
    key = _key_of_models(content)
    if models or content[key] is not None:
        content[key] = models
    return content


def _sent(recorded: RecordedResponse) -> Answer:
    """The answer of a passthrough endpoint, as it was sent."""
    body, status = recorded.body, recorded.status or 200
    if status in fields.EMPTY:
        return Answer(status, _leading(recorded), ())
    if recorded.is_streaming and recorded.error is not None and recorded.error.get("body") is None:
        # What came of its last event is none.
        events = re.split(r"(?<=\n\n)", "\n".join(body))
        chunks = tuple(_encoded(event) for event in events if event)
        return Answer(status, _EVENT_STREAM, chunks, broken=recorded.broke_off)
    if recorded.is_streaming:
        return Answer(status, _EVENT_STREAM, tuple(_events_of(body)))
    if recorded.content_type is None:
        return Answer(status, (*_JSON, *_leading(recorded)), (jsontext.dumps(body),))
    content = _encoded(body) if isinstance(body, str) else base64.b64decode(body["base64"])
    headers = (*_typed(recorded.content_type), *_leading(recorded))
    return Answer(status, headers, (content,) if content else (), broken=recorded.broke_off)


def captured(recording: Recording, capture: Capture, digest: str, *, base64_wanted: bool) -> Answer | None:
    """The answer as it once came, where the capture belongs to this recording and it can be the answer to this request.

    Whoever asks for embeddings as the recorded request did gets what that got. To the other one they go as it asked.
    """
    if capture.recording != digest or capture.chunks is None:
        return None
    asked_otherwise = base64_wanted != capture.base64_wanted
    if asked_otherwise and base64_wanted != bool(_BASE64_EMBEDDING.search(b"".join(capture.chunks))):
        return None
    if capture.status in fields.EMPTY:
        return Answer(capture.status, capture.headers, ())
    return Answer(capture.status, capture.headers, (*capture.chunks,), (*capture.at,), recording.response.broke_off)


def error(status: int, message: str, code: str, *, retry: bool = False) -> Answer:
    """An answer of our own in the providers' error form, which SDKs raise at once, unless they may ``retry``."""
    content = {"error": {"message": message, "type": code, "code": code, "param": None}}
    return Answer(status, _JSON if retry else (*_JSON, ("x-should-retry", "false")), (jsontext.dumps(content),))


_TOKENS = dict.fromkeys(("completion_tokens", "output_tokens", "candidatesTokenCount", "eval_count")).keys()
"""Where the providers' usage says them, in the order in which they are looked for."""


_MOST_TOKENS = 10**9


def tokens(recording: Recording) -> int:
    """Completion tokens of a recording: by its usage, else its chunks, each nearly a token."""
    response = recording.response
    elements = [element["__data__"] for element in response.elements()]
    if recording.request.passthrough:
        elements = _objects(response)
    for element in reversed(elements):
        nested = element.get("response")
        if not isinstance(nested, dict):
            nested = element
        for holder in (nested.get("usage") or nested.get("usageMetadata"), nested):
            # Most chunks have none of them: that is told in one step.
            if isinstance(holder, dict) and not _TOKENS.isdisjoint(holder):
                for key in _TOKENS:
                    count = holder.get(key)
                    if isinstance(count, int) and 0 <= count <= _MOST_TOKENS:
                        return count
    return len(elements) if response.is_streaming else 0


def _objects(recorded: RecordedResponse) -> list[dict[str, Any]]:
    if not recorded.is_streaming:
        return [recorded.body] if isinstance(recorded.body, dict) else []
    objects = []
    for line in recorded.body:
        if line.startswith("data:"):
            try:
                value = orjson.loads(line.removeprefix("data:"))
            except orjson.JSONDecodeError:
                continue
            objects += [value] if isinstance(value, dict) else []
    return objects


def _stripped(element: Mapping[str, Any]) -> dict[str, Any]:
    name = shapes.types().get(element["__type__"])
    return shapes.strip(name, element["__data__"]) if name else dict(element["__data__"])
