"""How providers say it: events to SSE or NDJSON, and a recording back to what its provider sent.

The way from a recording to the wire is written here a second time on purpose: the tests judge wiretape's own code.
"""

import ast
import base64
import json
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from loopback.answers import Answer, Coding, Framing, Received, Step, realistic_headers

Recorded = Path | str | Mapping[str, Any]

# What each class declares, in the order in which providers send it. A name with "?" is left out when it is null: the
# SDK's class fills it in again. The others stay, as real providers send `finish_reason: null`. A field that is not
# declared stays as it is, behind the others.
_USAGE = "prompt_tokens completion_tokens total_tokens prompt_tokens_details? completion_tokens_details?"
_TOP = "id object created model service_tier? system_fingerprint? choices usage?"
_MESSAGE = "role? content? refusal? annotations? audio? function_call? tool_calls?"
_LOGPROB = "token logprob bytes? top_logprobs"
_LEVELS = {
    "Completion": "id object created model system_fingerprint? choices usage?",
    "Completion.choices": "text index logprobs finish_reason",
    "Completion.choices.logprobs": "tokens? token_logprobs? top_logprobs? text_offset?",
    "ChatCompletionChunk": _TOP,
    "ChatCompletionChunk.choices": "index delta logprobs finish_reason",
    "ChatCompletionChunk.choices.delta": "role? content? refusal? function_call? tool_calls?",
    "ChatCompletionChunk.choices.delta.function_call": "name? arguments?",
    "ChatCompletionChunk.choices.delta.tool_calls": "index id? type? function?",
    "ChatCompletionChunk.choices.delta.tool_calls.function": "name? arguments?",
    "ChatCompletion": _TOP,
    "ChatCompletion.choices": "index message logprobs finish_reason",
    "ChatCompletion.choices.message": _MESSAGE,
    "ChatCompletion.choices.message.tool_calls": "id type function",
    "ChatCompletion.choices.message.tool_calls.function": "name arguments",
    "CreateEmbeddingResponse": "object data model usage",
    "CreateEmbeddingResponse.data": "object index embedding",
    "CreateEmbeddingResponse.usage": "prompt_tokens total_tokens",
    "Model": "id object created owned_by",
}
for _name in ("Completion", "ChatCompletionChunk", "ChatCompletion"):
    _LEVELS[f"{_name}.usage"] = _USAGE
    _LEVELS[f"{_name}.usage.prompt_tokens_details"] = "cached_tokens? audio_tokens?"
    _LEVELS[f"{_name}.usage.completion_tokens_details"] = (
        "reasoning_tokens? audio_tokens? accepted_prediction_tokens? rejected_prediction_tokens?"
    )
for _name in ("ChatCompletionChunk", "ChatCompletion"):
    _LEVELS[f"{_name}.choices.logprobs"] = "content? refusal?"
    for _list in ("content", "refusal"):
        _LEVELS[f"{_name}.choices.logprobs.{_list}"] = _LOGPROB
        _LEVELS[f"{_name}.choices.logprobs.{_list}.top_logprobs"] = "token logprob bytes?"

_OLLAMA = (
    "model? created_at? status? digest? total? completed? response? message? thinking? done? done_reason? context? "
    "embeddings? models? total_duration? load_duration? prompt_eval_count? prompt_eval_duration? "
    "eval_count? eval_duration?"
)
_OLLAMA_MESSAGE = "role content? thinking? images? tool_name? tool_calls?"


def sse(events: Iterable[dict[str, Any] | bytes | str], *, done: bool = True, newline: bytes = b"\n") -> list[bytes]:
    """One SSE event for each: a dict as compact JSON, text as data, bytes as they are; then ``[DONE]``."""
    steps = [event if isinstance(event, bytes) else _event(event, newline) for event in events]
    return [*steps, _event("[DONE]", newline)] if done else steps


def ndjson(events: Iterable[dict[str, Any]]) -> list[bytes]:
    """One line of compact JSON for each event: how Ollama's native endpoints stream."""
    return [compact(event) + b"\n" for event in events]


def json_answer(
    obj: Any,
    status: int = 200,
    *,
    headers: Sequence[tuple[str, str]] = (),
    coding: Coding | None = None,
    framing: Framing = "length",
) -> Answer:
    """One JSON body; ``headers`` come after the usual ones."""
    usual = realistic_headers("application/json; charset=utf-8")
    return Answer(status, (*usual, *headers), [compact(obj)], coding, framing)


def error_answer(
    status: int,
    message: str,
    *,
    type: str = "invalid_request_error",
    code: str | None = None,
    param: str | None = None,
    headers: Sequence[tuple[str, str]] = (),
) -> Answer:
    """An error in OpenAI's form."""
    error = {"message": message, "type": type, "param": param, "code": code}
    return json_answer({"error": error}, status, headers=headers)


def from_recording(source: Recorded, *, coding: Coding | None = None, framing: Framing | None = None) -> Answer:
    """The answer that the real provider sent, byte for byte as a provider would write it.

    Streamed: one event a chunk, then ``[DONE]`` (Ollama: lines, and no ``[DONE]``). Not streamed: one JSON body.
    Embeddings for which the caller asked no form go out as base64 float32, because the SDK asked for that.
    """
    recording = load(source)
    response = recording["response"]
    if response.get("is_exception"):
        return _recorded_error(response["exception_data"], coding, framing)
    body, streamed = response["body"], response["is_streaming"]
    if streamed and all(isinstance(line, str) for line in body):
        lines = "\n".join(body).encode().rstrip(b"\n") + b"\n\n"
        raw: list[Step] = [part + b"\n\n" for part in lines.split(b"\n\n") if part]
        return Answer(response.get("status", 200), steps=raw, coding=coding, framing=framing or "chunked")
    if "status" in response:
        return json_answer(body, response["status"], coding=coding, framing=framing or "length")
    if not streamed:
        whole = _whole(recording["request"], body)
        return json_answer(whole, coding=coding, framing=framing or "length")
    chunks = [said(element) for element in body]
    native = bool(body) and body[0]["__type__"].startswith("ollama.")
    return Answer(
        headers=realistic_headers("application/x-ndjson" if native else "text/event-stream; charset=utf-8"),
        steps=list(ndjson(chunks) if native else sse(chunks)),
        coding=coding,
        framing=framing or "chunked",
    )


def by_request(*sources: Recorded) -> Callable[[Received], Answer]:
    """For ``Provider.on``: each recorded request gets its recorded answer, any other an error 400."""
    recordings = [load(source) for source in sources]

    def answer(received: Received) -> Answer:
        sent = received.json() if received.body else {}
        for recording in recordings:
            if wire_path(recording) == urlsplit(received.path).path and wire_body(recording) == sent:
                return from_recording(recording)
        return error_answer(400, f"no recording for {received.path}: {sent!r}")

    return answer


def wire_path(source: Recorded) -> str:
    """The path on the wire: the recorded url has ``/v1`` twice, the wire once."""
    request = load(source)["request"]
    return urlsplit(str(request["url"])).path.replace("/v1/v1/", "/v1/", 1)


def wire_body(source: Recorded) -> dict[str, Any]:
    """The JSON body on the wire: ``extra_body`` merged in."""
    body = dict(load(source)["request"]["body"])
    extra: dict[str, Any] = body.pop("extra_body", {})
    return body | extra


def load(source: Recorded) -> Mapping[str, Any]:
    """A recording given as a file or as its content."""
    if isinstance(source, Mapping):
        return source
    recording: Mapping[str, Any] = json.loads(Path(source).read_text(encoding="utf-8"))
    return recording


def said(element: Mapping[str, Any]) -> dict[str, Any]:
    """The object of one recorded element as its provider sent it."""
    module, _, name = element["__type__"].rpartition(".")
    data: dict[str, Any] = element["__data__"]
    if not module.startswith("ollama."):
        return _level(data, name, _LEVELS)
    return _level(data, "top", {"top": _OLLAMA, "top.message": _OLLAMA_MESSAGE})


def compact(obj: Any) -> bytes:
    """JSON as providers write it: no spaces, UTF-8 not escaped."""
    return json.dumps(obj, separators=(",", ":"), ensure_ascii=False).encode()


def _event(data: dict[str, Any] | str, newline: bytes) -> bytes:
    text = data.encode() if isinstance(data, str) else compact(data)
    return b"".join(b"data: " + line + newline for line in text.split(b"\n")) + newline


def _level(data: dict[str, Any], path: str, levels: Mapping[str, str]) -> dict[str, Any]:
    declared = levels[path].split()
    null_left_out = {name[:-1] for name in declared if name.endswith("?")}
    order = {name.rstrip("?"): i for i, name in enumerate(declared)}
    said: dict[str, Any] = {}
    for key in sorted(data, key=lambda name: order.get(name, len(order))):
        value, inner = data[key], f"{path}.{key}"
        if value is None and key in null_left_out:
            continue
        if key in order and inner in levels:
            if isinstance(value, dict):
                value = _level(value, inner, levels)
            elif isinstance(value, list):
                value = [_level(item, inner, levels) if isinstance(item, dict) else item for item in value]
        said[key] = value
    return said


def _whole(request: Mapping[str, Any], body: Any) -> Any:
    if isinstance(body, list):
        return {"object": "list", "data": [said(element) for element in body]}
    obj = said(body)
    if body["__type__"].endswith("CreateEmbeddingResponse") and request["body"].get("encoding_format") != "float":
        for item in obj["data"]:
            numbers = item["embedding"]
            # Numbers that no float32 has were sent as numbers: Together does not heed the form that the SDK asks for.
            if isinstance(numbers, list) and all(struct.unpack("<f", struct.pack("<f", n)) == (n,) for n in numbers):
                item["embedding"] = base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
    return obj


def _recorded_error(error: Mapping[str, Any], coding: Coding | None, framing: Framing | None) -> Answer:
    # The message ends with the repr of the whole answer; `body` is only its inner object.
    _, _, shown = error["message"].partition(" - ")
    try:
        answer = ast.literal_eval(shown)
    except (ValueError, SyntaxError):
        answer = {"error": error["body"]}
    return json_answer(answer, error["status_code"], coding=coding, framing=framing or "length")
