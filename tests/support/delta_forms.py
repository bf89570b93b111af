"""Streams of texts that are cut up: how each API writes a piece of a text, and the bodies that such pieces are in.

What rewrites texts across deltas is tested with all of them.
"""

import base64
import json
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

from wiretape.codecs import eventstream

type Make = Callable[[str, int], dict[str, Any]]
"""A piece of text and its number -> an element of a stream."""

type Read = Callable[[Any], str]
"""The element -> the piece of text."""


def delta(**members: Any) -> dict[str, Any]:
    """Return a chunk of a chat."""
    return {"id": "x", "choices": [{"index": 0, "delta": members, "finish_reason": None}]}


def call(arguments: str, index: int = 0) -> dict[str, Any]:
    """Return a chunk of a chat with a piece of a tool's arguments."""
    return delta(tool_calls=[{"index": index, "function": {"arguments": arguments}}])


def block(kind: str, name: str) -> Make:
    """Return what makes the deltas of a block of Anthropic's."""
    return lambda piece, _: {"type": "content_block_delta", "index": 1, "delta": {"type": kind, name: piece}}


def token(piece: str) -> dict[str, Any]:
    """Return what logprobs say of a token."""
    return {"token": piece, "logprob": -0.5, "bytes": [*piece.encode()]}


FORMS: dict[str, tuple[Make, Read]] = {
    "chat content": (lambda piece, _: delta(content=piece), lambda e: e["choices"][0]["delta"]["content"]),
    "chat reasoning": (
        lambda piece, _: delta(reasoning_content=piece),
        lambda e: e["choices"][0]["delta"]["reasoning_content"],
    ),
    "chat refusal": (lambda piece, _: delta(refusal=piece), lambda e: e["choices"][0]["delta"]["refusal"]),
    "chat arguments": (
        lambda piece, _: call(piece),
        lambda e: e["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"],
    ),
    "completions": (lambda piece, _: {"choices": [{"index": 0, "text": piece}]}, lambda e: e["choices"][0]["text"]),
    "anthropic text": (block("text_delta", "text"), lambda e: e["delta"]["text"]),
    "anthropic json": (block("input_json_delta", "partial_json"), lambda e: e["delta"]["partial_json"]),
    "anthropic thinking": (block("thinking_delta", "thinking"), lambda e: e["delta"]["thinking"]),
    "responses": (
        lambda piece, at: {
            "type": "response.output_text.delta",
            "output_index": 0,
            "sequence_number": at,
            "delta": piece,
        },
        lambda e: e["delta"],
    ),
    "responses arguments": (
        lambda piece, at: {
            "type": "response.function_call_arguments.delta",
            "output_index": 1,
            "item_id": "fc_1",
            "sequence_number": at,
            "delta": piece,
        },
        lambda e: e["delta"],
    ),
    "ollama chat": (lambda piece, _: {"message": {"content": piece}, "done": False}, lambda e: e["message"]["content"]),
    "ollama thinking": (lambda piece, _: {"message": {"thinking": piece}}, lambda e: e["message"]["thinking"]),
    "ollama generate": (lambda piece, _: {"response": piece, "done": False}, lambda e: e["response"]),
    "gemini": (
        lambda piece, _: {"candidates": [{"content": {"parts": [{"text": piece}]}}]},
        lambda e: e["candidates"][0]["content"]["parts"][0]["text"],
    ),
    "cohere": (
        lambda piece, _: {
            "type": "content-delta",
            "index": 0,
            "delta": {"message": {"content": {"text": piece}}},
        },
        lambda e: e["delta"]["message"]["content"]["text"],
    ),
    "cohere plan": (
        lambda piece, _: {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": piece}}},
        lambda e: e["delta"]["message"]["tool_plan"],
    ),
    "cohere arguments": (
        lambda piece, _: {
            "type": "tool-call-delta",
            "index": 0,
            "delta": {"message": {"tool_calls": {"function": {"arguments": piece}}}},
        },
        lambda e: e["delta"]["message"]["tool_calls"]["function"]["arguments"],
    ),
    "bedrock text": (lambda piece, _: {"contentBlockIndex": 0, "delta": {"text": piece}}, lambda e: e["delta"]["text"]),
    "bedrock input": (
        lambda piece, _: {"contentBlockIndex": 1, "delta": {"toolUse": {"input": piece}}},
        lambda e: e["delta"]["toolUse"]["input"],
    ),
    "unknown": (lambda piece, at: {"n": at, "out": {"words": piece}}, lambda e: e["out"]["words"]),
    "logprobs": (
        lambda piece, _: {"choices": [{"index": 0, "logprobs": {"content": [token(piece)]}}]},
        lambda e: e["choices"][0]["logprobs"]["content"][0]["token"],
    ),
}

# -- bodies ------------------------------------------------------------------------------------------------------------


def events(elements: Sequence[Any]) -> list[bytes]:
    """Return server-sent events, as OpenAI ends them."""
    return [*(b"data: " + json.dumps(e).encode() + b"\n\n" for e in elements), b"data: [DONE]\n\n"]


def named_events(elements: Sequence[Any]) -> list[bytes]:
    """Return server-sent events with names, beyond ASCII and in compact JSON."""
    return [
        f"event: x\r\ndata: {json.dumps(e, ensure_ascii=False, separators=(',', ':'))}\r\n\r\n".encode()
        for e in elements
    ]


def lines(elements: Sequence[Any]) -> list[bytes]:
    """Return lines of JSON."""
    return [json.dumps(e, ensure_ascii=False).encode() + b"\n" for e in elements]


def array(elements: Sequence[Any]) -> list[bytes]:
    """Return a list in JSON, as Gemini streams it."""
    items = [json.dumps(e, indent=1).encode() for e in elements]
    return [b"[" + b"\n,\n".join(items[:1]), *(b",\r\n" + item for item in items[1:]), b"]"]


def message(payload: bytes, kind: str = "chunk") -> bytes:
    """Return a message of AWS's."""
    name = b":event-type"
    header = struct.pack(f">B{len(name)}sBH", len(name), name, 7, len(kind)) + kind.encode()
    return eventstream.encode(header, payload)


def messages(elements: Sequence[Any]) -> list[bytes]:
    """Return messages of AWS's, as Bedrock's own API streams them."""
    return [message(json.dumps({**e, "p": "abcd"}).encode()) for e in elements]


def wrapped_messages(elements: Sequence[Any]) -> list[bytes]:
    """Return messages that hold the elements of another API's in base64, as Bedrock passes them on."""
    inside = [base64.b64encode(json.dumps(e, ensure_ascii=False).encode()).decode() for e in elements]
    return [message(json.dumps({"bytes": each, "p": "abc"}).encode()) for each in inside]


def read_back(body: bytes) -> list[Any]:
    """Return the elements of a body of text."""
    if body.startswith(b"["):
        parsed: list[Any] = json.loads(body)
        return parsed
    texts = [line.removeprefix(b"data:").strip() for line in body.split(b"\n")]
    return [json.loads(text) for text in texts if text.startswith(b"{")]


def read_messages(body: bytes) -> list[Any]:
    """Return the elements of a body of messages, whose checksums have to be right."""
    elements: list[Any] = []
    for frame in eventstream.frames(body):
        headers, payload = body[frame.headers_start : frame.payload], body[frame.payload : frame.payload_end]
        assert eventstream.encode(headers, payload) == body[frame.start : frame.end]
        element = json.loads(payload)
        if "bytes" in element:
            element = json.loads(base64.b64decode(element["bytes"]))
        element.pop("p", None)
        elements.append(element)
    return elements


type Written = Callable[[Sequence[Any]], list[bytes]]
"""Elements -> the pieces of a body."""

TEXT_BODIES: tuple[Written, ...] = (events, named_events, lines, array)
MESSAGE_BODIES: tuple[Written, ...] = (messages, wrapped_messages)

# -- pieces ------------------------------------------------------------------------------------------------------------


@st.composite
def cut_up(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> list[str]:
    """Draw a text that is cut anywhere."""
    text = draw(texts)
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(text) - 1)), max_size=len(text))))
    return [piece for start, end in zip([0, *cuts], [*cuts, None], strict=True) if (piece := text[start:end])]


def cut(text: str, size: int = 3) -> list[str]:
    """Return a text in pieces."""
    return [text[at : at + size] for at in range(0, len(text), size)]


def recut(body: bytes, sizes: Iterator[int]) -> list[bytes]:
    """Return a body in pieces of these sizes, as far as it goes."""
    pieces: list[bytes] = []
    while body:
        size = next(sizes)
        pieces.append(body[:size])
        body = body[size:]
    return pieces
