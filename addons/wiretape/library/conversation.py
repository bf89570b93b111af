"""What was said, in turns, whichever API it was said to: a request or an answer -> turns of parts. Sans-IO.

Each API writes a conversation in its own way; people read all of them alike. A turn has a role and parts, and a part is
a text, an image, what a model thought, a tool that it calls, what the tool gave, or something else, which is shown as
JSON. Nothing is left out: what has no known form is a part of the kind ``OTHER``.

    turns_of(recording.request)     the system's texts, then every message
    answer_of(recording)            what the model answered, the pieces of a stream put together

A recording is what somebody has written: any member may be of another type than its API has it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from wiretape.library import answer_pieces
from wiretape.library.loosely import list_of, object_of
from wiretape.providers import base
from wiretape.recording import JSON, RecordedRequest, Recording


class PartKind(StrEnum):
    """What a part of a turn is."""

    TEXT = "text"
    REASONING = "reasoning"
    """What a model thought and did not say."""
    REFUSAL = "refusal"
    IMAGE = "image"
    AUDIO = "audio"
    FILE = "file"
    TOOL_CALL = "tool call"
    TOOL_RESULT = "tool result"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a turn."""

    kind: PartKind
    text: str = ""
    """Its words; arguments of a tool, and what is no text, as JSON; of an image its URL, which may hold all of it."""
    name: str = ""
    """Of a tool."""
    id: str = ""
    """By which a tool's result names the call."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side says at a time."""

    role: str
    """``system``, ``developer``, ``user``, ``assistant``, ``tool``, or another that the request names."""
    parts: tuple[Part, ...]


def turns_of(request: RecordedRequest) -> list[Turn]:
    """Return what a request says, from its system's text on."""
    body = request.body
    turns = []
    for name in ("system", "instructions", "system_instruction", "systemInstruction"):
        if parts := _parts(body.get(name)):
            turns.append(Turn("system", parts))
    for name in ("messages", "contents", "input", "prompt", "query", "texts", "text"):
        said = body.get(name)
        if said is None:
            continue
        items = said if isinstance(said, list) and _are_turns(said) else [said]
        turns += _joined(_turn(item, _media_of(body, name)) for item in items)
        return turns
    return turns


def answer_of(recording: Recording) -> list[Turn]:
    """Return what was answered: a turn for each choice; of an error its message. Empty where nothing was said."""
    response = recording.response
    if response.error is not None:
        message = response.error.get("message") or response.error.get("body") or ""
        return [Turn("error", (Part(PartKind.TEXT, _text(message)),))]
    return turns_of_elements(base.of(recording.request).elements(response))


def turns_of_elements(elements: Sequence[Mapping[str, Any]]) -> list[Turn]:
    """Return what elements of an answer say together: a turn for each choice that says anything."""
    turns = [_turn(message, ()) for message in answer_pieces.messages(elements)]
    return [turn for turn in turns if turn.parts]


def tools_of(request: RecordedRequest) -> list[str]:
    """Return the names of the tools that a request offers, in order."""
    offered: list[Any] = []
    for each in list_of(request.body.get("tools")) or list_of(object_of(request.body.get("toolConfig")).get("tools")):
        tool = object_of(each)
        declared = tool.get("functionDeclarations") or tool.get("function_declarations")
        offered += declared if isinstance(declared, list) else [tool]
    return [name for each in offered if (name := _tool_name(object_of(each)))]


def _tool_name(tool: Mapping[str, Any]) -> str:
    inner = object_of(tool.get("function")) or object_of(tool.get("toolSpec")) or tool
    return _text(inner.get("name") or inner.get("type") or "")


# -- turns -------------------------------------------------------------------------------------------------------------


def _are_turns(items: Sequence[Any]) -> bool:
    """Return whether a list is of turns, rather than of numbers, or of texts that are one input each."""
    return any(isinstance(each, dict) for each in items)


def _media_of(body: Mapping[str, Any], name: str) -> tuple[Part, ...]:
    """Return the images that stand beside a prompt (Ollama)."""
    if name != "prompt":
        return ()
    return tuple(Part(PartKind.IMAGE, _text(each)) for each in list_of(body.get("images")))


def _turn(item: Any, more: tuple[Part, ...]) -> Turn:
    if not isinstance(item, dict):
        return Turn("user", (*_parts(item), *more))
    role = _text(item.get("role") or _role_of(item))
    if "role" not in item and item.get("type") not in (None, "message"):
        return Turn(role, _block(item))
    parts: list[Part] = []
    for name in ("thinking", "reasoning_content", "reasoning"):
        if isinstance(item.get(name), str) and item[name]:
            parts.append(Part(PartKind.REASONING, item[name]))
    content = item["content"] if "content" in item else item.get("parts")
    if role == "tool" and not _has_results(content):
        result = _plain(content)
        parts.append(
            Part(PartKind.TOOL_RESULT, result, _text(item.get("name") or item.get("tool_name") or ""), _id(item))
        )
    else:
        parts += _parts(content)
    if refusal := item.get("refusal"):
        parts.append(Part(PartKind.REFUSAL, _text(refusal)))
    parts += (Part(PartKind.IMAGE, _text(each)) for each in list_of(item.get("images")))
    parts += (
        part for each in list_of(item.get("tool_calls")) for part in _block({"type": "function", **object_of(each)})
    )
    if isinstance(item.get("function_call"), dict):
        parts += _block({"type": "function", "function": item["function_call"]})
    return Turn("assistant" if role == "model" else role, (*parts, *more))


def _role_of(item: Mapping[str, Any]) -> str:
    """Return whose an item is that names no role: one of the Responses API, or a text of Gemini's."""
    kind = _text(item.get("type") or "")
    if kind.endswith("_output"):
        return "tool"
    return "assistant" if kind.endswith("_call") or kind == "reasoning" else "user"


def _has_results(content: Any) -> bool:
    blocks = [object_of(each) for each in list_of(content)]
    return any(block.get("type") in _RESULTS or not block.keys().isdisjoint(_RESULT_MEMBERS) for block in blocks)


def _joined(turns: Iterable[Turn]) -> list[Turn]:
    """Return turns, those of one side that follow each other as one: the Responses API has an item for each part."""
    joined: list[Turn] = []
    for turn in turns:
        if joined and joined[-1].role == turn.role and turn.role in ("assistant", "tool"):
            joined[-1] = replace(turn, parts=(*joined[-1].parts, *turn.parts))
        else:
            joined.append(turn)
    return joined


# -- parts -------------------------------------------------------------------------------------------------------------


def _parts(content: Any) -> tuple[Part, ...]:
    match content:
        case None | "" | []:
            return ()
        case str():
            return (Part(PartKind.TEXT, content),)
        case list() if all(isinstance(each, str) for each in content):
            return tuple(Part(PartKind.TEXT, each) for each in content)
        case list() if any(isinstance(each, dict) for each in content):
            return tuple(
                part for each in content for part in (_block(each) if isinstance(each, dict) else _parts(each))
            )
        case {"parts": list() as parts}:
            return _parts(parts)
        case {"text": str() as text} if len(content) == 1:
            return (Part(PartKind.TEXT, text),)
    return (Part(PartKind.OTHER, _text(content)),)


_TEXTS = frozenset({"text", "input_text", "output_text", "summary_text"})

_CALLS = frozenset({"function", "function_call", "tool_use", "custom_tool_call", "server_tool_use", "mcp_call"})

_RESULTS = frozenset({"tool_result", "function_call_output", "custom_tool_call_output", "web_search_tool_result"})

_RESULT_MEMBERS = ("functionResponse", "function_response", "toolResult")
"""Members that hold what a tool gave (Gemini, Bedrock)."""

_MEDIA = {
    "image": PartKind.IMAGE,
    "image_url": PartKind.IMAGE,
    "input_image": PartKind.IMAGE,
    "input_audio": PartKind.AUDIO,
    "audio": PartKind.AUDIO,
    "document": PartKind.FILE,
    "file": PartKind.FILE,
    "input_file": PartKind.FILE,
}


def _block(block: Mapping[str, Any]) -> tuple[Part, ...]:
    """Return the parts that a block of a message's content is: one, but for a message within it."""
    kind = _text(block.get("type") or "")
    if kind in _TEXTS and isinstance(block.get("text"), str):
        return (Part(PartKind.TEXT, block["text"]),)
    if kind in ("thinking", "reasoning", "redacted_thinking"):
        return _thought(block)
    if kind == "refusal":
        return (Part(PartKind.REFUSAL, _text(block.get("refusal") or "")),)
    if kind in _CALLS:
        return (_call(block),)
    if kind in _RESULTS:
        return (_result(block),)
    if kind in _MEDIA:
        return (Part(_MEDIA[kind], _address(block)),)
    if kind == "message":
        return _turn(block, ()).parts
    return _untyped(block)


def _untyped(block: Mapping[str, Any]) -> tuple[Part, ...]:
    """Return the part of a block whose member tells what it is (Gemini, Bedrock)."""
    if isinstance(block.get("text"), str):
        kind = PartKind.REASONING if block.get("thought") is True else PartKind.TEXT
        return (Part(kind, block["text"]),)
    for name in ("functionCall", "function_call", "toolUse"):
        if isinstance(block.get(name), dict):
            return (_call(block[name]),)
    for name in _RESULT_MEMBERS:
        if isinstance(block.get(name), dict):
            return (_result(block[name]),)
    for name in ("inlineData", "inline_data", "fileData", "file_data", "image"):
        if isinstance(block.get(name), dict):
            return (Part(_medium(block[name]), _address(block[name])),)
    if isinstance(block.get("reasoningContent"), dict):
        return _thought(block["reasoningContent"].get("reasoningText") or block["reasoningContent"])
    return (Part(PartKind.OTHER, _text(dict(block))),)


def _thought(block: Any) -> tuple[Part, ...]:
    given = object_of(block)
    said = given.get("thinking") or given.get("text") or _plain(given.get("summary")) or _plain(given.get("content"))
    # What a provider has encrypted is of no interest to people.
    return (Part(PartKind.REASONING, _text(said)),) if said else (Part(PartKind.REASONING, "(encrypted)"),)


def _call(block: Mapping[str, Any]) -> Part:
    inner = object_of(block.get("function")) or block
    given: Any = next((inner[name] for name in ("arguments", "args", "input") if inner.get(name) is not None), {})
    return Part(PartKind.TOOL_CALL, _arguments(given), _text(inner.get("name") or ""), _id(block))


def _arguments(given: Any) -> str:
    """Return the arguments of a tool as JSON with line breaks, where they are JSON."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            return str(given)
    return json.dumps(given, indent=2, ensure_ascii=False)


def _result(block: Mapping[str, Any]) -> Part:
    given: Any = next((block[name] for name in ("content", "output", "response") if block.get(name) is not None), "")
    return Part(PartKind.TOOL_RESULT, _plain(given), _text(block.get("name") or ""), _id(block))


def _id(block: Mapping[str, Any]) -> str:
    for name in ("tool_call_id", "call_id", "tool_use_id", "toolUseId", "id"):
        if isinstance(block.get(name), str):
            return str(block[name])
    return ""


def _medium(data: Mapping[str, Any]) -> PartKind:
    kind = _text(data.get("mimeType") or data.get("mime_type") or "image/")
    if kind.startswith("audio/"):
        return PartKind.AUDIO
    return PartKind.IMAGE if kind.startswith("image/") else PartKind.FILE


def _address(block: Mapping[str, Any]) -> str:
    """Return the URL of what is no text: a data URL where the request holds it, else its name or id."""
    for name in ("image_url", "input_audio", "source", "file", "document", "image"):
        inner = block.get(name)
        if isinstance(inner, str):
            return inner
        if isinstance(inner, dict):
            return _address(inner)
    for name in ("url", "fileUri", "file_uri", "file_id", "file_data", "filename", "title"):
        if isinstance(block.get(name), str):
            return str(block[name])
    data = block.get("data") or block.get("bytes")
    kind = block.get("media_type") or block.get("mimeType") or block.get("mime_type") or block.get("format") or ""
    return f"data:{kind};base64,{data}" if isinstance(data, str) else _text(dict(block))


def _plain(content: Any) -> str:
    """Return what a tool gave, or a model thought, as a text."""
    if isinstance(content, list):
        return "\n".join(_plain(each) for each in content)
    if isinstance(content, dict) and isinstance(content.get("text"), str):
        return str(content["text"])
    return _text(content)


def _text(value: JSON) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


def words(turn: Turn) -> Iterator[str]:
    """Yield the texts of a turn that are said, and not thought."""
    return (part.text for part in turn.parts if part.kind is PartKind.TEXT)
