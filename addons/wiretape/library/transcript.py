"""What a recording says, as text for people. Beside the data's way: the command line shows it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from wiretape.recording import RecordedRequest, Recording


def text(recording: Recording) -> str:
    """The words of the answer, the choices one after the other; JSON where it is no text."""
    response = recording.response
    if response.error is not None:
        return str(response.error.get("message", ""))
    if recording.request.passthrough:
        body = response.body
        return "\n".join(body) if response.is_streaming else json.dumps(body, indent=2, ensure_ascii=False)
    choices: dict[int, list[str]] = {}
    for element in response.elements():
        for index, piece in _pieces(element["__data__"]):
            choices.setdefault(index, []).append(piece)
    if len(choices) > 1:
        return "\n".join(f"[{index}] {''.join(pieces)}" for index, pieces in sorted(choices.items()))
    if choices:
        return "".join(next(iter(choices.values())))
    return json.dumps([element["__data__"] for element in response.elements()], indent=2, ensure_ascii=False)


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
    return _text(body.get("query") or body.get("text") or "")


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


def _pieces(data: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    for choice in _objects(data.get("choices")):
        index = choice.get("index")
        number = index if isinstance(index, int) else 0
        message = _object(choice.get("delta") or choice.get("message"))
        yield number, _text(choice.get("text")) or _text(message.get("content"))
        for call in _objects(message.get("tool_calls")):
            function = _object(call.get("function"))
            name = _text(function.get("name"))
            yield number, (f"\n{name} " if name else "") + _text(function.get("arguments"))
    if isinstance(data.get("response"), str):  # Ollama
        yield 0, data["response"]
    elif isinstance(data.get("message"), dict):
        yield 0, _text(data["message"].get("content"))
    elif data.get("type") == "response.output_text.delta":
        yield 0, _text(data.get("delta"))


# A recording is what somebody has written: any member may be of another type than the SDK's class declares.


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
