"""Endpoints that are kept as an SDK's objects: elements of a class, or of several. The greater part of most formats.

``ElementFormat`` has all that the endpoints have in common. One of them is a subclass that says what it is called, of
which classes its answers are, and what else it does in a way of its own:

    class Rerank(ElementFormat):
        name = "/v2/rerank"
        single = "cohere.types.V2RerankResponse"

A live answer is read by what it is, and not by what was asked for (see ``body_form``): servers send JSON where a stream
was wanted, and the reverse. One that is not whole raises an error which holds what came of it. What goes out is made of
the elements again, without what only the SDK's class has put into them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from wiretape.codecs import body_form, json_text, ndjson, sse
from wiretape.codecs.body_form import BodyForm
from wiretape.providers import answers, element_streams, schemas, sdk_errors
from wiretape.providers.answers import HoldsError, HttpResponse, LiveResponse, UnrecordableError
from wiretape.providers.element_streams import Element
from wiretape.providers.stream_ends import DONE, NamedEvents, Watcher
from wiretape.providers.usage import Usage, UsageReader
from wiretape.providers.usage_forms import ANTHROPIC, RESPONSES
from wiretape.recording import JSON, RecordedRequest, RecordedResponse, Recording, encoded

_NOT_SENT = ("extra_body", "extra_headers", "extra_query", "timeout")
"""Arguments of an SDK's call that shape the HTTP request and are no part of its body."""


class ElementFormat:
    """An endpoint whose answers are objects of an SDK's classes. What is here is what most APIs do."""

    name: str
    """In a recording."""
    aliases: tuple[str, ...] = ()
    asked_at: str = ""
    """The end of the path that is asked, where recordings call it by another name."""
    is_recorded_whole: bool = True
    """Whether a recording has all that was sent."""
    method: str = "POST"
    single: str
    """The class of an answer in one piece."""
    chunk: str | None = None
    """The class of a chunk of a stream, where the endpoint streams."""
    stream_form = BodyForm.EVENTS
    """How a stream is sent: as events or as lines."""
    ends_in_done: bool = False
    """Whether the marker ``[DONE]`` is the last event of a stream."""
    last_events: tuple[str, ...] = ()
    """The names, or types, of the events that end a stream."""
    usage_reader = UsageReader(ANTHROPIC, RESPONSES)

    # -- requests ------------------------------------------------------------------------------------------------------

    def meant(self, request: RecordedRequest) -> "ElementFormat":
        """Return the format of the endpoint that a recording is really of: this one."""
        return self

    def arguments(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a recording has of a body that was sent: all of it."""
        return dict(sent)

    def wants_base64(self, sent: Mapping[str, Any]) -> bool:
        """Return whether a body that was sent asks for numbers as base64, which no recording shows."""
        return False

    def sent(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body that the SDK sends for recorded arguments, ``extra_body`` merged in, for comparing."""
        body = {key: value for key, value in arguments.items() if key not in _NOT_SENT}
        if isinstance(extra := arguments.get("extra_body"), dict):
            body.update(extra)
        if body.get("encoding_format") == "base64":
            del body["encoding_format"]  # SDKs ask for it by themselves.
        return body

    def body(self, arguments: Mapping[str, Any]) -> Any:
        """Return a body that a client sends for recorded arguments."""
        return self.sent(arguments)

    # -- what comes in -------------------------------------------------------------------------------------------------

    def parse(self, request: RecordedRequest, live: LiveResponse) -> RecordedResponse:
        """Return the recorded response of a live answer. Raises UnrecordableError."""
        if live.status == 200:
            return self._parse(request, live)
        if live.status < 400:  # To an SDK it is an answer like others.
            return replace(self._parse(request, live), status=live.status, location=answers.location_of(live))
        answers.must_have_ended(live)
        error = self.describe_error(live.status, b"".join(live.pieces))
        content_type = answers.content_type_of(live) if isinstance(error["body"], str) else None
        return RecordedResponse(None, is_streaming=False, error=error, content_type=content_type)

    def _parse(self, request: RecordedRequest, live: LiveResponse) -> RecordedResponse:
        form = body_form.of(live.header("content-type"), answers.whole(live.pieces))
        if form is BodyForm.OTHER:
            form = self.stream_form if request.body.get("stream") else BodyForm.JSON
        if form is BodyForm.JSON:
            answers.must_have_ended(live)
            return self.parse_single(request, answers.whole(live.pieces))
        if self.chunk is None:
            raise UnrecordableError(f"no form is known for a stream of {request.endpoint}")
        read = element_streams.lines if form is BodyForm.LINES else element_streams.events
        each = partial(read, live, partial(self.watcher, request), partial(self.element, self.chunk))
        elements = element_streams.elements(each, sum(map(len, live.pieces)))
        return RecordedResponse(elements, is_streaming=True)

    def parse_single(self, request: RecordedRequest, body: bytes | bytearray) -> RecordedResponse:
        """Return the recorded response of an answer in one piece. Raises UnrecordableError."""
        answer = element_streams.object_of(body_form.without_end_marker(body), "the answer")
        if sdk_errors.holds(answer):
            raise HoldsError(sdk_errors.said(answer), self.element(self.single, answer))
        element = self.element(self.single, self.accepted(request, answer))
        return RecordedResponse(element, is_streaming=False)

    def accepted(self, request: RecordedRequest, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return an answer in one piece as it is to be recorded. Raises UnrecordableError where it is none."""
        return answer

    def element(self, type_: str, data: Mapping[str, Any]) -> Element:
        """Return an object of a class, with all its fields where the table of classes has them."""
        name = schemas.types().get(type_)
        return {"__type__": type_, "__data__": schemas.fill(name, data) if name else dict(data)}

    def watcher(self, request: RecordedRequest) -> Watcher:
        """Return who tells when the stream that answers a request is whole: by its last event."""
        return NamedEvents(*self.last_events)

    def describe_error(self, status: int, body: bytes) -> dict[str, Any]:
        """Return an HTTP error as the endpoint's SDK raises it: as that of OpenAI does."""
        return sdk_errors.describe(status, body)

    # -- what goes out -------------------------------------------------------------------------------------------------

    def render(self, recordings: Sequence[Recording], *, base64_wanted: bool = False) -> HttpResponse:
        """Return what the provider would send, by the first recording."""
        request = recordings[0].request
        response = recordings[0].response
        if response.error is not None and not response.is_partial:
            return answers.error(self.error_body(response.error), response.content_type)
        if response.content_type is not None:
            return answers.as_kept(response)
        if response.is_streaming:
            return self._stream(response)
        content = self.to_wire(request, stripped(response.elements()[0]), base64_wanted=base64_wanted)
        return single(content, response)

    def error_body(self, error: Mapping[str, Any]) -> tuple[int, bytes]:
        """Return status and body of a recorded error."""
        return sdk_errors.answer(error)

    def own_error(self, url: str, status: int, message: str, code: str) -> JSON:
        """Return the body of an error of this proxy's own: as OpenAI has them."""
        return sdk_errors.own(status, message, code)

    def to_wire(self, request: RecordedRequest, content: dict[str, Any], *, base64_wanted: bool) -> Any:
        """Return an answer in one piece as it was asked for."""
        return content

    def _stream(self, response: RecordedResponse) -> HttpResponse:
        elements = response.elements()
        bodies = [json_text.dumps(stripped(element)) for element in elements]
        status = response.status or 200
        said_last = _said_last(response) if response.is_partial and not response.tail else ()
        if self.stream_form is BodyForm.LINES:
            lines = (*bodies, *map(encoded, response.tail), *said_last)
            return HttpResponse(status, answers.NDJSON, tuple(map(ndjson.encode, lines)), broken=response.broke_off)
        names = [self.event_name(element["__data__"]) for element in elements]
        events = [*map(sse.encode, bodies, names)]
        if response.tail:
            events += answers.events_of(response.tail)
        elif response.is_partial:
            events += map(sse.encode, said_last)
        elif self.is_followed_by_done(names):
            events.append(sse.encode(DONE.encode()))
        return HttpResponse(status, answers.EVENT_STREAM, tuple(events), broken=response.broke_off)

    def is_followed_by_done(self, names: Sequence[str]) -> bool:
        """Return whether the marker ``[DONE]`` follows the last event of a stream, given the names of all."""
        return self.ends_in_done

    def event_name(self, data: Mapping[str, Any]) -> str:
        """Return the name of the event that a chunk is sent as; empty where the API names none."""
        return ""

    # -- what it says --------------------------------------------------------------------------------------------------

    def elements(self, response: RecordedResponse) -> Sequence[Mapping[str, Any]]:
        """Return the objects that a response is made of."""
        return [element["__data__"] for element in response.elements()]

    def usage(self, elements: Sequence[Mapping[str, Any]]) -> Usage:
        """Return how many tokens the objects of a response say that it took."""
        return self.usage_reader.read(elements)

    def text(self, response: RecordedResponse) -> str:
        """Return the words of a response, the choices one after the other; JSON where it has no words."""
        choices: dict[int, list[str]] = {}
        elements = self.elements(response)
        for data in elements:
            for index, piece in self.words(data):
                choices.setdefault(index, []).append(piece)
        if len(choices) > 1:
            return "\n".join(f"[{index}] {''.join(pieces)}" for index, pieces in sorted(choices.items()))
        if choices:
            return "".join(next(iter(choices.values())))
        return json.dumps(elements, indent=2, ensure_ascii=False)

    def words(self, data: Mapping[str, Any]) -> Iterable[tuple[int, str]]:
        """Return the words of one element, each with the number of the choice that says them."""
        return ()


class UnknownEndpoint(ElementFormat):
    """An endpoint that nobody has registered. What was recorded of it goes out as it is kept; nothing is recorded."""

    single = ""
    ends_in_done = True

    def __init__(self, name: str) -> None:
        self.name = name

    def parse(self, request: RecordedRequest, live: LiveResponse) -> RecordedResponse:
        """Raise UnrecordableError."""
        raise UnrecordableError(f"no endpoint is known by the name {self.name!r}")


def single(content: Any, response: RecordedResponse) -> HttpResponse:
    """Return an answer in one piece."""
    headers = (*answers.JSON_TYPE, *answers.leading(response))
    return HttpResponse(response.status or 200, headers, (json_text.dumps(content),))


def stripped(element: Mapping[str, Any]) -> dict[str, Any]:
    """Return an element as the wire has it, without what only its class has put into it."""
    name = schemas.types().get(element["__type__"])
    return schemas.strip(name, element["__data__"]) if name else dict(element["__data__"])


def union(models: Sequence[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Return the models of several lists as one, each once, sorted by the member that names one."""
    by_name = {str(model.get(key)): model for model in models}
    return [by_name[name] for name in sorted(by_name)]


def text_of(value: Any) -> str:
    """Return a value as a text for people: whatever a member is in a recording that somebody has written."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _said_last(response: RecordedResponse) -> Iterator[bytes]:
    """Yield what a stream says of its error, where the recording does not have it as it came: others write it so."""
    error: JSON = (response.error or {}).get("body")
    if error is not None:
        yield json_text.dumps({"error": error})
