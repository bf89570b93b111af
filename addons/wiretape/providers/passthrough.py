"""What is passed on: recorded as it was sent, whatever API it is of. JSON, lines of events, text, bytes.

It is the format of all that no SDK's classes describe: Anthropic's Messages, Gemini, audio, images, and every path that
nobody has named. Such an endpoint is known by its URL alone, so its streams are looked at in all *dialects*.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import orjson

from wiretape.codecs import body_form, eventstream, ndjson, sse
from wiretape.codecs.body_form import BodyForm
from wiretape.codecs.remade import Remade
from wiretape.providers import (
    answers,
    anthropic,
    bedrock,
    cohere,
    gemini,
    ollama,
    openai,
    sdk_errors,
    stream_ends,
    usage,
)
from wiretape.providers.answers import BrokeOffError, HoldsError, HttpResponse, LiveResponse, UnrecordableError
from wiretape.providers.stream_ends import End, NamedEvents, Watcher
from wiretape.providers.unknown_events import FLAGS, Several, UnknownEvents
from wiretape.providers.usage import Usage
from wiretape.recording import JSON, RecordedRequest, RecordedResponse, Recording

DIALECTS = (
    anthropic.DIALECT,
    gemini.DIALECT,
    openai.DIALECT,
    ollama.DIALECT,
    cohere.DIALECT,
    bedrock.DIALECT,
)

_USAGE = usage.joined([dialect.usage for dialect in DIALECTS if dialect.usage])
_LAST_EVENTS = tuple(name for dialect in DIALECTS for name in dialect.last_events)

_ENDED_LINE = re.compile(rb"([^\r\n]*+)(\r\n|\r|\n)")
_LINE = re.compile(rb"(?!\Z)([^\r\n]*+)(\r\n|\r|\n|\Z)")

_OF_THINGS = frozenset({"id", "name", "status", "state"})
"""Members of something that was made before and is asked about: it may have failed."""


class PassedOn:
    """The format of what is recorded as it was sent."""

    name = ""
    aliases: tuple[str, ...] = ()
    asked_at: str = ""
    is_recorded_whole: bool = True
    method = ""
    """Whichever it was asked with: a recording has it."""

    def meant(self, request: RecordedRequest) -> "PassedOn":
        """Return this one."""
        return self

    def arguments(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a recording has of a body that was sent: all of it."""
        return dict(sent)

    def wants_base64(self, sent: Mapping[str, Any]) -> bool:
        """Return False: an answer is kept in the form in which it came."""
        return False

    def sent(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return what was sent, for comparing."""
        return dict(arguments)

    def body(self, arguments: Mapping[str, Any]) -> Any:
        """Return what was sent: a value that is no object is kept as a member without a name."""
        return arguments[""] if [*arguments] == [""] else dict(arguments)

    def parse(self, request: RecordedRequest, live: LiveResponse) -> RecordedResponse:
        """Return the recorded response of a live answer. Raises UnrecordableError."""
        return _read(request, live)

    def watcher(self, request: RecordedRequest) -> Watcher:
        """Return who tells when a stream is whole."""
        known = [dialect.watcher(request) for dialect in DIALECTS if dialect.watcher]
        return Several(*known, NamedEvents(*_LAST_EVENTS), UnknownEvents())

    def render(self, recordings: Sequence[Recording], *, base64_wanted: bool = False) -> HttpResponse:
        """Return what the provider sent."""
        response = recordings[0].response
        if response.error is not None and not response.is_partial:
            return answers.error(sdk_errors.answer(response.error), response.content_type)
        return answers.as_kept(response)

    def own_error(self, url: str, status: int, message: str, code: str) -> JSON:
        """Return the body of an error of this proxy's own: in the dialect that the URL tells, else in OpenAI's."""
        spoken = (dialect for dialect in DIALECTS if dialect.urls and dialect.urls.search(url))
        dialect = next(spoken, openai.DIALECT)
        return dialect.own_error(status, message, code)

    def elements(self, response: RecordedResponse) -> Sequence[Mapping[str, Any]]:
        """Return the JSON objects of a response."""
        if response.content_type is not None and body_form.media_type(response.content_type) == eventstream.MEDIA_TYPE:
            return [*bedrock.elements(b"".join(answers.as_kept(response).chunks))]
        if not response.is_streaming:
            return [response.body] if isinstance(response.body, dict) else []
        values = (_value_of(line) for line in response.body if line.startswith("data:"))
        return [value for value in values if isinstance(value, dict)]

    def usage(self, elements: Sequence[Mapping[str, Any]]) -> Usage:
        """Return how many tokens the objects of a response say that it took."""
        return _USAGE.read(elements)

    def text(self, response: RecordedResponse) -> str:
        """Return a response as it was sent."""
        if response.is_streaming:
            return "\n".join(response.body)
        return json.dumps(response.body, indent=2, ensure_ascii=False)


PASSED_ON = PassedOn()


def _value_of(line: str) -> JSON:
    try:
        return orjson.loads(line.removeprefix("data:"))
    except orjson.JSONDecodeError:
        return None


def _read(request: RecordedRequest, live: LiveResponse) -> RecordedResponse:
    body = answers.whole(live.pieces)
    content_type = answers.content_type_of(live)
    form = body_form.of(content_type, body) if live.status == 200 else BodyForm.OTHER
    if form is BodyForm.EVENTS:
        return RecordedResponse(_lines_of_events(request, live, body), is_streaming=True)
    answers.must_have_ended(live)
    if form is BodyForm.LINES:
        if request.method != "GET":  # Else it is a file, whose lines may tell of errors.
            _must_hold_no_error(request, live)
        return answers.as_sent(live)
    is_nothing = not body or (live.is_framed and not body.strip())
    if is_nothing:  # So servers answer who deletes something, whatever they call it.
        return answers.as_sent(live)
    media_type = body_form.media_type(content_type)
    if media_type == eventstream.MEDIA_TYPE and live.status == 200:
        bedrock.must_be_whole(body)
        return answers.as_sent(live)
    is_json = media_type == "application/json" or media_type.endswith("+json")
    try:
        value = answers.json_of(body_form.without_end_marker(body))
    except ValueError as e:
        if live.status == 200 and is_json:
            raise UnrecordableError(f"the answer is not JSON: {e}") from e
        return answers.as_sent(live)
    if live.status == 200 and _is_error(request, value):
        raise HoldsError(sdk_errors.said(value), value)
    if media_type and not is_json:
        return answers.as_sent(live)  # Of a file of another type each byte counts, not only what it says.
    return RecordedResponse(value, is_streaming=False, status=live.status, location=answers.location_of(live))


def _lines_of_events(request: RecordedRequest, live: LiveResponse, body: bytes | bytearray) -> Sequence[str]:
    try:
        error = _must_end_well(request, live)
    except BrokeOffError as e:
        raise BrokeOffError(str(e), _listed(partial(_cut_lines, body), body) if body else ()) from e
    lines = _listed(partial(_text_lines, body), body)
    if error is not None:
        raise HoldsError(error, lines, is_streaming=True)
    return lines


def _listed(make: Callable[[], Iterator[str]], body: bytes | bytearray) -> Sequence[str]:
    return [*make()] if len(body) <= answers.LARGE else Remade.of(make)


def _must_end_well(request: RecordedRequest, live: LiveResponse) -> JSON:
    """Return the error that events hold; None for none. Raises BrokeOffError where more of them was to come."""
    watcher = PASSED_ON.watcher(request)
    end = End.OPEN
    is_over = False
    for event, has_ended in answers.parts(sse.SseDecoder(), live.pieces):
        data = answers.object_of(event.data)
        is_whole = has_ended or _is_object(event.data)  # No beginning of an object is one.
        if is_whole and sdk_errors.holds(data, event.event):
            return sdk_errors.said(data) or event.data
        if stream_ends.is_done(event.data):
            is_over = True
        elif is_whole:
            end = watcher.see(data, event.event)
            is_over = is_over or end is End.OVER
        elif event.data.strip():
            end = End.OPEN  # It is cut off.
    answers.must_be_whole(End.OVER if is_over else end, live)
    return None


def _must_hold_no_error(request: RecordedRequest, live: LiveResponse) -> None:
    is_open = False
    for line, _ in answers.parts(ndjson.NdjsonDecoder(), live.pieces):
        data = answers.object_of(line)
        if _is_error(request, data):
            raise HoldsError(sdk_errors.said(data))
        if not FLAGS.isdisjoint(data):
            is_open = not any(data.get(flag) is True for flag in FLAGS)
    if is_open:
        raise BrokeOffError("the last line says that it is not the last: the answer broke off")


def _is_error(request: RecordedRequest, value: Any) -> bool:
    """Return whether an answer is an error, and not something that tells of one: a job that has failed, say."""
    is_thing = request.method == "GET" and isinstance(value, dict) and not _OF_THINGS.isdisjoint(value)
    return not is_thing and sdk_errors.holds(value)


def _text_lines(data: bytes | bytearray) -> Iterator[str]:
    """Yield the lines of a stream, and after the last event the empty line that servers may leave out.

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
    return data != line and (stream_ends.is_done(data) or _is_object(data))


def _is_object(text: str) -> bool:
    return isinstance(answers.value_of(text), dict)


def _cut_lines(data: bytes | bytearray) -> Iterator[str]:
    """Yield the lines of a stream that broke off, and what came of the next one, be it nothing."""
    view = memoryview(data)
    end = 0
    for match in _ENDED_LINE.finditer(view):
        end = match.end()
        yield str(view[match.start() : match.end(1)], "utf-8", "surrogateescape")
    yield str(view[end:], "utf-8", "surrogateescape")
