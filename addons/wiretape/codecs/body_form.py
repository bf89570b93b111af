"""What an answer's body is: events, lines of JSON or JSON, by its content type and its first bytes. Knows no provider.

Servers do not always send what was asked for: JSON where a stream was, a stream where none was, either of them under
the other's content type. A body that begins with a brace or a bracket is JSON whatever its content type says, as no
stream of events begins with one; and what begins as a stream of events does is one.
"""

import re
from enum import Enum

from wiretape.codecs import json_text

_LINES = frozenset(
    {
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonl",
        "application/jsonlines",
        "application/x-jsonlines",
        "application/json-lines",
        "application/stream+json",
    }
)

_BLANK = re.compile(rb"(?:\xef\xbb\xbf)?+[ \t\r\n]*+")
_EVENTS = re.compile(rb'(?:(?::|(?:event|id|retry):)[^\r\n]*+[\r\n]++)*+data: ?+[\[{"]')
"""The lines with which a stream of events begins, up to the first data that can be JSON or the marker of the end."""

_LONGEST_END = 64
"""Bytes of the marker of a stream's end, with what is blank around it, that may stand behind JSON."""


class BodyForm(Enum):
    """How a body is read."""

    EVENTS = "events"
    """Server-sent events."""
    LINES = "lines"
    """A JSON value a line."""
    JSON = "json"
    """One JSON value."""
    OTHER = "other"
    """Neither its content type nor its first bytes tell."""


def media_type(content_type: str) -> str:
    """Return the media type of a Content-Type, without its parameters and in lower case."""
    return content_type.partition(";")[0].strip().lower()


def of(content_type: str, body: bytes | bytearray) -> BodyForm:
    """Return the form of a body, which has no content coding any more."""
    type_ = media_type(content_type)
    blank = _BLANK.match(body)
    assert blank
    start = blank.end()
    if body[start : start + 1] in (b"{", b"["):
        if type_ in _LINES or _begins_with_values_in_lines(body, start):
            return BodyForm.LINES
        return BodyForm.JSON
    if type_ == "text/event-stream" or _EVENTS.match(body, start):
        return BodyForm.EVENTS
    if type_ in _LINES:
        return BodyForm.LINES
    if type_ == "application/json" or type_.endswith("+json"):
        return BodyForm.JSON
    return BodyForm.OTHER


def _begins_with_values_in_lines(body: bytes | bytearray, start: int) -> bool:
    """Return whether the first line is a JSON value by itself and another one begins after it."""
    end = body.find(b"\n", start)
    if end < 0:
        return False
    blank = _BLANK.match(body, end)
    assert blank
    if body[blank.end() : blank.end() + 1] not in (b"{", b"["):
        return False
    try:
        json_text.loads(body[start:end])
    except ValueError:
        return False
    return True


def without_end_marker(body: bytes | bytearray) -> bytes | bytearray:
    """Return JSON without the ``data: [DONE]`` that some servers put behind it; the body itself where there is none."""
    start = body.rfind(b"data:", max(0, len(body) - _LONGEST_END))
    if start < 0 or body[start:].removeprefix(b"data:").strip() != b"[DONE]":
        return body
    return body[:start]
