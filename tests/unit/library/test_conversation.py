"""What was said, whichever API it was said to."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samples import SAMPLES
from wiretape import recording
from wiretape.library import conversation
from wiretape.library.conversation import Part, PartKind, Turn, answer_of, tools_of, turns_of
from wiretape.recording import RecordedRequest

PIXEL = "iVBORw0KGgo="
URL = f"data:image/png;base64,{PIXEL}"

CALL = Part(PartKind.TOOL_CALL, '{\n  "city": "Bern"\n}', "weather", "call_1")
RESULT = Part(PartKind.TOOL_RESULT, "sunny", "", "call_1")

SAID = [
    Turn("system", (Part(PartKind.TEXT, "Be brief."),)),
    Turn("user", (Part(PartKind.TEXT, "What is this?"), Part(PartKind.IMAGE, URL))),
    Turn("assistant", (CALL,)),
    Turn("tool", (RESULT,)),
]
"""The same conversation in all forms."""

ARGUMENTS = '{"city": "Bern"}'

BODIES: dict[str, dict[str, Any]] = {
    "OpenAI's chat": {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": URL}},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": ARGUMENTS}}
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
        ]
    },
    "OpenAI's Responses": {
        "instructions": "Be brief.",
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What is this?"},
                    {"type": "input_image", "image_url": URL},
                ],
            },
            {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": ARGUMENTS},
            {"type": "function_call_output", "call_id": "call_1", "output": "sunny"},
        ],
    },
    "Anthropic": {
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
                ],
            },
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Bern"}}],
            },
            {"role": "tool", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "sunny"}]},
        ],
    },
    "Gemini": {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {
                "role": "user",
                "parts": [{"text": "What is this?"}, {"inlineData": {"mimeType": "image/png", "data": PIXEL}}],
            },
            {
                "role": "model",
                "parts": [{"functionCall": {"id": "call_1", "name": "weather", "args": {"city": "Bern"}}}],
            },
            {"role": "tool", "parts": [{"functionResponse": {"id": "call_1", "response": "sunny"}}]},
        ],
    },
    "Bedrock": {
        "system": [{"text": "Be brief."}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"text": "What is this?"},
                    {"image": {"format": "image/png", "source": {"url": URL}}},
                ],
            },
            {
                "role": "assistant",
                "content": [{"toolUse": {"toolUseId": "call_1", "name": "weather", "input": {"city": "Bern"}}}],
            },
            {"role": "tool", "content": [{"toolResult": {"toolUseId": "call_1", "content": [{"text": "sunny"}]}}]},
        ],
    },
}


def request(body: dict[str, Any]) -> RecordedRequest:
    return RecordedRequest("https://api.example/v1", body, "/v1/chat/completions")


@pytest.mark.parametrize("name", BODIES)
def test_one_conversation_reads_alike_in_every_form(name: str) -> None:
    assert turns_of(request(BODIES[name])) == SAID


PARTS: dict[str, tuple[dict[str, Any], list[Turn]]] = {
    "a prompt": ({"prompt": "Go on"}, [Turn("user", (Part(PartKind.TEXT, "Go on"),))]),
    "several prompts": (
        {"prompt": ["a", "b"]},
        [Turn("user", (Part(PartKind.TEXT, "a"), Part(PartKind.TEXT, "b")))],
    ),
    "a prompt in numbers": ({"prompt": [1, 2]}, [Turn("user", (Part(PartKind.OTHER, "[\n  1,\n  2\n]"),))]),
    "images beside a prompt": (
        {"system": "s", "prompt": "What?", "images": [PIXEL]},
        [
            Turn("system", (Part(PartKind.TEXT, "s"),)),
            Turn("user", (Part(PartKind.TEXT, "What?"), Part(PartKind.IMAGE, PIXEL))),
        ],
    ),
    "an input in one text": ({"input": "Hello"}, [Turn("user", (Part(PartKind.TEXT, "Hello"),))]),
    "what was thought": (
        {"messages": [{"role": "assistant", "reasoning_content": "hm", "content": "Yes"}]},
        [Turn("assistant", (Part(PartKind.REASONING, "hm"), Part(PartKind.TEXT, "Yes")))],
    ),
    "thoughts, Anthropic's": (
        {"messages": [{"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "x"}]}]},
        [Turn("assistant", (Part(PartKind.REASONING, "hm"),))],
    ),
    "thoughts, encrypted": (
        {"input": [{"type": "reasoning", "summary": [], "encrypted_content": "gAAA"}]},
        [Turn("assistant", (Part(PartKind.REASONING, "(encrypted)"),))],
    ),
    "thoughts, Gemini's": (
        {"contents": [{"role": "model", "parts": [{"text": "hm", "thought": True}]}]},
        [Turn("assistant", (Part(PartKind.REASONING, "hm"),))],
    ),
    "arguments that are no JSON": (
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{oh"}}]}]},
        [Turn("assistant", (Part(PartKind.TOOL_CALL, "{oh", "f"),))],
    ),
    "a refusal": (
        {"messages": [{"role": "assistant", "content": None, "refusal": "No."}]},
        [Turn("assistant", (Part(PartKind.REFUSAL, "No."),))],
    ),
    "what nobody knows": (
        {"messages": [{"role": "user", "content": [{"type": "smell", "of": "rain"}]}]},
        [Turn("user", (Part(PartKind.OTHER, '{\n  "type": "smell",\n  "of": "rain"\n}'),))],
    ),
    "nothing": ({"model": "m"}, []),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_turn_has_its_parts(name: str) -> None:
    body, turns = PARTS[name]
    assert turns_of(request(body)) == turns


TOOLS: list[dict[str, Any]] = [
    {"tools": [{"type": "function", "function": {"name": "a"}}, {"type": "web_search"}]},
    {"tools": [{"name": "a", "input_schema": {}}, {"name": "web_search"}]},
    {"tools": [{"functionDeclarations": [{"name": "a"}, {"name": "web_search"}]}]},
    {"toolConfig": {"tools": [{"toolSpec": {"name": "a"}}, {"toolSpec": {"name": "web_search"}}]}},
]


@pytest.mark.parametrize("body", TOOLS)
def test_the_tools_are_named(body: dict[str, Any]) -> None:
    assert tools_of(request(body)) == ["a", "web_search"]


@pytest.mark.parametrize("name", SAMPLES)
def test_an_answer_is_a_turn_for_each_choice(name: str) -> None:
    recorded = recording.loads(SAMPLES[name].read_bytes())
    turns = answer_of(recorded)
    assert len(turns) == (2 if "two choices" in name else 1)
    assert all(turn.role == "assistant" and list(conversation.words(turn)) for turn in turns)


MEMBERS = ["role", "content", "type", "text", "parts", "tool_calls", "function", "image_url", "input"]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["role", "content", "type", "text", "parts", "tool_calls", "function", "image_url", "input"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["messages", "contents", "input", "prompt", "system", "tools"]), JSON))
def test_a_request_that_anybody_has_written_is_read(body: dict[str, Any]) -> None:
    for turn in turns_of(request(body)):
        assert all(isinstance(part.text, str) and isinstance(part.name, str) for part in turn.parts)
    tools_of(request(body))
