"""The pieces of an answer, put together."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiretape.library.answer_pieces import messages
from wiretape.library.conversation import Part, PartKind, _turn

TEXT = Part(PartKind.TEXT, "Let me see.")
THOUGHT = Part(PartKind.REASONING, "Weather?")
CALL = Part(PartKind.TOOL_CALL, '{\n  "city": "Bern"\n}', "weather", "call_1")


GEMINIS = {"id": "call_1", "name": "weather", "args": {"city": "Bern"}}


def delta(**said: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": said}]}


def called(**function: Any) -> dict[str, Any]:
    return {"index": 0, "function": function}


def block(index: int, kind: str, **more: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **more}}


def started(index: int, **more: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": more}


ITEMS = [
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Weather?"}]},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Let me see."}]},
    {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": '{"city": "Bern"}'},
]

STREAMS: dict[str, Sequence[dict[str, Any]]] = {
    "OpenAI's chat": [
        delta(role="assistant", reasoning_content="Wea"),
        delta(reasoning_content="ther?"),
        delta(content="Let me"),
        delta(content=" see."),
        delta(tool_calls=[{"id": "call_1", **called(name="weather", arguments="")}]),
        delta(tool_calls=[called(arguments='{"city": ')]),
        delta(tool_calls=[called(arguments='"Bern"}')]),
        {"choices": [], "usage": {"completion_tokens": 5}},
    ],
    "OpenAI's Responses": [{"type": "response.created"}, {"type": "response.completed", "response": {"output": ITEMS}}],
    "OpenAI's Responses, in one piece": [{"object": "response", "output": ITEMS}],
    "OpenAI's Responses, broken off": [{"type": "response.output_item.done", "item": each} for each in ITEMS],
    "Anthropic": [
        {"type": "message_start", "message": {"content": []}},
        started(0, type="thinking", thinking=""),
        block(0, "thinking_delta", thinking="Weather?"),
        block(0, "signature_delta", signature="x"),
        started(1, type="text", text=""),
        block(1, "text_delta", text="Let me"),
        block(1, "text_delta", text=" see."),
        started(2, type="tool_use", id="call_1", name="weather", input={}),
        block(2, "input_json_delta", partial_json='{"city": '),
        block(2, "input_json_delta", partial_json='"Bern"}'),
    ],
    "Gemini": [
        {"candidates": [{"content": {"parts": [{"text": "Wea", "thought": True}]}}]},
        {"candidates": [{"content": {"parts": [{"text": "ther?", "thought": True}, {"text": "Let me"}]}}]},
        {"candidates": [{"content": {"parts": [{"text": " see."}]}}]},
        {
            "candidates": [
                {
                    "content": {
                        "parts": [{"functionCall": {"id": "call_1", "name": "weather", "args": {"city": "Bern"}}}]
                    }
                }
            ]
        },
    ],
    "Ollama": [
        {"message": {"role": "assistant", "content": "", "thinking": "Weather?"}},
        {"message": {"content": "Let me"}},
        {"message": {"content": " see."}},
        {
            "message": {
                "content": "",
                "tool_calls": [{"id": "call_1", "function": {"name": "weather", "arguments": {"city": "Bern"}}}],
            },
            "done": True,
        },
    ],
    "Cohere": [
        {"type": "message-start", "delta": {"message": {"role": "assistant", "content": []}}},
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"thinking": "Weather?"}}}},
        {"type": "content-delta", "index": 1, "delta": {"message": {"content": {"text": "Let me"}}}},
        {"type": "content-delta", "index": 1, "delta": {"message": {"content": {"text": " see."}}}},
        {
            "type": "tool-call-start",
            "index": 0,
            "delta": {"message": {"tool_calls": {"id": "call_1", "function": {"name": "weather", "arguments": ""}}}},
        },
        {
            "type": "tool-call-delta",
            "index": 0,
            "delta": {"message": {"tool_calls": {"function": {"arguments": '{"city": "Bern"}'}}}},
        },
    ],
    "Bedrock": [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Weather?"}}}},
        {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"text": "Let me"}}},
        {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"text": " see."}}},
        {
            "contentBlockStart": {
                "contentBlockIndex": 2,
                "start": {"toolUse": {"toolUseId": "call_1", "name": "weather"}},
            }
        },
        {"contentBlockDelta": {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '{"city": "Bern"}'}}}},
    ],
}


@pytest.mark.parametrize("name", STREAMS)
def test_the_pieces_of_every_api_come_together(name: str) -> None:
    parts = [part for message in messages(STREAMS[name]) for part in _turn(message, ()).parts]
    assert parts == [THOUGHT, TEXT, CALL]


def test_two_calls_and_two_choices_are_kept_apart() -> None:
    one = {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}
    two = {"index": 1, "id": "b", "function": {"name": "g", "arguments": "[]"}}
    said = messages(
        [delta(tool_calls=[one]), delta(tool_calls=[two]), {"choices": [{"index": 1, "delta": {"content": "x"}}]}]
    )
    assert [call["id"] for call in said[0]["tool_calls"]] == ["a", "b"]
    assert said[1]["content"] == "x"


def test_completions_have_a_text() -> None:
    assert messages([{"choices": [{"text": "a"}]}, {"choices": [{"text": "b"}]}]) == [
        {"role": "assistant", "content": "ab"}
    ]


def test_of_what_is_no_conversation_nothing_is_said() -> None:
    assert messages([{"data": [{"embedding": [0.5]}]}]) == []
    assert messages([]) == []


NAMES = ["choices", "delta", "index", "type", "content_block", "candidates", "content", "parts", "message", "output"]
VALUES = st.recursive(
    st.none() | st.integers() | st.sampled_from(["content_block_start", "response.completed", "text_delta", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.sampled_from(NAMES), VALUES), max_size=4))
def test_an_answer_that_anybody_has_written_is_read(elements: list[dict[str, Any]]) -> None:
    for message in messages(elements):
        _turn(message, ())
