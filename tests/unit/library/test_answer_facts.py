"""What an answer says of itself. How each API says it, whole and in pieces, is in test_drift."""

from typing import Any

import pytest

from wiretape.library import answer_facts
from wiretape.library.answer_facts import ToolCall


def delta(**more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": more}]}


def test_calls_in_pieces_are_told_apart_by_their_index() -> None:
    def piece(index: int, **function: str) -> dict[str, Any]:
        return delta(tool_calls=[{"index": index, "function": function}])

    elements = [
        piece(0, name="a", arguments=""),
        piece(1, name="b"),
        piece(0, arguments='{"x":'),
        piece(1, arguments="[]"),
        piece(0, arguments="1}"),
    ]
    assert answer_facts.tool_calls(elements) == (ToolCall("a", {"x": 1}), ToolCall("b", []))


@pytest.mark.parametrize(
    ("element", "call"),
    [
        (delta(function_call={"name": "old", "arguments": "{}"}), ToolCall("old", {})),
        ({"choices": [{"message": {"function_call": {"name": "old", "arguments": "{"}}}]}, ToolCall("old", "{")),
        (
            {"type": "response.output_item.done", "item": {"type": "custom_tool_call", "name": "sh", "input": "ls"}},
            ToolCall("sh", "ls"),
        ),
        ({"message": {"tool_calls": [{"function": {"name": "a", "arguments": {}}}]}}, ToolCall("a", {})),
        (
            {"response": {"candidates": [{"content": {"parts": [{"functionCall": {"name": "a"}}]}}]}},
            ToolCall("a", None),
        ),
    ],
)
def test_a_call(element: dict[str, Any], call: ToolCall) -> None:
    assert answer_facts.tool_calls([element]) == (call,)


def test_an_answer_that_comes_twice_over_is_told_once() -> None:
    item = {"type": "function_call", "name": "a", "arguments": "{}"}
    message = {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}
    whole: dict[str, Any] = {"object": "response", "status": "completed", "output": [message, item]}
    elements: list[dict[str, Any]] = [
        {"type": "response.output_text.delta", "delta": "H"},
        {"type": "response.output_text.delta", "delta": "i"},
        {"type": "response.output_text.done", "text": "Hi"},
        {"type": "response.output_item.done", "item": item},
        {"type": "response.completed", "response": whole},
    ]
    assert answer_facts.tool_calls(elements) == (ToolCall("a", {}),)
    assert answer_facts.words(elements) == answer_facts.words(elements[-1:]) == answer_facts.words([whole]) == "Hi"
    assert answer_facts.finish_reasons(elements) == ("completed",)


def test_words_are_none_of_what_was_asked_nor_of_what_a_tool_is_called_with() -> None:
    logprobs = {"content": [{"token": "Hi", "text": "Hi"}]}
    call = {"function": {"name": "a", "arguments": {"text": "no"}}}
    element = {
        "choices": [{"message": {"content": "Hi", "tool_calls": [call]}, "logprobs": logprobs}],
        "tools": [{"text": "no"}],
    }
    assert answer_facts.words([element]) == "Hi"


def test_the_first_vector() -> None:
    assert answer_facts.vector([{"data": [{"embedding": [1, 2]}, {"embedding": [3]}]}]) == (1.0, 2.0)
    assert answer_facts.vector([{"embeddings": [[1, 2], [3]]}]) == (1.0, 2.0)
    assert answer_facts.vector([{"embedding": ["x"]}, {"values": []}]) == ()


def test_the_model_stands_in_the_answer_or_in_its_first_event() -> None:
    assert answer_facts.model([{"type": "message_start", "message": {"model": "a"}}]) == "a"
    assert answer_facts.model([{}, {"response": {"modelVersion": "b"}}]) == "b"
    assert answer_facts.model([{"model": 1}]) == ""
