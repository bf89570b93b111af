"""What an answer says of itself, in any API: why it ended, which tools it calls, its model, its words. Below ``drift``.

The objects of an answer are gone through once, and a fact is known by the name of its member, as ``finish_reason``,
``stop_reason`` and ``finishReason`` are. A call of a tool comes whole, or in pieces over the chunks of a stream, which
an index holds together:

=========================  =================================================  ======================================
API                        whole                                              in pieces
=========================  =================================================  ======================================
chats, Cohere, Ollama      ``tool_calls[].function``                          the same in ``delta``, by ``index``
Messages, Bedrock          a block ``tool_use``, or ``toolUse``               ``content_block_start``, then
                                                                              ``input_json_delta``, by ``index``
Responses                  an item ``function_call`` of the last event, or
                           of ``response.output_item.done``
Gemini                     ``functionCall``
=========================  =================================================  ======================================
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_FINISH = frozenset({"finish_reason", "stop_reason", "finishReason", "done_reason", "stopReason"})
_MODEL = ("model", "modelVersion", "model_version")
_WORDS = frozenset({"content", "response", "text"})
_DELTA = "response.output_text.delta"

_NOT_SAID = frozenset({"args", "arguments", "input", "logprobs", "tools"})
"""Members in which is what a tool is called with, what was asked, or the words once more."""

_DEEPEST = 60
_LONGEST = 1 << 20
"""Characters of arguments that are read as JSON."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool."""

    name: str
    arguments: Any
    """As a value of JSON; a text where they are none."""


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    yield from (each for each in (value if isinstance(value, list) else [value]) if isinstance(each, Mapping))


def _inside(value: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the members of a value, and of all that is in it but what says nothing of its own."""
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield name, each
            if name not in _NOT_SAID:
                yield from _inside(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            yield from _inside(each, depth + 1)


def finish_reasons(elements: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return why an answer ended, each reason once; none where it does not say."""
    found: dict[str, None] = {}
    for element in elements:
        for name, value in _inside(element):
            if name in _FINISH and isinstance(value, str) and value:
                found[value] = None
        whole = _whole_response(element)
        if whole is not None and isinstance(whole.get("status"), str):
            reason = _object(whole.get("incomplete_details")).get("reason")
            found[f"{whole['status']}: {reason}" if reason else whole["status"]] = None
    return tuple(sorted(found))


def _whole_response(element: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the whole answer of the Responses API, where this is it, or the event that ends a stream with it."""
    if element.get("object") == "response":
        return element
    if element.get("type") in ("response.completed", "response.incomplete", "response.failed"):
        return _object(element.get("response"))
    return None


def model(elements: Iterable[Mapping[str, Any]]) -> str:
    """Return which model an answer says that it is from, with its version; empty where it does not say."""
    for element in elements:
        for holder in (element, element.get("message"), element.get("response")):
            for name in _MODEL:
                value = _object(holder).get(name)
                if isinstance(value, str) and value:
                    return value
    return ""


# -- tools -------------------------------------------------------------------------------------------------------------


class _Calls:
    """The calls of tools that were seen so far."""

    def __init__(self) -> None:
        self._whole: list[ToolCall] = []
        self._pieces: dict[tuple[Any, ...], tuple[list[str], list[str]]] = {}
        """Of each call in pieces its name and its arguments."""

    def add(self, name: Any, arguments: Any) -> None:
        """Note a call that came whole."""
        if isinstance(name, str) and name:
            self._whole.append(ToolCall(name, _value(arguments)))

    def add_piece(self, key: tuple[Any, ...], name: Any, arguments: Any) -> None:
        """Note a piece of a call."""
        names, pieces = self._pieces.setdefault(key, ([], []))
        if isinstance(name, str) and name not in names:
            names.append(name)
        if isinstance(arguments, str):
            pieces.append(arguments)

    def all(self) -> tuple[ToolCall, ...]:
        """Return all calls, those in pieces joined."""
        joined = [ToolCall("".join(names), _value("".join(pieces))) for names, pieces in self._pieces.values() if names]
        return (*self._whole, *joined)


def _value(arguments: Any) -> Any:
    if not isinstance(arguments, str):
        return arguments
    if not arguments:
        return {}
    try:
        return json.loads(arguments[:_LONGEST])
    except (ValueError, RecursionError):
        return arguments


def tool_calls(elements: Sequence[Mapping[str, Any]]) -> tuple[ToolCall, ...]:
    """Return the tools that an answer calls, in the order in which they come."""
    calls = _Calls()
    ends = [whole for element in elements if (whole := _whole_response(element)) is not None]
    for element in elements:
        _of_choices(element, calls)
        _of_blocks(element, calls)
        _of_candidates(element, calls)
        if not ends and element.get("type") == "response.output_item.done":
            _of_item(_object(element.get("item")), calls)
    for whole in ends[-1:]:
        for item in _objects(whole.get("output")):
            _of_item(item, calls)
    return calls.all()


def _of_choices(element: Mapping[str, Any], calls: _Calls) -> None:
    for place, choice in enumerate(_objects(element.get("choices") or element)):
        number = choice.get("index", place)
        delta = _object(choice.get("delta"))
        for source in (delta, _object(delta.get("message"))):
            for at, call in enumerate(_objects(source.get("tool_calls"))):
                function = _object(call.get("function"))
                key = (number, call.get("index", at))
                calls.add_piece(key, function.get("name"), function.get("arguments"))
        legacy = _object(delta.get("function_call"))
        if legacy:
            calls.add_piece((number, "function_call"), legacy.get("name"), legacy.get("arguments"))
        message = _object(choice.get("message"))
        for call in (*_objects(message.get("tool_calls")), {"function": message.get("function_call")}):
            function = _object(call.get("function"))
            calls.add(function.get("name"), function.get("arguments"))


def _of_blocks(element: Mapping[str, Any], calls: _Calls) -> None:
    type_ = element.get("type")
    if type_ == "content_block_start":
        block = _object(element.get("content_block"))
        if block.get("type") in ("tool_use", "server_tool_use"):
            calls.add_piece(("block", element.get("index")), block.get("name"), None)
    elif type_ == "content_block_delta":
        delta = _object(element.get("delta"))
        if delta.get("type") == "input_json_delta":
            calls.add_piece(("block", element.get("index")), None, delta.get("partial_json"))
    else:
        message = _object(_object(element.get("output")).get("message"))
        for block in (*_objects(element.get("content")), *_objects(message.get("content"))):
            if block.get("type") in ("tool_use", "server_tool_use"):
                calls.add(block.get("name"), block.get("input"))
            use = _object(block.get("toolUse"))
            calls.add(use.get("name"), use.get("input"))


def _of_candidates(element: Mapping[str, Any], calls: _Calls) -> None:
    whole = _object(element.get("response")) if "candidates" not in element else element
    for candidate in _objects(whole.get("candidates")):
        for part in _objects(_object(candidate.get("content")).get("parts")):
            call = _object(part.get("functionCall"))
            calls.add(call.get("name"), call.get("args"))


def _of_item(item: Mapping[str, Any], calls: _Calls) -> None:
    if item.get("type") == "function_call":
        calls.add(item.get("name"), item.get("arguments"))
    elif item.get("type") == "custom_tool_call":
        calls.add(item.get("name"), str(item.get("input")))


# -- words -------------------------------------------------------------------------------------------------------------


def words(elements: Sequence[Mapping[str, Any]]) -> str:
    """Return the words of an answer, one piece after the other; empty where it has none."""
    pieces: list[str] = []
    is_told = any(element.get("type") == _DELTA for element in elements)
    for element in elements:
        type_ = element.get("type")
        if isinstance(type_, str) and type_.startswith("response."):
            # The other events of the Responses API say the same words once more.
            if type_ == _DELTA or (not is_told and _whole_response(element) is not None):
                delta = element.get("delta")
                pieces += [delta] if isinstance(delta, str) else _texts(element)
        else:
            pieces += _texts(element)
    return "".join(pieces)


def _texts(element: Mapping[str, Any]) -> list[str]:
    return [value for name, value in _inside(element) if name in _WORDS and isinstance(value, str)]


def vector(elements: Iterable[Mapping[str, Any]]) -> tuple[float, ...]:
    """Return the first vector of an answer that has any."""
    for element in elements:
        for name, value in _inside(element):
            is_list = name in ("embedding", "embeddings", "values", "float") and isinstance(value, list)
            if is_list and value and all(isinstance(each, int | float) for each in value):
                return tuple(map(float, value))
            first = value[0] if is_list and value else None
            if isinstance(first, list) and first and all(isinstance(each, int | float) for each in first):
                return tuple(map(float, first))
    return ()
