import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from wiretape.matching.ordering import sorted_lists
from wiretape.matching.rules import Unordered


def function(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def declaration(name: str) -> dict[str, Any]:
    return {"name": name, "parameters": {}}


TOOLS: Mapping[str, Callable[[Sequence[str]], dict[str, Any]]] = {
    "chat": lambda names: {"tools": [function(name) for name in names]},
    "chat, custom": lambda names: {"tools": [{"type": "custom", "custom": {"name": name}} for name in names]},
    "functions": lambda names: {"functions": [declaration(name) for name in names]},
    "responses": lambda names: {"tools": [{"type": "function", **declaration(name)} for name in names]},
    "responses, mcp": lambda names: {"tools": [{"type": "mcp", "server_label": name} for name in names]},
    "anthropic": lambda names: {"tools": [declaration(name) for name in names]},
    "gemini": lambda names: {"tools": [{"functionDeclarations": [declaration(name) for name in names]}]},
    "code assist": lambda names: {
        "request": {"tools": [{"functionDeclarations": [declaration(name) for name in names]}]}
    },
    "converse": lambda names: {"toolConfig": {"tools": [{"toolSpec": declaration(name)} for name in names]}},
}


@pytest.mark.parametrize("form", TOOLS)
def test_tools_stand_in_the_order_of_their_names(form: str) -> None:
    sent = TOOLS[form](["b", "c", "a"])
    made = sorted_lists(sent, Unordered.TOOLS)
    assert made.body == TOOLS[form](["a", "b", "c"])
    assert made.orders == (["b", "c", "a"],)
    assert sent == TOOLS[form](["b", "c", "a"])
    again = sorted_lists(made.body, Unordered.TOOLS)
    assert again.body is made.body
    assert again.orders == ()


def test_tools_of_one_name_stand_in_one_order() -> None:
    tools = [{"name": "a", "n": 1}, {"name": "a", "n": 2}, {"type": "web_search"}]
    drawn = random.Random(13)
    shuffled = [drawn.sample(tools, 3) for _ in range(6)]
    assert len({repr(sorted_lists({"tools": each}, Unordered.TOOLS).body) for each in shuffled}) == 1


@pytest.mark.parametrize("body", [{}, {"tools": None}, {"tools": "x"}, {"tools": [1, None]}, {"messages": 1}, [], "x"])
def test_a_body_without_lists_stays(body: Any) -> None:
    for unordered in Unordered:
        assert sorted_lists(body, unordered).body == body


def chat(*ids: str) -> dict[str, Any]:
    calls = [{"id": id_, "function": {"name": "f"}} for id_ in ("x", "y", "z")]
    results = [{"role": "tool", "tool_call_id": id_, "content": id_} for id_ in ids]
    return {"messages": [{"role": "assistant", "tool_calls": calls}, *results, {"role": "user", "content": "Go on"}]}


def responses(*ids: str) -> dict[str, Any]:
    calls = [{"type": "function_call", "call_id": id_} for id_ in ("x", "y", "z")]
    return {"input": [*calls, *({"type": "function_call_output", "call_id": id_, "output": id_} for id_ in ids)]}


def anthropic(*ids: str) -> dict[str, Any]:
    calls = [{"type": "tool_use", "id": id_, "name": "f"} for id_ in ("x", "y", "z")]
    results = [{"type": "tool_result", "tool_use_id": id_, "content": id_} for id_ in ids]
    text = {"type": "text", "text": "Go on"}
    return {"messages": [{"role": "assistant", "content": calls}, {"role": "user", "content": [*results, text]}]}


def gemini(*ids: str) -> dict[str, Any]:
    calls = [{"functionCall": {"id": id_, "name": "f"}} for id_ in ("x", "y", "z")]
    results = [{"functionResponse": {"id": id_, "name": "f", "response": {"output": id_}}} for id_ in ids]
    return {"contents": [{"role": "model", "parts": calls}, {"role": "user", "parts": results}]}


def converse(*ids: str) -> dict[str, Any]:
    calls = [{"toolUse": {"toolUseId": id_, "name": "f"}} for id_ in ("x", "y", "z")]
    results = [{"toolResult": {"toolUseId": id_, "content": [{"text": id_}]}} for id_ in ids]
    return {"messages": [{"role": "assistant", "content": calls}, {"role": "user", "content": results}]}


@pytest.mark.parametrize("form", [chat, responses, anthropic, gemini, converse])
def test_results_stand_in_the_order_of_their_calls(form: Any) -> None:
    made = sorted_lists(form("z", "x", "y"), Unordered.TOOL_RESULTS)
    assert made.body == form("x", "y", "z")
    assert made.orders == ([2, 0, 1],)
    in_order = form("x", "y", "z")
    assert sorted_lists(in_order, Unordered.TOOL_RESULTS).body is in_order


@pytest.mark.parametrize("form", [chat, responses, anthropic, gemini, converse])
def test_a_result_of_no_call_keeps_its_place(form: Any) -> None:
    sent = form("z", "unknown", "x")
    assert sorted_lists(sent, Unordered.TOOL_RESULTS).body is sent


def test_results_without_ids_keep_their_places() -> None:
    calls = [{"functionCall": {"name": "f"}}] * 2
    results = [{"functionResponse": {"name": "f", "response": {"n": n}}} for n in (2, 1)]
    sent = {"contents": [{"parts": calls}, {"parts": results}]}
    assert sorted_lists(sent, Unordered.TOOL_RESULTS).body is sent
