"""What a recording says, as text for people. Beside the data's way: the command line shows it."""

from typing import Any

from wiretape.library.loosely import list_of, object_of
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
        turns = [
            each for each in list_of(said) if isinstance(each, str) or object_of(each).get("role", "user") == "user"
        ]
        for turn in reversed(turns):
            if text := _said(turn):
                return text
    return text_of(body.get("query") or body.get("text") or "")


def _said(turn: Any) -> str:
    """The text of a message, whatever its API calls the parts of it."""
    if isinstance(turn, str):
        return turn
    content = object_of(turn).get("content", object_of(turn).get("parts"))
    if isinstance(content, str):
        return content
    parts = (each if isinstance(each, str) else object_of(each).get("text") for each in list_of(content))
    return " ".join(part for part in parts if isinstance(part, str))
