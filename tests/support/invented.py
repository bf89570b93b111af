"""A small corpus of our own: requests and answers that nobody has sent, and what is recorded of them in both forms.

    .venv/bin/python tests/support/invented.py

writes ``tests/data/recordings/<form>/<name>.json`` anew: after a change of the format, and with a look at what changed.
Tests read the files. They are there in every clone, which the recordings of the public are not.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from builders import TABLE
from places import INVENTED
from wiretape.matching import request
from wiretape.policy import FORMS
from wiretape.providers import wire
from wiretape.recording import Recording, dumps, make

TEST = "tests/test_planets.py::test_rings"
ASKED = "Which planet has rings?"


@dataclass(frozen=True)
class Exchange:
    """A request as it is sent, and the answer as it comes."""

    url: str
    asks: Mapping[str, Any] | None
    """The body; None for a GET."""
    pieces: Sequence[str | bytes]
    content_type: str = "application/json"
    status: int = 200

    @property
    def arrived(self) -> wire.LiveResponse:
        """The answer."""
        pieces = [piece if isinstance(piece, bytes) else piece.encode() for piece in self.pieces]
        at = tuple(number / 8 for number in range(len(pieces)))
        return wire.LiveResponse(self.status, (("content-type", self.content_type),), tuple(pieces), at, True)

    def recorded(self, form: str) -> Recording:
        """Return what is recorded of it."""
        host, _, path = self.url.partition("://")[2].partition("/")
        name, _, port = host.partition(":")
        scheme = self.url.partition(":")[0]
        number = int(port) if port else {"https": 443, "http": 80}[scheme]
        method = "GET" if self.asks is None else "POST"
        found = TABLE.route(method, scheme, name, number, f"/{path}")
        assert found, self.url
        body = b"" if self.asks is None else json.dumps(self.asks).encode()
        asked = request.recorded(found, body, "application/json", TEST if form == "2026" else None)
        return make(asked, wire.response(asked, self.arrived, keep_errors=True), form)


def one(value: Any) -> list[str]:
    return [json.dumps(value)]


def events(*values: Any, done: bool = True) -> list[str]:
    told = [f"data: {json.dumps(value)}\n\n" for value in values]
    return [*told, "data: [DONE]\n\n"] if done else told


def named_events(*values: Any) -> list[str]:
    return [f"event: {value['type']}\ndata: {json.dumps(value)}\n\n" for value in values]


def lines(*values: Any) -> list[str]:
    return [f"{json.dumps(value)}\n" for value in values]


def chunk(delta: Any, finish: str | None = None, **more: Any) -> Any:
    choices = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1767323045,
        "model": "m-1",
        "choices": choices,
        **more,
    }


CHAT = {"model": "m-1", "messages": [{"role": "user", "content": ASKED}], "temperature": 0.0}
USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
CALL = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"planet": "Saturn"}'}}
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}
MESSAGE = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant"}
RESPONSE = {"id": "resp_1", "object": "response", "created_at": 1767323045.0, "model": "m-1", "output": []}
OLLAMA = {"model": "m-1", "created_at": "2026-01-02T03:04:05.678901Z"}
CLAUDE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m-1",
    "content": [],
    "stop_reason": None,
}

EXCHANGES: Mapping[str, Exchange] = {
    "chat stream": Exchange(
        "https://api.openai.com/v1/chat/completions",
        {**CHAT, "stream": True, "stream_options": {"include_usage": True}},
        events(
            chunk({"role": "assistant", "content": ""}),
            chunk({"content": "Saturn"}),
            chunk({"content": " \u2013 \U0001fa90"}),
            chunk({}, "stop"),
            {**chunk({}), "choices": [], "usage": USAGE},
        ),
        "text/event-stream",
    ),
    "chat": Exchange(
        "https://api.openai.com/v1/chat/completions",
        {**CHAT, "tools": [TOOL]},
        one(
            {
                "id": "chatcmpl-2",
                "object": "chat.completion",
                "created": 1767323045,
                "model": "m-1",
                "choices": [
                    {
                        "index": 0,
                        "message": {"role": "assistant", "content": None, "tool_calls": [CALL]},
                        "finish_reason": "tool_calls",
                    }
                ],
                "usage": USAGE,
            }
        ),
    ),
    "completions": Exchange(
        "https://api.fireworks.ai/inference/v1/completions",
        {"model": "m-1", "prompt": ASKED, "max_tokens": 3, "stream": True},
        events(
            *(
                {
                    "id": "cmpl-1",
                    "object": "text_completion",
                    "created": 1767323045,
                    "model": "m-1",
                    "choices": [{"index": 0, "text": text, "logprobs": None, "finish_reason": finish}],
                }
                for text, finish in (("Sat", None), ("urn", "length"))
            )
        ),
        "text/event-stream",
    ),
    "embeddings": Exchange(
        "https://api.openai.com/v1/embeddings",
        {"model": "m-1", "input": [ASKED, "Saturn"], "encoding_format": "float"},
        one(
            {
                "object": "list",
                "data": [
                    {"object": "embedding", "index": 0, "embedding": [0.25, -1e-05, 1.0]},
                    {"object": "embedding", "index": 1, "embedding": [0.0, 3.5, -0.125]},
                ],
                "model": "m-1",
                "usage": {"prompt_tokens": 6, "total_tokens": 6},
            }
        ),
    ),
    "models": Exchange(
        "https://api.openai.com/v1/models",
        None,
        one(
            {
                "object": "list",
                "data": [
                    {"id": name, "object": "model", "created": 1767323045, "owned_by": "nobody"}
                    for name in ("m-1", "m-2")
                ],
            }
        ),
    ),
    "responses stream": Exchange(
        "https://api.openai.com/v1/responses",
        {"model": "m-1", "input": ASKED, "stream": True},
        named_events(
            {"type": "response.created", "sequence_number": 0, "response": {**RESPONSE, "status": "in_progress"}},
            {
                "type": "response.output_text.delta",
                "sequence_number": 1,
                "item_id": "msg_1",
                "output_index": 0,
                "content_index": 0,
                "delta": "Saturn",
                "logprobs": [],
            },
            {
                "type": "response.completed",
                "sequence_number": 2,
                "response": {
                    **RESPONSE,
                    "status": "completed",
                    "usage": {
                        "input_tokens": 5,
                        "input_tokens_details": {"cached_tokens": 0},
                        "output_tokens": 2,
                        "output_tokens_details": {"reasoning_tokens": 0},
                        "total_tokens": 7,
                    },
                    "output": [{**MESSAGE, "content": [{"type": "output_text", "text": "Saturn", "annotations": []}]}],
                },
            },
        ),
        "text/event-stream",
    ),
    "ollama chat stream": Exchange(
        "http://localhost:11434/api/chat",
        {"model": "m-1", "messages": CHAT["messages"], "stream": True, "options": {"seed": 7}},
        lines(
            {**OLLAMA, "message": {"role": "assistant", "content": "Saturn"}, "done": False},
            {
                **OLLAMA,
                "message": {"role": "assistant", "content": ""},
                "done": True,
                "done_reason": "stop",
                "total_duration": 1234567,
                "load_duration": 2345,
                "prompt_eval_count": 5,
                "prompt_eval_duration": 345,
                "eval_count": 2,
                "eval_duration": 67,
            },
        ),
        "application/x-ndjson",
    ),
    "ollama chat": Exchange(
        "http://localhost:11434/api/chat",
        {"model": "m-1", "messages": CHAT["messages"], "stream": False, "tools": [TOOL]},
        one(
            {
                **OLLAMA,
                "message": {
                    "role": "assistant",
                    "content": "",
                    "tool_calls": [{"function": {"name": "look_up", "arguments": {"planet": "Saturn"}}}],
                },
                "done": True,
                "done_reason": "stop",
                "eval_count": 2,
            }
        ),
    ),
    "an error": Exchange(
        "https://api.openai.com/v1/chat/completions",
        {**CHAT, "model": "m-0"},
        one(
            {
                "error": {
                    "message": "The model m-0 does not exist",
                    "type": "invalid_request_error",
                    "param": None,
                    "code": "model_not_found",
                }
            }
        ),
        status=404,
    ),
    "anthropic stream": Exchange(
        "https://api.anthropic.com/v1/messages",
        {"model": "m-1", "max_tokens": 9, "messages": CHAT["messages"], "stream": True},
        named_events(
            {"type": "message_start", "message": {**CLAUDE, "usage": {"input_tokens": 5, "output_tokens": 1}}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Saturn"}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
            {"type": "message_stop"},
        ),
        "text/event-stream",
    ),
    "gemini stream": Exchange(
        "https://generativelanguage.googleapis.com/v1beta/models/m-1:streamGenerateContent?alt=sse",
        {"contents": [{"role": "user", "parts": [{"text": ASKED}]}]},
        events(
            {"candidates": [{"content": {"parts": [{"text": "Sat"}], "role": "model"}, "index": 0}]},
            {
                "candidates": [
                    {"content": {"parts": [{"text": "urn"}], "role": "model"}, "finishReason": "STOP", "index": 0}
                ],
                "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7},
            },
            done=False,
        ),
        "text/event-stream",
    ),
    "speech": Exchange(
        "https://api.openai.com/v1/audio/speech",
        {"model": "m-1", "input": "Saturn", "voice": "alloy"},
        [b"\xff\xfb\x90\x00", b"\x00\x01\x02\xfe"],
        "audio/mpeg",
    ),
}
"""By what they are."""


def main() -> None:
    """Write all of them."""
    for form in FORMS:
        folder = INVENTED / form
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.json"):
            old.unlink()
        for exchange in EXCHANGES.values():
            made = exchange.recorded(form)
            (folder / f"{made.name}.json").write_bytes(dumps(made))


if __name__ == "__main__":
    main()
