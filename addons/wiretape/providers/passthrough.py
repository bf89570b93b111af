"""Recording <-> answer of a passthrough endpoint, which is kept as it was sent: JSON, lines of events, text, bytes."""

import base64
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import orjson

from wiretape.codecs import body_form, eventstream, http_fields, json_text, ndjson, sse
from wiretape.codecs.body_form import BodyForm
from wiretape.codecs.remade import Remade
from wiretape.providers import answers, sdk_errors, stream_ends
from wiretape.providers.answers import BrokeOffError, HoldsError, HttpResponse, LiveResponse, UnrecordableError
from wiretape.providers.stream_ends import End
from wiretape.recording import JSON, RecordedRequest, RecordedResponse, encoded

_ENDED_LINE = re.compile(rb"([^\r\n]*+)(\r\n|\r|\n)")
_LINE = re.compile(rb"(?!\Z)([^\r\n]*+)(\r\n|\r|\n|\Z)")

_OF_THINGS = frozenset({"id", "name", "status", "state"})
"""Members of something that was made before and is asked about: it may have failed."""


def read(asked: RecordedRequest, arrived: LiveResponse) -> RecordedResponse:
    """The recorded response of a live answer. Raises Unrecordable, as ``wire.response`` says."""
    body = answers.whole(arrived.pieces)
    content_type = answers.content_type_of(arrived)
    form = body_form.of(content_type, body) if arrived.status == 200 else BodyForm.OTHER
    if form is BodyForm.EVENTS:
        return RecordedResponse(_lines_of_events(asked, arrived, body), is_streaming=True)
    answers.must_have_ended(arrived)
    if form is BodyForm.LINES:
        if asked.method != "GET":  # Else it is a file, whose lines may tell of errors.
            _must_hold_no_error(asked, arrived)
        return answers.as_sent(arrived)
    if not body:
        return answers.as_sent(arrived)
    if arrived.is_framed and not body.strip():
        return answers.as_sent(arrived)  # Nothing, as servers answer who deletes something, whatever they call it.
    media_type = body_form.media_type(content_type)
    if media_type == eventstream.MEDIA_TYPE and arrived.status == 200:
        _must_be_whole_messages(body)
        return answers.as_sent(arrived)
    is_json = media_type == "application/json" or media_type.endswith("+json")
    try:
        value = answers.json_of(body_form.without_end_marker(body))
    except ValueError as e:
        if arrived.status == 200 and is_json:
            raise UnrecordableError(f"the answer is not JSON: {e}") from e
        return answers.as_sent(arrived)
    if arrived.status == 200 and _is_error(asked, value):
        raise HoldsError(sdk_errors.said(value), value)
    if media_type and not is_json:
        return answers.as_sent(arrived)  # Of a file of another type each byte counts, not only what it says.
    return RecordedResponse(value, is_streaming=False, status=arrived.status, location=answers.location_of(arrived))


def _lines_of_events(asked: RecordedRequest, arrived: LiveResponse, body: bytes | bytearray) -> Sequence[str]:
    try:
        error = _must_end_well(asked, arrived)
    except BrokeOffError as e:
        raise BrokeOffError(str(e), _listed(partial(_cut_lines, body), body) if body else ()) from e
    lines = _listed(partial(_text_lines, body), body)
    if error is not None:
        raise HoldsError(error, lines, is_streaming=True)
    return lines


def _listed(make: Callable[[], Iterator[str]], body: bytes | bytearray) -> Sequence[str]:
    return [*make()] if len(body) <= answers.LARGE else Remade.of(make)


def _must_end_well(asked: RecordedRequest, arrived: LiveResponse) -> JSON:
    """Look through the events of a passthrough endpoint; raises BrokeOff. Returns the error that they hold, or None."""
    watcher = stream_ends.watcher(asked)
    end = End.OPEN
    is_over = False
    for event, has_ended in answers.parts(sse.SseDecoder(), arrived.pieces):
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
    answers.must_be_whole(End.OVER if is_over else end, arrived)
    return None


def _must_hold_no_error(asked: RecordedRequest, arrived: LiveResponse) -> None:
    is_open = False
    for line, _ in answers.parts(ndjson.NdjsonDecoder(), arrived.pieces):
        data = answers.object_of(line)
        if _is_error(asked, data):
            raise HoldsError(sdk_errors.said(data))
        if not stream_ends.FLAGS.isdisjoint(data):
            is_open = not any(data.get(flag) is True for flag in stream_ends.FLAGS)
    if is_open:
        raise BrokeOffError("the last line says that it is not the last: the answer broke off")


def _must_be_whole_messages(body: bytes | bytearray) -> None:
    """Look through the messages of an event stream of AWS's: an exception in it comes with status 200."""
    is_open = False
    try:
        for message in eventstream.messages(body):
            if message.headers.get(":message-type") in ("exception", "error"):
                name = message.headers.get(":exception-type") or message.headers.get(":error-code") or "error"
                told = answers.object_of(message.payload).get("message") or message.headers.get(":error-message")
                raise HoldsError({"type": name, "message": told})
            event = message.headers.get(":event-type")
            is_open = event == "messageStart" or (is_open and event != "messageStop")
    except ValueError as e:
        raise BrokeOffError(f"{e}: the stream broke off") from e
    if is_open:
        raise BrokeOffError("the stream ended without its last message: it broke off")


def _is_error(asked: RecordedRequest, value: Any) -> bool:
    """Return whether an answer is an error, and not something that tells of one: a job that has failed, say."""
    is_thing = asked.method == "GET" and isinstance(value, dict) and not _OF_THINGS.isdisjoint(value)
    return not is_thing and sdk_errors.holds(value)


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
    return data != line and (stream_ends.is_done(data) or _is_object(data))


def _is_object(text: str) -> bool:
    return isinstance(answers.value_of(text), dict)


def _cut_lines(data: bytes | bytearray) -> Iterator[str]:
    """The lines of a stream that broke off, and what came of the next one, be it nothing."""
    view = memoryview(data)
    end = 0
    for match in _ENDED_LINE.finditer(view):
        end = match.end()
        yield str(view[match.start() : match.end(1)], "utf-8", "surrogateescape")
    yield str(view[end:], "utf-8", "surrogateescape")


def written(recorded: RecordedResponse) -> HttpResponse:
    """The answer of a passthrough endpoint, as it was sent."""
    body, status = recorded.body, recorded.status or 200
    if status in http_fields.EMPTY:
        return HttpResponse(status, answers.leading(recorded), ())
    if recorded.is_streaming and recorded.error is not None and recorded.error.get("body") is None:
        # What came of its last event is none.
        events = re.split(r"(?<=\n\n)", "\n".join(body))
        chunks = tuple(encoded(event) for event in events if event)
        return HttpResponse(status, answers.EVENT_STREAM, chunks, broken=recorded.broke_off)
    if recorded.is_streaming:
        return HttpResponse(status, answers.EVENT_STREAM, tuple(answers.events_of(body)))
    if recorded.content_type is None:
        return HttpResponse(status, (*answers.JSON_TYPE, *answers.leading(recorded)), (json_text.dumps(body),))
    content = encoded(body) if isinstance(body, str) else base64.b64decode(body["base64"])
    headers = (*answers.typed(recorded.content_type), *answers.leading(recorded))
    return HttpResponse(status, headers, (content,) if content else (), broken=recorded.broke_off)


def objects(recorded: RecordedResponse) -> list[dict[str, Any]]:
    """The JSON objects of a response, in order."""
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
