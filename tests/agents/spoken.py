"""A model's turn in the words of OpenAI (chat and responses), Anthropic and Google, streamed or whole.

Ids are random, as a provider's are. Texts and arguments come in several deltas, a word each.
"""

import json
import re
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.task import Call, Tool, next_turn, value

Object = Mapping[str, Any]

_TOKENS = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


@dataclass(frozen=True)
class Reply:
    """What goes out: a status, a type, and the body in pieces."""

    status: int
    kind: str
    pieces: tuple[bytes, ...]


def whole(body: Any, status: int = 200) -> Reply:
    """Return a reply that is one JSON text."""
    return Reply(status, "application/json", (json.dumps(body).encode(),))


def chat(body: Object) -> Reply:
    """Answer ``/v1/chat/completions``."""
    messages = body["messages"]
    tools = [Tool(each["function"]["name"], each["function"].get("parameters", {})) for each in body.get("tools", [])]
    done = sum(each["role"] == "tool" for each in messages)
    turn = _wanted(body.get("response_format", {}).get("json_schema", {})) or next_turn(done, tools, json.dumps(body))
    head = {"id": _id("chatcmpl-"), "created": int(time.time()), "model": body["model"]}
    reason = "tool_calls" if isinstance(turn, Call) else "stop"
    message: dict[str, Any] = {"role": "assistant", "content": turn if isinstance(turn, str) else None}
    if isinstance(turn, Call):
        function = {"name": turn.name, "arguments": turn.json}
        message["tool_calls"] = [{"id": _id("call_"), "type": "function", "function": function}]
    if not body.get("stream"):
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}
        return whole({**head, "object": "chat.completion", "choices": [choice], "usage": _TOKENS})

    def chunk(delta: Object, reason: str | None = None) -> Object:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return {**head, "object": "chat.completion.chunk", "choices": [choice]}

    events = [chunk({"role": "assistant", "content": "" if isinstance(turn, str) else None})]
    if isinstance(turn, Call):
        call = message["tool_calls"][0]
        started = {"index": 0, **call, "function": {"name": turn.name, "arguments": ""}}
        events.append(chunk({"tool_calls": [started]}))
        parts = [{"index": 0, "function": {"arguments": each}} for each in _words(turn.json)]
        events += [chunk({"tool_calls": [each]}) for each in parts]
    else:
        events += [chunk({"content": each}) for each in _words(turn)]
    events.append(chunk({}, reason))
    if body.get("stream_options", {}).get("include_usage"):
        events.append({**head, "object": "chat.completion.chunk", "choices": [], "usage": _TOKENS})
    return _events(events, end=b"data: [DONE]\n\n")


def responses(body: Object) -> Reply:
    """Answer ``/v1/responses``."""
    given = body.get("input", [])
    said = [given] if isinstance(given, str) else given
    tools = [Tool(each["name"], each.get("parameters", {})) for each in _offered(body, said)]
    done = sum(str(each.get("type", "")).endswith("_output") for each in said if isinstance(each, dict))
    turn = _wanted(body.get("text", {}).get("format", {})) or next_turn(done, tools, json.dumps(body))
    item = _item(turn)
    tokens = {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    begun = {
        **{"id": _id("resp_"), "object": "response", "created_at": int(time.time()), "status": "in_progress"},
        **{"model": body.get("model"), "output": [], "error": None, "incomplete_details": None, "metadata": {}},
        **{"instructions": body.get("instructions"), "parallel_tool_calls": True, "temperature": 1.0, "top_p": 1.0},
        **{"tool_choice": "auto", "tools": body.get("tools", []), "usage": None},
    }
    finished = begun | {"status": "completed", "output": [item], "usage": tokens | details}
    if not body.get("stream"):
        return whole(finished)
    events = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        *_item_events(item),
        {"type": "response.completed", "response": finished},
    ]
    return _events([{**each, "sequence_number": number} for number, each in enumerate(events)], named=True)


def _offered(body: Object, said: Iterable[Any]) -> list[Object]:
    """Return the tools of a request to ``/v1/responses``: Codex puts them into an item, in a namespace."""
    tools = [*body.get("tools", [])]
    for each in said:
        if isinstance(each, dict) and each.get("type") == "additional_tools":
            tools += each["tools"]
    inner = [tool for each in tools if each.get("type") == "namespace" for tool in each["tools"]]
    return [each for each in (*tools, *inner) if each.get("type") in ("function", "custom")]


def _item(turn: Call | str) -> dict[str, Any]:
    if isinstance(turn, str):
        part = {"type": "output_text", "text": turn, "annotations": [], "logprobs": []}
        return {
            **{"type": "message", "id": _id("msg_"), "role": "assistant", "status": "completed"},
            "content": [part],
        }
    called = {"call_id": _id("call_"), "name": turn.name, "status": "completed"}
    if turn.script is not None:
        return {"type": "custom_tool_call", "id": _id("ctc_"), **called, "input": turn.script}
    return {"type": "function_call", "id": _id("fc_"), **called, "arguments": turn.json}


def _item_events(item: Object) -> list[Object]:
    at = {"output_index": 0, "item_id": item["id"]}
    done = {"type": "response.output_item.done", "output_index": 0, "item": item}
    added = {"type": "response.output_item.added", "output_index": 0}
    match item["type"]:
        case "function_call":
            kind = "response.function_call_arguments"
            name = "arguments"
        case "custom_tool_call":
            kind = "response.custom_tool_call_input"
            name = "input"
        case _:
            part = item["content"][0]
            at["content_index"] = 0
            return [
                {**added, "item": {**item, "content": [], "status": "in_progress"}},
                {"type": "response.content_part.added", **at, "part": {**part, "text": ""}},
                *({"type": "response.output_text.delta", **at, "delta": each} for each in _words(part["text"])),
                {"type": "response.output_text.done", **at, "text": part["text"], "logprobs": []},
                {"type": "response.content_part.done", **at, "part": part},
                done,
            ]
    return [
        {**added, "item": {**item, name: "", "status": "in_progress"}},
        *({"type": f"{kind}.delta", **at, "delta": each} for each in _words(item[name])),
        {"type": f"{kind}.done", **at, name: item[name]},
        done,
    ]


def anthropic(body: Object) -> Reply:
    """Answer ``/v1/messages``."""
    tools = [Tool(each["name"], each.get("input_schema", {})) for each in body.get("tools", [])]
    parts = [part for each in body["messages"] if isinstance(each["content"], list) for part in each["content"]]
    done = sum(each.get("type") == "tool_result" for each in parts)
    turn = _wanted(body.get("output_config", {}).get("format", {})) or next_turn(done, tools, json.dumps(body))
    tokens = {"input_tokens": 11, "output_tokens": 7, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    if isinstance(turn, Call):
        block = {"type": "tool_use", "id": _id("toolu_"), "name": turn.name, "input": turn.arguments}
        started = {**block, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": each} for each in _words(turn.json)]
        reason = "tool_use"
    else:
        block = {"type": "text", "text": turn}
        started = {**block, "text": ""}
        deltas = [{"type": "text_delta", "text": each} for each in _words(turn)]
        reason = "end_turn"
    message = {
        **{"id": _id("msg_"), "type": "message", "role": "assistant", "model": body["model"], "content": [block]},
        **{"stop_reason": reason, "stop_sequence": None, "usage": tokens},
    }
    if not body.get("stream"):
        return whole(message)
    end = {"stop_reason": reason, "stop_sequence": None}
    return _events(
        [
            {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}},
            {"type": "ping"},
            {"type": "content_block_start", "index": 0, "content_block": started},
            *({"type": "content_block_delta", "index": 0, "delta": each} for each in deltas),
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": end, "usage": tokens},
            {"type": "message_stop"},
        ],
        named=True,
    )


def gemini(path: str, body: Object) -> Reply:
    """Answer a model's method of the Gemini API. Calls have no id, as those of most models."""
    method = path.rpartition(":")[2]
    if method == "countTokens":
        return whole({"totalTokens": 11})
    declared = [each for tool in body.get("tools", []) for each in tool.get("functionDeclarations", [])]
    tools = [Tool(each["name"], _parameters(each)) for each in declared]
    done = sum("functionResponse" in part for each in body["contents"] for part in each.get("parts", []))
    form = body.get("generationConfig", {})
    schema = form.get("responseJsonSchema") or form.get("responseSchema")
    turn = _wanted({"schema": schema} if schema else {}) or next_turn(done, tools, json.dumps(body))
    parts: Sequence[Object]
    if isinstance(turn, Call):
        parts = [{"functionCall": {"name": turn.name, "args": turn.arguments}}]
    else:
        parts = [{"text": each} for each in _words(turn)]
    model = path.partition("/models/")[2].partition(":")[0]
    response = _id("")
    tokens = {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18}

    def candidate(parts: Sequence[Object], *, last: bool) -> Object:
        end = {"finishReason": "STOP"} if last else {}
        content = {"content": {"role": "model", "parts": parts}, "index": 0, **end}
        return {"candidates": [content], "usageMetadata": tokens, "modelVersion": model, "responseId": response}

    if method == "generateContent":
        joined = [{"text": turn}] if isinstance(turn, str) else parts
        return whole(candidate(joined, last=True))
    return _events([candidate([part], last=part is parts[-1]) for part in parts])


def _parameters(declared: Object) -> Object:
    """Return the schema of a function's arguments: of three members one has it, and clients differ in which."""
    for name in ("parametersJsonSchema", "parameters_json_schema", "parameters"):
        if name in declared:
            schema: Object = declared[name]
            return schema
    return {}


def _wanted(form: Object) -> str | None:
    """Return a text that fits the JSON schema that an answer is to have, or None where there is none."""
    schema = form.get("schema")
    return json.dumps(value(schema)) if schema else None


def _words(text: str) -> list[str]:
    return re.findall(r"\S+\s*|\s+", text)


def _id(prefix: str) -> str:
    return prefix + uuid.uuid4().hex[:24]


def _events(events: Iterable[Object], *, named: bool = False, end: bytes = b"") -> Reply:
    pieces = []
    for each in events:
        name = f"event: {each['type']}\n" if named else ""
        pieces.append(f"{name}data: {json.dumps(each)}\n\n".encode())
    return Reply(200, "text/event-stream; charset=utf-8", (*pieces, end) if end else tuple(pieces))
