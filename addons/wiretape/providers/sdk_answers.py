"""Recording <-> answer of an endpoint that is kept as an SDK's response objects: elements of a class, or of several.

What comes is read by what it is, and not by what was asked: see ``body_form``. When a stream of it is whole is told in
``stream_ends``, which fields a class has in ``shapes``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, repeat
from typing import Any

from wiretape.codecs import body_form, embeddings, http_fields, json_text, ndjson, sse
from wiretape.codecs.body_form import BodyForm
from wiretape.codecs.remade import Remade
from wiretape.matching import request
from wiretape.providers import answers, schemas, sdk_errors, stream_ends
from wiretape.providers.answers import BrokeOffError, HoldsError, HttpResponse, LiveResponse, UnrecordableError
from wiretape.providers.stream_ends import DONE, End
from wiretape.recording import JSON, MODEL_LISTS, RecordedRequest, RecordedResponse, Recording, encoded

UNKNOWN_EVENT = "openai.types.responses.response_stream_event.ResponseStreamEvent"


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

_ENVELOPE = {"object": "list", "data": []}
"""What is around the models of a list, where a recording says nothing else."""


def read(asked: RecordedRequest, arrived: LiveResponse) -> RecordedResponse:
    """The recorded response of a live answer. Raises Unrecordable, as ``wire.response`` says."""
    kind = _KINDS[request.endpoint(asked)]
    form = body_form.of(arrived.header("content-type"), answers.whole(arrived.pieces))
    if form is BodyForm.OTHER:
        form = _form_that_was_asked(asked)
    if form is BodyForm.JSON:
        answers.must_have_ended(arrived)
        if kind.single == "Model":
            return _models(answers.whole(arrived.pieces))
        return RecordedResponse(_single(kind.single, asked, answers.whole(arrived.pieces)), is_streaming=False)
    if kind.chunk is None:
        raise UnrecordableError(f"no form is known for a stream of {asked.endpoint}")
    parse = _lines if form is BodyForm.LINES else _events
    each = partial(parse, kind.chunk, asked, arrived)
    return RecordedResponse(_elements(each, sum(map(len, arrived.pieces))), is_streaming=True)


def _form_that_was_asked(asked: RecordedRequest) -> BodyForm:
    if not asked.body.get("stream"):
        return BodyForm.JSON
    return BodyForm.LINES if asked.endpoint.startswith("/api/") else BodyForm.EVENTS


def _elements(each: Callable[[], Iterator[dict[str, Any]]], size: int) -> Sequence[dict[str, Any]]:
    """The elements of a stream; of a large one they take ten times its memory, and are made anew each time."""
    held: list[dict[str, Any]] = []
    count = 0
    failed: BrokeOffError | HoldsError | None = None
    try:
        for element in each():
            count += 1
            if size <= answers.LARGE:
                held.append(element)
    except (BrokeOffError, HoldsError) as e:
        failed = e
    elements = held if size <= answers.LARGE else Remade(each, count)
    match failed:
        case BrokeOffError():
            raise BrokeOffError(str(failed), elements)
        case HoldsError():
            raise HoldsError(failed.error, elements, failed.tail, is_streaming=True)
    if not count:
        raise UnrecordableError("the stream is empty")
    return elements


def _events(chunk: str, asked: RecordedRequest, arrived: LiveResponse) -> Iterator[dict[str, Any]]:
    watcher = stream_ends.watcher(asked)
    end = End.OPEN
    events = answers.parts(sse.SseDecoder(), arrived.pieces)
    for event, is_whole in events:
        if not event.data.strip():
            continue  # It only keeps the connection open.
        if stream_ends.is_done(event.data):
            return
        data = answers.value_of(event.data)
        if (is_whole or data or arrived.ended) and sdk_errors.holds(data, event.event):  # Its data need not be JSON.
            tail = [line for each, _ in chain([(event, True)], events) for line in sse.lines(each)]
            raise HoldsError(sdk_errors.said(data) or event.data, (), tail, is_streaming=True)
        if not isinstance(data, dict):
            data = _part(event.data, "an event of the stream", is_whole)
        yield _element(chunk, data)
        end = watcher.see(data, event.event)
        if end is End.OVER:
            return
    answers.must_be_whole(end, arrived)


def _lines(chunk: str, asked: RecordedRequest, arrived: LiveResponse) -> Iterator[dict[str, Any]]:
    watcher = stream_ends.watcher(asked)
    end = End.OPEN
    lines = answers.parts(ndjson.NdjsonDecoder(), arrived.pieces)
    for line, is_whole in lines:
        data = answers.value_of(line)
        if sdk_errors.holds(data):
            tail = [str(each, "utf-8", "surrogateescape") for each, _ in chain([(line, True)], lines)]
            raise HoldsError(sdk_errors.said(data), (), [each.replace("\r", "") for each in tail], is_streaming=True)
        if not isinstance(data, dict):
            data = _part(line, "a line of the stream", is_whole)
        yield _element(chunk, data)
        end = watcher.see(data)
        if end is End.OVER:
            return
    answers.must_be_whole(end, arrived)


def _part(text: str | bytes, what: str, is_whole: bool) -> dict[str, Any]:
    """Return the object that an event, or a line, holds. Raises BrokeOff for one that is cut off."""
    try:
        return _object(text, what)
    except UnrecordableError as e:
        if is_whole:
            raise
        raise BrokeOffError(f"the stream ended within {what}: it broke off") from e


def _single(name: str, asked: RecordedRequest, body: bytes | bytearray) -> Any:
    answer = _object(body_form.without_end_marker(body), "the answer")
    if sdk_errors.holds(answer):
        raise HoldsError(sdk_errors.said(answer), _element(name, answer))
    if name in ("ChatCompletion", "Completion") and not isinstance(answer.get("choices"), list):
        # An error in a form of its own.
        raise HoldsError(answer, _element(name, answer), said="the answer has no choices")
    if name in ("GenerateResponse", "ChatResponse") and answer.get("done") is False:
        raise BrokeOffError("the answer is the first line of a stream: it broke off")
    if name == "CreateEmbeddingResponse":
        if not isinstance(answer.get("data"), list):
            raise UnrecordableError("the answer holds no list of embeddings")
        if asked.base64_wanted:
            sent = request.wire_body(asked)
            answer = {**answer, "data": [embeddings.to_numbers(item, sent) for item in answer["data"]]}
    return _element(name, answer)


def _models(body: bytes | bytearray) -> RecordedResponse:
    """A list of models: in an object as OpenAI sends it, or in another one, or the list itself."""
    try:
        answer = answers.json_of(body)
    except ValueError as e:
        raise UnrecordableError(f"the answer is not JSON: {e}") from e
    if sdk_errors.holds(answer):
        raise HoldsError(sdk_errors.said(answer))
    envelope: JSON = []
    models = answer
    if isinstance(answer, dict):
        key = _key_of_models(answer)
        # Servers in Go send null for an empty one.
        models = [] if answer.get(key, 0) is None else answer.get(key)
        envelope = {**answer, key: None if answer.get(key) is None else []}
    if not isinstance(models, list) or not all(isinstance(model, dict) for model in models):
        raise UnrecordableError("the answer is no list of models")
    elements = [_element("Model", model) for model in models]
    return RecordedResponse(elements, is_streaming=False, envelope=None if envelope == _ENVELOPE else envelope)


def _key_of_models(envelope: Mapping[str, Any]) -> str:
    return "models" if "models" in envelope and "data" not in envelope else "data"


def _object(text: str | bytes | bytearray, what: str) -> dict[str, Any]:
    try:
        value = answers.json_of(text)
    except ValueError as e:
        raise UnrecordableError(f"{what} is not JSON: {e}") from e
    if not isinstance(value, dict):
        if sdk_errors.holds(value):
            raise HoldsError(sdk_errors.said(value), said=f"{what} holds an error")
        raise UnrecordableError(f"{what} is not a JSON object")
    return value


def _element(name: str, data: Mapping[str, Any]) -> dict[str, Any]:
    class_ = schemas.table().resolve(name, data)
    type_ = data.get("type")
    if name == "ResponseStreamEvent" and not (isinstance(type_, str) and type_ in schemas.table().unions[name]):
        # An event that the table does not know yet: kept as it came, under the name of the union.
        return {"__type__": UNKNOWN_EVENT, "__data__": dict(data)}
    return {"__type__": schemas.qualified(class_), "__data__": schemas.fill(class_, data)}


def single(asked: RecordedRequest, recorded: RecordedResponse, *, base64_wanted: bool) -> HttpResponse:
    """The answer in one piece that a recording is of."""
    content = _stripped(recorded.elements()[0])
    if asked.endpoint == "/v1/embeddings" and isinstance(content.get("data"), list):
        sent = request.wire_body(asked)
        content["data"] = [embeddings.to_wire(each, sent, base64_wanted=base64_wanted) for each in content["data"]]
    return HttpResponse(
        recorded.status or 200, (*answers.JSON_TYPE, *answers.leading(recorded)), (json_text.dumps(content),)
    )


def stream(asked: RecordedRequest, recorded: RecordedResponse) -> HttpResponse:
    """The stream that a recording is of."""
    elements = recorded.elements()
    bodies = [json_text.dumps(_stripped(element)) for element in elements]
    status = recorded.status or 200
    if asked.endpoint.startswith("/api/"):
        lines = [encoded(line) for line in recorded.tail]
        if recorded.is_partial and not lines:
            lines = [*_said_at_the_end(recorded)]
        return HttpResponse(
            status, answers.NDJSON, tuple(map(ndjson.encode, (*bodies, *lines))), broken=recorded.broke_off
        )
    names = []
    if request.endpoint(asked) == "/v1/responses":
        names = [_event_name(element["__data__"].get("type")) for element in elements]
    events = [*map(sse.encode, bodies, names or repeat(""))]
    if recorded.tail:
        events += answers.events_of(recorded.tail)
    elif recorded.is_partial:
        events += map(sse.encode, _said_at_the_end(recorded))
    elif not names or names[-1] not in stream_ends.RESPONSE_ENDS:
        events.append(sse.encode(DONE.encode()))
    return HttpResponse(status, answers.EVENT_STREAM, tuple(events), broken=recorded.broke_off)


def _said_at_the_end(recorded: RecordedResponse) -> Iterator[bytes]:
    """What a stream says of its error, where the recording does not have it as it came: others write it so."""
    error = (recorded.error or {}).get("body")
    if error is not None:
        yield json_text.dumps({"error": error})


def _event_name(value: Any) -> str:
    # Any other would be a line of the stream of its own.
    return value if isinstance(value, str) and http_fields.is_value(value) else ""


def model_list(endpoint: str, recordings: Sequence[Recording]) -> HttpResponse:
    """The list of models that one recording is of, or that several are, each of a part of it."""
    key = MODEL_LISTS[endpoint]
    contents = [_stripped(element) for each in recordings for element in each.response.elements()]
    models = contents if endpoint == "/v1/models" else [model for each in contents for model in each["models"]]
    if len(recordings) > 1:
        by_name = {str(model.get(key)): model for model in models}
        models = [by_name[name] for name in sorted(by_name)]
    first = recordings[0].response
    around = contents[0] if contents else {}
    content = {**around, "models": models} if endpoint == "/api/tags" else _in_envelope(models, first.envelope)
    return HttpResponse(first.status or 200, (*answers.JSON_TYPE, *answers.leading(first)), (json_text.dumps(content),))


def _in_envelope(models: list[Any], envelope: JSON) -> JSON:
    if envelope == []:
        return models
    content = dict(_ENVELOPE if envelope is None else envelope)
    key = _key_of_models(content)
    if models or content[key] is not None:
        content[key] = models
    return content


def _stripped(element: Mapping[str, Any]) -> dict[str, Any]:
    name = schemas.types().get(element["__type__"])
    return schemas.strip(name, element["__data__"]) if name else dict(element["__data__"])
