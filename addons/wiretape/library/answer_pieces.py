"""The pieces of an answer, put together: elements of a stream -> messages as a request would have them. Sans-IO.

Providers stream an answer in pieces, each in a form of its own. What comes out has the form in which the same API has
the whole message, so whoever reads messages of requests reads these too. The form is told by the elements themselves:

    {"choices": [{"delta": ...}]}                     OpenAI's chat, and all that speak it; its completions have a text
    {"type": "response.completed", "response": ...}   OpenAI's Responses: the last event has it whole
    {"type": "content_block_delta", ...}              Anthropic
    {"candidates": [{"content": ...}]}                Gemini
    {"message": {...}, "done": ...}                   Ollama; of ``generate`` a ``response``
    {"contentBlockDelta": ...}                        Bedrock's Converse
    {"type": "content-delta", "delta": ...}           Cohere

An answer in one piece is a stream of one element. Of what is none of these, nothing comes out.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from wiretape.library.loosely import list_of, object_of

type _Element = Mapping[str, Any]


def messages(elements: Sequence[_Element]) -> list[dict[str, Any]]:
    """Return the messages of an answer: one for each choice."""
    for has, read in _FORMS:
        if any(map(has, elements)):
            return [_grown(message) for message in read(elements)]
    return []


# -- texts that grow ---------------------------------------------------------------------------------------------------


class _Growing:
    """A text of which a piece has come, and more may: joining each to those before would copy the text each time."""

    def __init__(self, *pieces: str) -> None:
        self.pieces = [*pieces]


class _Calls(dict[int, dict[str, Any]]):
    """The calls of tools of a message, by their numbers."""


def _grow(holder: dict[str, Any], name: str, piece: str) -> None:
    """Add a piece to the text of a member, whatever else stands there."""
    former = holder.get(name)
    if isinstance(former, _Growing):
        former.pieces.append(piece)
    else:
        holder[name] = _Growing(former if isinstance(former, str) else "", piece)


def _grown(value: Any) -> Any:
    """Return a value in which all texts are whole."""
    match value:
        case _Growing():
            return "".join(value.pieces)
        case _Calls():
            return [_grown(call) for call in value.values()]
        case dict():
            return {name: _grown(each) for name, each in value.items()}
        case list():
            return [_grown(each) for each in value]
    return value


# -- OpenAI ------------------------------------------------------------------------------------------------------------


def _choices(elements: Sequence[_Element]) -> list[dict[str, Any]]:
    made: dict[int, dict[str, Any]] = {}
    for element in elements:
        for number, choice in enumerate(list_of(element.get("choices"))):
            given = object_of(choice)
            index = given["index"] if isinstance(given.get("index"), int) else number
            message = made.setdefault(index, {"role": "assistant"})
            said = object_of(given.get("delta")) or object_of(given.get("message"))
            _add(message, said or {"content": given.get("text")})
    return [made[index] for index in sorted(made)]


def _add(message: dict[str, Any], delta: _Element) -> None:
    for name, value in delta.items():
        if name == "tool_calls":
            _add_calls(message.setdefault(name, _Calls()), list_of(value))
        elif isinstance(value, str) and name != "role" and isinstance(message.get(name), str | _Growing):
            _grow(message, name, value)
        elif value is not None and value != "":
            message[name] = value


def _add_calls(calls: _Calls, deltas: Iterable[Any]) -> None:
    for number, each in enumerate(deltas):
        delta = object_of(each)
        index = delta["index"] if isinstance(delta.get("index"), int) else number
        call = calls.setdefault(index, {"index": index, "function": {"name": "", "arguments": ""}})
        if delta.get("id"):
            call["id"] = delta["id"]
        function = object_of(delta.get("function"))
        call["function"]["name"] = function.get("name") or call["function"]["name"]
        arguments = function.get("arguments")
        if isinstance(arguments, str) and isinstance(call["function"]["arguments"], str | _Growing):
            _grow(call["function"], "arguments", arguments)
        elif arguments is not None:
            call["function"]["arguments"] = arguments


def _responses(elements: Sequence[_Element]) -> list[dict[str, Any]]:
    for element in reversed(elements):
        whole = object_of(element.get("response")) or element
        if list_of(whole.get("output")):
            return [{"role": "assistant", "content": whole["output"]}]
    # A stream that broke off has the items that were whole by then, and the words of the one under way.
    items = [each.get("item") for each in elements if each.get("type") == "response.output_item.done"]
    words = "".join(str(each.get("delta")) for each in elements if each.get("type") == "response.output_text.delta")
    return [{"role": "assistant", "content": items or words}]


# -- Anthropic ---------------------------------------------------------------------------------------------------------

_TEXT_DELTAS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}

_BEGINS = {"text": {"type": "text"}, "thinking": {"type": "thinking"}, "partial_json": {"type": "tool_use"}}
"""What a block is of which only a later piece is known."""


def _anthropic(elements: Sequence[_Element]) -> list[dict[str, Any]]:
    blocks: dict[int, dict[str, Any]] = {}
    for element in elements:
        if element.get("type") == "message":
            return [dict(element)]
        index = element.get("index")
        if not isinstance(index, int):
            continue
        if element.get("type") == "content_block_start":
            blocks[index] = dict(object_of(element.get("content_block")))
        delta = object_of(element.get("delta"))
        name = _TEXT_DELTAS.get(str(delta.get("type")))
        if name and isinstance(delta.get(name), str):
            _grow(
                blocks.setdefault(index, dict(_BEGINS[name])), "input" if name == "partial_json" else name, delta[name]
            )
    return [{"role": "assistant", "content": [blocks[index] for index in sorted(blocks)]}]


# -- Gemini ------------------------------------------------------------------------------------------------------------


def _gemini(elements: Sequence[_Element]) -> list[dict[str, Any]]:
    made: dict[int, list[dict[str, Any]]] = {}
    for element in elements:
        for number, candidate in enumerate(list_of(element.get("candidates"))):
            given = object_of(candidate)
            index = given["index"] if isinstance(given.get("index"), int) else number
            parts = made.setdefault(index, [])
            for part in map(object_of, list_of(object_of(given.get("content")).get("parts"))):
                _add_part(parts, part)
    return [{"role": "model", "parts": made[index]} for index in sorted(made)]


def _add_part(parts: list[dict[str, Any]], part: _Element) -> None:
    is_text = isinstance(part.get("text"), str)
    last = parts[-1] if parts else {}
    if is_text and isinstance(last.get("text"), str | _Growing) and last.get("thought") == part.get("thought"):
        _grow(last, "text", part["text"])
    else:
        parts.append(dict(part))


# -- Ollama ------------------------------------------------------------------------------------------------------------


def _ollama(elements: Sequence[_Element]) -> list[dict[str, Any]]:
    message: dict[str, Any] = {"role": "assistant"}
    for element in elements:
        given = object_of(element.get("message")) or {
            "content": element.get("response"),
            "thinking": element.get("thinking"),
        }
        for name in ("content", "thinking"):
            if isinstance(given.get(name), str):
                _grow(message, name, given[name])
        if calls := list_of(given.get("tool_calls")):
            message.setdefault("tool_calls", []).extend(calls)
    return [message]


# -- Cohere ------------------------------------------------------------------------------------------------------------


def _cohere(elements: Sequence[_Element]) -> list[dict[str, Any]]:
    message: dict[str, Any] = {"role": "assistant"}
    for element in elements:
        if whole := object_of(element.get("message")):
            return [dict(whole)]
        delta = object_of(object_of(element.get("delta")).get("message"))
        said = object_of(delta.get("content"))
        for name, kept in (("text", "content"), ("thinking", "thinking")):
            if isinstance(said.get(name), str):
                _grow(message, kept, said[name])
        if call := object_of(delta.get("tool_calls")):
            _add_calls(message.setdefault("tool_calls", _Calls()), [{**call, "index": element.get("index")}])
    return [message]


def _is_coheres(element: _Element) -> bool:
    is_whole = isinstance(object_of(element.get("message")).get("content"), list)
    return is_whole or element.get("type") in ("content-delta", "tool-call-start", "tool-call-delta")


# -- Bedrock -----------------------------------------------------------------------------------------------------------


def _bedrock(elements: Sequence[_Element]) -> list[dict[str, Any]]:
    blocks: dict[int, dict[str, Any]] = {}
    for element in elements:
        if message := object_of(object_of(element.get("output")).get("message")):
            return [dict(message)]
        started = object_of(element.get("contentBlockStart"))
        if tool := object_of(object_of(started.get("start")).get("toolUse")):
            blocks[_index(started)] = {"toolUse": {**tool, "input": ""}}
        event = object_of(element.get("contentBlockDelta"))
        delta = object_of(event.get("delta"))
        if isinstance(delta.get("text"), str):
            block = blocks.setdefault(_index(event), {"text": ""})
            _grow(block, "text", delta["text"])
        elif isinstance(object_of(delta.get("toolUse")).get("input"), str):
            block = blocks.setdefault(_index(event), {"toolUse": {"input": ""}})
            _grow(block.setdefault("toolUse", {}), "input", delta["toolUse"]["input"])
        elif isinstance(object_of(delta.get("reasoningContent")).get("text"), str):
            block = blocks.setdefault(_index(event), {"reasoningContent": {"text": ""}})
            _grow(block.setdefault("reasoningContent", {}), "text", delta["reasoningContent"]["text"])
    return [{"role": "assistant", "content": [blocks[index] for index in sorted(blocks)]}]


def _index(event: _Element) -> int:
    index = event.get("contentBlockIndex")
    return index if isinstance(index, int) else 0


def _is_bedrocks(element: _Element) -> bool:
    is_whole = isinstance(object_of(element.get("output")).get("message"), dict)
    return is_whole or "contentBlockDelta" in element or "contentBlockStart" in element


def _is_anthropics(element: _Element) -> bool:
    is_whole = element.get("type") == "message" and isinstance(element.get("content"), list)
    return is_whole or str(element.get("type")).startswith("content_block_")


def _is_responses(element: _Element) -> bool:
    return str(element.get("type")).startswith("response.") or (isinstance(element.get("output"), list))


def _is_ollamas(element: _Element) -> bool:
    return isinstance(element.get("message"), dict) or isinstance(element.get("response"), str)


_FORMS: Sequence[tuple[Callable[[_Element], bool], Callable[[Sequence[_Element]], list[dict[str, Any]]]]] = (
    (lambda element: isinstance(element.get("choices"), list), _choices),
    (_is_responses, _responses),
    (_is_anthropics, _anthropic),
    (lambda element: isinstance(element.get("candidates"), list), _gemini),
    (_is_bedrocks, _bedrock),
    (_is_coheres, _cohere),
    (_is_ollamas, _ollama),
)
"""How an element tells its form, and who reads that form."""
