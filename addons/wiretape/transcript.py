"""What a recording says, as text for people. Beside the data's way: the command line shows it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from wiretape.recording import Recording


def text(recording: Recording) -> str:
    """The words of the answer, the choices one after the other; JSON where it is no text."""
    response = recording.response
    if response.error is not None:
        return str(response.error.get("message", ""))
    if recording.request.passthrough:
        body = response.body
        return "\n".join(body) if response.is_streaming else json.dumps(body, indent=2, ensure_ascii=False)
    choices: dict[int, str] = {}
    for element in response.elements():
        for index, piece in _pieces(element["__data__"]):
            choices[index] = choices.get(index, "") + piece
    if len(choices) > 1:
        return "\n".join(f"[{index}] {words}" for index, words in sorted(choices.items()))
    if choices:
        return next(iter(choices.values()))
    return json.dumps([element["__data__"] for element in response.elements()], indent=2, ensure_ascii=False)


def _pieces(data: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    for choice in data.get("choices") or []:
        index = choice.get("index") or 0
        message = choice.get("delta") or choice.get("message") or {}
        yield index, choice.get("text") or message.get("content") or ""
        for call in message.get("tool_calls") or []:
            function = call.get("function") or {}
            name = f"\n{function['name']} " if function.get("name") else ""
            yield index, name + (function.get("arguments") or "")
    if isinstance(data.get("response"), str):  # Ollama
        yield 0, data["response"]
    elif isinstance(data.get("message"), dict):
        yield 0, data["message"].get("content") or ""
    elif data.get("type") == "response.output_text.delta":
        yield 0, data.get("delta") or ""
