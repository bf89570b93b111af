"""What a recording says, as text for people. Beside the data's way: the command line shows it."""

from collections.abc import Mapping
from typing import Any

from wiretape.providers import base
from wiretape.providers.elements import text_of
from wiretape.recording import RecordedRequest, Recording


def text(recording: Recording) -> str:
    """Return the words of the answer, or of the error that it is; JSON where it has no words."""
    response = recording.response
    if response.error is not None:
        return str(response.error.get("message", ""))
    return base.of(recording.request).text(response)


def question(request: RecordedRequest) -> str:
    """What was asked: the last thing that a user said, or what else is the question; empty where there is none."""
    body = request.body
    for key in ("messages", "input", "contents", "prompt"):
        said = body.get(key)
        if isinstance(said, str):
            return said
        turns = [each for each in _list(said) if isinstance(each, str) or _object(each).get("role", "user") == "user"]
        for turn in reversed(turns):
            if text := _said(turn):
                return text
    return text_of(body.get("query") or body.get("text") or "")


def _said(turn: Any) -> str:
    """The text of a message, whatever its API calls the parts of it."""
    if isinstance(turn, str):
        return turn
    content = _object(turn).get("content", _object(turn).get("parts"))
    if isinstance(content, str):
        return content
    parts = (each if isinstance(each, str) else _object(each).get("text") for each in _list(content))
    return " ".join(part for part in parts if isinstance(part, str))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


# A recording is what somebody has written: any member may be of another type than the SDK's class declares.


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
