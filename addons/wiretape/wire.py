"""Recording <-> HTTP status, headers and bytes. Between the recording and whoever speaks HTTP; knows no proxy.

Going out, a hit becomes the bytes that the provider would send. Coming in, the bytes of an answer become a response
fit for a recording, or the reason why they cannot be one.
"""

import base64
import json
import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import orjson

from wiretape import checks, coding, errors, fields, jsontext, ndjson, request, shapes, sse
from wiretape.capture import Capture
from wiretape.counters import Reason
from wiretape.pieces import Pieces
from wiretape.recording import JSON, MODEL_LISTS, RecordedRequest, RecordedResponse, Recording
from wiretape.remade import Remade

DONE = "[DONE]"
_ENDED_LINE = re.compile(rb"([^\r\n]*+)(\r\n|\r|\n)")
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


class HoldsError(Unrecordable):
    """An answer that says something about when it came, or who asked, and not about the request."""

    reason = Reason.ERROR


class BrokeOff(Unrecordable):
    """An answer that did not come to its end."""

    reason = Reason.BROKE_OFF

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.elements: Sequence[JSON] = ()
        """The chunks that came."""


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

_ENDS = frozenset({"message_stop", "response.completed", "response.failed", "response.incomplete"})
"""Types of the events with which a stream ends well: Anthropic's, the Responses API's."""


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
        pieces = coding.decode(arrived.pieces, arrived.header("content-encoding"))
    except coding.CodingError as e:
        raise Unrecordable(str(e)) from e
    headers = tuple((name, value) for name, value in arrived.headers if name.lower() != "content-encoding")
    return replace(arrived, headers=headers, pieces=pieces).without_empty()


def response(asked: RecordedRequest, arrived: Arrived, *, keep_errors: bool = False) -> RecordedResponse:
    """The recorded response of a live answer, which has no content coding any more.

    Raises Unrecordable where the exchange did not end well, or holds what another such request need not get. With
    ``keep_errors`` every status is recorded, and of a stream that broke off what came of it, as an error.
    """
    made = _response(asked, arrived, keep_errors)
    content = {"body": made.body, "is_streaming": made.is_streaming, "status": made.status}
    content |= {"content_type": made.content_type, "is_exception": made.error is not None, "exception_data": made.error}
    try:
        # What could not be read again must not be written.
        checks.check_response(content, None if asked.passthrough else asked.endpoint)
    except ValueError as e:
        raise Unrecordable(f"the answer is none of {request.endpoint(asked) or asked.url}: {e}") from e
    return made


def _response(asked: RecordedRequest, arrived: Arrived, keep_errors: bool) -> RecordedResponse:
    if not (keep_errors or _is_worth_keeping(asked, arrived.status)):
        raise HoldsError(f"the provider answered with status {arrived.status}")
    if asked.passthrough:
        return _passthrough(arrived)
    if arrived.status != 200:
        _must_have_ended(arrived)
        error = errors.describe(asked, arrived.status, b"".join(arrived.pieces))
        return RecordedResponse(None, is_streaming=False, error=error)
    kind = _KINDS[request.endpoint(asked)]
    if asked.body.get("stream"):
        if kind.chunk is None:
            raise Unrecordable(f"no form is known for a stream of {asked.endpoint}")
        read = _lines if asked.endpoint.startswith("/api/") else _events
        each = partial(read, kind.chunk, arrived.pieces)
        try:
            return RecordedResponse(_elements(each, sum(map(len, arrived.pieces))), is_streaming=True)
        except BrokeOff as e:
            if not keep_errors or not e.elements:
                raise
            return RecordedResponse(e.elements, is_streaming=True, error=errors.broke_off(str(e)))
    _must_have_ended(arrived)
    return RecordedResponse(_single(kind.single, _whole(arrived.pieces)), is_streaming=False)


def _is_worth_keeping(asked: RecordedRequest, status: int) -> bool:
    """Return whether an answer says something about the request, and not about when it came or who sent it."""
    if asked.passthrough and 200 <= status < 300:
        return status != _PARTIAL
    return status == 200 or status in _LASTING


def _whole(pieces: Sequence[bytes]) -> bytes | bytearray:
    return pieces.data if isinstance(pieces, Pieces) else b"".join(pieces)


def _must_have_ended(arrived: Arrived) -> None:
    if not arrived.ended:
        raise BrokeOff("the answer broke off")


def _elements(each: Callable[[], Iterator[dict[str, Any]]], size: int) -> Sequence[dict[str, Any]]:
    """The elements of a stream; of a large one they take ten times its memory, and are made anew each time."""
    held: list[dict[str, Any]] = []
    count = 0
    broken: BrokeOff | None = None
    try:
        for element in each():
            count += 1
            if size <= _LARGE:
                held.append(element)
    except BrokeOff as e:
        broken = e
    elements = held if size <= _LARGE else Remade(each, count)
    if broken:
        broken.elements = elements
        raise broken
    if not count:
        raise Unrecordable("the stream is empty")
    return elements


def _events(chunk: str, pieces: Sequence[bytes]) -> Iterator[dict[str, Any]]:
    decoder = sse.Decoder()
    for event in _decoded(decoder, pieces):
        if event.data.startswith(DONE):
            break
        data = _object(event.data, "an event of the stream")
        if _is_error(event, data):
            raise HoldsError("the stream holds an error")
        yield _element(chunk, data)
        if chunk == "ResponseStreamEvent" and data.get("type") in _ENDS:
            break
    else:
        raise BrokeOff("the stream ended without its last event: it broke off")


def _lines(chunk: str, pieces: Sequence[bytes]) -> Iterator[dict[str, Any]]:
    decoder = ndjson.Decoder()
    for line in _decoded(decoder, pieces):
        data = _object(line, "a line of the stream")
        if data.get("error"):
            raise HoldsError("the stream holds an error")
        yield _element(chunk, data)
        if data.get("done") is True or data.get("status") == "success":
            return
    raise BrokeOff("the stream ended without its last line: it broke off")


class _Decoder[T](Protocol):
    def feed(self, piece: bytes, /) -> list[T]: ...
    def flush(self) -> list[T]: ...


def _decoded[T](decoder: _Decoder[T], pieces: Sequence[bytes]) -> Iterator[T]:
    # Piece by piece: all events of a large answer take as much memory as the answer, and more.
    for piece in pieces:
        yield from decoder.feed(piece)
    yield from decoder.flush()


def _text_lines(data: bytes | bytearray) -> Iterator[str]:
    """The lines of a stream that have ended."""
    view = memoryview(data)
    for match in _ENDED_LINE.finditer(view):
        yield str(view[match.start() : match.end(1)], "utf-8", "replace")


def _passthrough(arrived: Arrived) -> RecordedResponse:
    body = _whole(arrived.pieces)
    content_type = "".join(filter(fields.is_value, arrived.header("content-type")))
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "text/event-stream" and arrived.status == 200:
        has_ended = False
        for event in _decoded(sse.Decoder(), arrived.pieces):
            data = _data(event)
            if _is_error(event, data):
                raise HoldsError("the stream holds an error")
            has_ended = has_ended or _ends(event, data)
        if not has_ended:
            raise BrokeOff("the stream ended without its last event: it broke off")
        lines: Sequence[str] = [*_text_lines(body)] if len(body) <= _LARGE else Remade.of(partial(_text_lines, body))
        return RecordedResponse(lines, is_streaming=True)
    _must_have_ended(arrived)
    if body and _may_be_json(media_type):
        try:
            return RecordedResponse(_json(body), is_streaming=False, status=arrived.status)
        except ValueError as e:
            if media_type == "application/json" or media_type.endswith("+json"):
                raise Unrecordable(f"the answer is not JSON: {e}") from e
    try:
        content: Any = body.decode("utf-8")
    except UnicodeDecodeError:
        content = {"base64": base64.b64encode(body).decode("ascii")}
    return RecordedResponse(content, is_streaming=False, status=arrived.status, content_type=content_type)


def _may_be_json(media_type: str) -> bool:
    """Return whether what an answer says is what counts of it. Of any other file that is each of its bytes."""
    return media_type in ("", "application/json") or media_type.endswith("+json")


def _ends(event: sse.Event, data: Mapping[str, Any]) -> bool:
    """Whether a stream has ended well with this event, in one of the providers' ways."""
    if event.data.startswith(DONE) or event.event in _ENDS:
        return True
    kind = data.get("type")
    if isinstance(kind, str) and (kind in _ENDS or kind.endswith((".done", ".completed"))):
        return True
    candidates = data.get("candidates")  # Gemini's stream has no event of its own for the end.
    return isinstance(candidates, list) and any(isinstance(c, dict) and c.get("finishReason") for c in candidates)


def _is_error(event: sse.Event, data: Mapping[str, Any]) -> bool:
    return bool(data.get("error")) or "error" in (event.event, data.get("type"))


def _data(event: sse.Event) -> dict[str, Any]:
    try:
        data = _json(event.data)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _single(name: str, body: bytes | bytearray) -> Any:
    answer = _object(body, "the answer")
    if answer.get("error") and name != "Response":
        raise HoldsError("the answer holds an error")  # A Response declares the member; elsewhere it is a failure.
    if name == "Model":
        models = answer.get("data")
        if not isinstance(models, list) or not all(isinstance(model, dict) for model in models):
            raise Unrecordable("the answer is no list of models")
        return [_element(name, model) for model in models]
    if name == "CreateEmbeddingResponse":
        if not isinstance(answer.get("data"), list):
            raise Unrecordable("the answer holds no list of embeddings")
        answer = {**answer, "data": [_numbers(item) for item in answer["data"]]}
    return _element(name, answer)


def _json(text: str | bytes | bytearray) -> Any:
    data = text.encode() if isinstance(text, str) else text
    return jsontext.loads(data, jsontext.DEEPEST_ON_WIRE)


def _object(text: str | bytes | bytearray, what: str) -> dict[str, Any]:
    try:
        value = _json(text)
    except ValueError as e:
        raise Unrecordable(f"{what} is not JSON: {e}") from e
    if not isinstance(value, dict):
        raise Unrecordable(f"{what} is not a JSON object")
    return value


def _element(name: str, data: Mapping[str, Any]) -> dict[str, Any]:
    class_ = shapes.table().resolve(name, data)
    if name == "ResponseStreamEvent" and data.get("type") not in shapes.table().unions[name]:
        # An event that the table does not know yet: kept as it came, under the name of the union.
        return {"__type__": UNKNOWN_EVENT, "__data__": dict(data)}
    return {"__type__": shapes.qualified(class_), "__data__": shapes.fill(class_, data)}


def _numbers(item: Any) -> Any:
    if not isinstance(item, dict) or not isinstance(item.get("embedding"), str):
        return item
    try:
        raw = base64.b64decode(item["embedding"], validate=True)
        numbers = struct.unpack(f"<{len(raw) // 4}f", raw)
    except (ValueError, struct.error) as e:
        raise Unrecordable(f"an embedding is not base64 of float32: {e}") from e
    return {**item, "embedding": [*numbers]}


# -- going out ---------------------------------------------------------------------------------------------------------


def answer(recordings: Sequence[Recording], *, base64_wanted: bool = False) -> Answer:
    """What the provider would send: one recording, or the several of a model list.

    ``base64_wanted``: embeddings go as base64 of float32, as the live request asked.
    """
    first = recordings[0].response
    asked = recordings[0].request
    if first.error is not None and not first.broke_off:
        status, body = errors.answer(first.error)
        return Answer(status, _JSON if body[:1] in (b"{", b"[") else _TEXT, (body,))
    if asked.passthrough:
        return _sent(first)
    if asked.endpoint in MODEL_LISTS:
        return _model_list(asked.endpoint, recordings)
    if not first.is_streaming:
        content = _stripped(first.elements()[0])
        if base64_wanted and isinstance(content.get("data"), list):
            content["data"] = [_base64(item) for item in content["data"]]
        return _json_answer(content)
    bodies = [_dump(_stripped(element)) for element in first.elements()]
    if asked.endpoint.startswith("/api/"):
        return Answer(200, _NDJSON, tuple(map(ndjson.encode, bodies)), broken=first.broke_off)
    if request.endpoint(asked) == "/v1/responses":
        names = [_event_name(element["__data__"].get("type")) for element in first.elements()]
        return Answer(200, _EVENT_STREAM, tuple(map(sse.encode, bodies, names)), broken=first.broke_off)
    end = () if first.broke_off else (sse.encode(DONE.encode()),)
    return Answer(200, _EVENT_STREAM, (*map(sse.encode, bodies), *end), broken=first.broke_off)


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
    return _json_answer({"object": "list", "data": models} if endpoint == "/v1/models" else {"models": models})


def _sent(recorded: RecordedResponse) -> Answer:
    """The answer of a passthrough endpoint, as it was sent."""
    body, status = recorded.body, recorded.status or 200
    if status in fields.EMPTY:
        return Answer(status, (), ())
    if recorded.is_streaming:
        text = "\n".join(body) + "\n"
        events = [f"{event}\n\n" for event in text.split("\n\n") if event.strip()]
        return Answer(status, _EVENT_STREAM, tuple(event.encode("utf-8", "surrogatepass") for event in events))
    if recorded.content_type is None:
        return Answer(status, _JSON, (_dump(body),))
    if isinstance(body, dict):
        content = base64.b64decode(body.get("base64", ""))
    else:
        content = str(body).encode("utf-8", "surrogatepass")
    headers = (("content-type", recorded.content_type),) if recorded.content_type else ()
    return Answer(status, headers, (content,))


def captured(recording: Recording, capture: Capture, digest: str, *, base64_wanted: bool) -> Answer | None:
    """The answer as it once came, where the capture belongs to this recording and this form of asking."""
    if capture.recording != digest or capture.chunks is None:
        return None
    if base64_wanted != bool(_BASE64_EMBEDDING.search(b"".join(capture.chunks[:1]))):
        return None
    if capture.status in fields.EMPTY:
        return Answer(capture.status, capture.headers, ())
    return Answer(capture.status, capture.headers, (*capture.chunks,), (*capture.at,), recording.response.broke_off)


def error(status: int, message: str, code: str, *, retry: bool = False) -> Answer:
    """An answer of our own in the providers' error form, which SDKs raise at once, unless they may ``retry``."""
    content = {"error": {"message": message, "type": code, "code": code, "param": None}}
    return Answer(status, _JSON if retry else (*_JSON, ("x-should-retry", "false")), (_dump(content),))


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


def _json_answer(content: Any) -> Answer:
    return Answer(200, _JSON, (_dump(content),))


def _stripped(element: Mapping[str, Any]) -> dict[str, Any]:
    name = shapes.types().get(element["__type__"])
    return shapes.strip(name, element["__data__"]) if name else dict(element["__data__"])


def _base64(item: Any) -> Any:
    numbers = item.get("embedding") if isinstance(item, dict) else None
    if not isinstance(numbers, list) or not all(isinstance(n, int | float) for n in numbers):
        return item
    form = f"<{len(numbers)}f"
    try:
        raw = struct.pack(form, *numbers)
    except (OverflowError, struct.error):
        return item
    if [*struct.unpack(form, raw)] != numbers:
        return item  # No float32: these came as numbers from a provider that does not heed the form.
    return {**item, "embedding": base64.b64encode(raw).decode("ascii")}


def _dump(content: Any) -> bytes:
    try:
        return orjson.dumps(content)
    except TypeError:  # An integer of more than 64 bits, half a surrogate pair: orjson refuses them, we do not.
        return json.dumps(content, separators=(",", ":")).encode("ascii")
