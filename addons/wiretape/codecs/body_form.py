"""Tells what the body of an answer is, by its content type and its first bytes: events, lines of JSON, or JSON.

Servers do not always send what was asked for: JSON instead of a stream, a stream instead of JSON, or either of them
with the content type of the other. A body that begins with a brace or a bracket is JSON whatever its content type is,
because no stream of events begins with one. A body that begins as a stream of events does is one.
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
"""The lines with which a stream of events begins, up to the first data that can be JSON, or the end marker."""

_LONGEST_END = 64
"""How many bytes the end marker of a stream may have, with the blanks around it, where it stands behind JSON."""


class BodyForm(Enum):
    """How a body is read."""

    EVENTS = "events"
    """Server-sent events."""
    LINES = "lines"
    """A JSON value on each line."""
    JSON = "json"
    """One JSON value."""
    OTHER = "other"
    """Neither the content type nor the first bytes tell."""


def media_type(content_type: str) -> str:
    """Return the media type of a Content-Type, without its parameters and in lower case."""
    return content_type.partition(";")[0].strip().lower()


def of(content_type: str, body: bytes | bytearray) -> BodyForm:
    """Return the form of a body whose content coding has been undone."""
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
    """Tell whether the first line is a JSON value by itself, and another value begins after it."""
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
    """Return JSON without the ``data: [DONE]`` that some servers put behind it, or the body itself."""
    start = body.rfind(b"data:", max(0, len(body) - _LONGEST_END))
    if start < 0 or body[start:].removeprefix(b"data:").strip() != b"[DONE]":
        return body
    return body[:start]
