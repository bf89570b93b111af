from typing import Any

import pytest

from builders import route
from wiretape.matching import reduction
from wiretape.matching.built_in import BUILT_IN
from wiretape.matching.reduction import Reduced
from wiretape.matching.rules import MatchContext, MatchPolicy, Places
from wiretape.recording import RecordedRequest

POLICY = MatchPolicy(BUILT_IN)


def reduced(path: str, body: Any, provider: str = "openai") -> Reduced:
    recorded = path if path in ("/v1/chat/completions", "/v1/responses") else ""
    rules = POLICY.rules_for(MatchContext(provider, tuple(filter(None, (recorded, path)))))
    request = RecordedRequest(f"https://api.example.com{path}", body, recorded, "" if recorded else "POST")
    return reduction.reducer(rules).reduce(request, Places())


def needed(path: str, one: Any, two: Any, provider: str = "openai") -> tuple[str, ...] | None:
    """Return the rules by which two bodies are the same; None where they are two."""
    recorded = reduced(path, one, provider)
    present = reduced(path, two, provider)
    return reduction.needed(recorded, present) if recorded.digest == present.digest else None


CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
MESSAGES = "/v1/messages"
GEMINI = "/v1beta/models/gemini-3-pro:streamGenerateContent"
CODE_ASSIST = "/v1internal:streamGenerateContent"
CONVERSE = "/model/anthropic.claude/converse-stream"
INVOKE = "/model/anthropic.claude/invoke"

SAME = [
    (CHAT, {"prompt_cache_key": "a"}, {"prompt_cache_key": "b"}, "prompt-cache-key"),
    (CHAT, {"prompt_cache_retention": "24h"}, {}, "prompt-cache-key"),
    (CHAT, {"metadata": {"run": "1"}}, {"metadata": {"run": "2"}}, "metadata"),
    (RESPONSES, {"client_metadata": {"turn_id": "1"}}, {"client_metadata": {"turn_id": "2"}}, "client-metadata"),
    ("/v1/responses/compact", {"prompt_cache_key": "a"}, {}, "prompt-cache-key"),
    (MESSAGES, {"metadata": {"user_id": "a"}}, {"metadata": {"user_id": "b"}}, "metadata.user_id"),
    ("/anthropic/v1/messages", {"metadata": {"user_id": "a"}}, {"metadata": {"user_id": "b"}}, "metadata.user_id"),
    (INVOKE, {"metadata": {"user_id": "a"}}, {"metadata": {"user_id": "b"}}, "metadata.user_id"),
    (GEMINI, {"labels": {"team": "a"}}, {"labels": {"team": "b"}}, "labels"),
    (CODE_ASSIST, {"user_prompt_id": "a"}, {"user_prompt_id": "b"}, "user_prompt_id"),
    (CODE_ASSIST, {"request": {"session_id": "a"}}, {"request": {"session_id": "b"}}, "user_prompt_id"),
    (CONVERSE, {"requestMetadata": {"a": "b"}}, {}, "requestMetadata"),
]


@pytest.mark.parametrize(("path", "one", "two", "rule"), SAME)
def test_what_no_provider_answers_by_makes_no_difference(path: str, one: Any, two: Any, rule: str) -> None:
    assert needed(path, one, two) == (rule,)


ROUTES = [
    ("api.openai.com", "/v1/chat/completions", {"prompt-cache-key", "client-metadata", "metadata", "call-ids"}),
    ("api.openai.com", "/v1/responses", {"prompt-cache-key", "client-metadata", "metadata", "call-ids", "item-ids"}),
    ("api.openai.com", "/v1/threads/t/messages", set()),
    ("api.openai.com", "/v1/embeddings", set()),
    ("api.anthropic.com", "/v1/messages?beta=true", {"metadata.user_id", "call-ids"}),
    ("openrouter.ai", "/api/v1/messages", {"metadata.user_id", "call-ids", "session_id"}),
    ("generativelanguage.googleapis.com", "/v1beta/models/gemini-3:generateContent", {"labels", "call-ids"}),
    ("bedrock-runtime.us-east-1.amazonaws.com", "/model/m/converse", {"requestMetadata", "call-ids"}),
    ("bedrock-runtime.us-east-1.amazonaws.com", "/model/m/invoke", {"metadata.user_id", "call-ids"}),
    ("my.openai.azure.com", "/openai/deployments/d/chat/completions", {"prompt-cache-key", "metadata", "call-ids"}),
]


@pytest.mark.parametrize(("host", "path", "names"), ROUTES)
def test_the_rules_hold_for_the_endpoints_of_providers(host: str, path: str, names: set[str]) -> None:
    found = route(path, host)
    rules = POLICY.rules_for(MatchContext(found.provider, found.endpoint_names))
    assert names <= {rule.name for rule in rules}
    assert names or not rules


def test_openrouters_sessions_are_its_own() -> None:
    assert needed(CHAT, {"session_id": "a"}, {"session_id": "b"}, "openrouter") == ("session_id",)
    assert needed(CHAT, {"session_id": "a"}, {"session_id": "b"}) is None


TWO = [
    (CHAT, {"user": "a"}, {"user": "b"}),
    (CHAT, {"safety_identifier": "a"}, {"safety_identifier": "b"}),
    (CHAT, {"store": True}, {"store": False}),
    (CHAT, {"service_tier": "flex"}, {"service_tier": "priority"}),
    (RESPONSES, {"previous_response_id": "a"}, {"previous_response_id": "b"}),
    (RESPONSES, {"conversation": "a"}, {"conversation": "b"}),
    (RESPONSES, {"conversation": {"id": "a"}}, {"conversation": {"id": "b"}}),
    *(
        (RESPONSES, {"input": [{"type": kind, "id": "a"}]}, {"input": [{"type": kind, "id": "b"}]})
        for kind in (
            None,
            "",
            "compaction",
            "item_reference",
            "reasoning",
            "image_generation_call",
            "web_search_call",
            "code_interpreter_call",
        )
    ),
    (RESPONSES, {"input": '[{"id": 1}]'}, {"input": '[{"id": 2}]'}),
    (MESSAGES, {"messages": [{"content": '[{"id": 1}]'}]}, {"messages": [{"content": '[{"id": 2}]'}]}),
    (MESSAGES, {"metadata": {"tenant": "a"}}, {"metadata": {"tenant": "b"}}),
    (MESSAGES, {"container": "a"}, {"container": "b"}),
    ("/v1/threads/t/messages", {"metadata": {"user_id": "a"}}, {"metadata": {"user_id": "b"}}),
    (GEMINI, {"cachedContent": "a"}, {"cachedContent": "b"}),
    ("/v1/embeddings", {"metadata": {"a": "b"}}, {}),
]


@pytest.mark.parametrize(("path", "one", "two"), TWO)
def test_what_may_be_meant_or_leads_to_something_makes_two(path: str, one: Any, two: Any) -> None:
    assert needed(path, one, two) is None


def chat(call: str, result: str) -> Any:
    calls = [{"id": id_, "type": "function", "function": {"name": "f", "arguments": "{}"}} for id_ in (call, "other")]
    results = [{"role": "tool", "tool_call_id": id_, "content": "x"} for id_ in (result, "other")]
    return {"messages": [{"role": "assistant", "tool_calls": calls}, *results]}


def responses(kind: str, call: str, result: str) -> Any:
    calls = [{"type": kind, "id": f"fc_{id_}", "call_id": id_} for id_ in (call, "other")]
    results = [{"type": f"{kind}_output", "call_id": id_, "output": "x"} for id_ in (result, "other")]
    return {"input": [*calls, *results]}


def anthropic(kind: str, call: str, result: str) -> Any:
    calls = [{"type": kind, "id": id_, "name": "f", "input": {}} for id_ in (call, "other")]
    results = [{"type": "tool_result", "tool_use_id": id_, "content": "x"} for id_ in (result, "other")]
    return {"messages": [{"role": "assistant", "content": calls}, {"role": "user", "content": results}]}


def gemini(call: str, result: str) -> Any:
    calls = [{"functionCall": {"id": id_, "name": "f"}} for id_ in (call, "other")]
    results = [{"functionResponse": {"id": id_, "name": "f", "response": {}}} for id_ in (result, "other")]
    return {"contents": [{"role": "model", "parts": calls}, {"role": "user", "parts": results}]}


def converse(call: str, result: str) -> Any:
    calls = [{"toolUse": {"toolUseId": id_, "name": "f", "input": {}}} for id_ in (call, "other")]
    results = [{"toolResult": {"toolUseId": id_, "content": []}} for id_ in (result, "other")]
    return {"messages": [{"role": "assistant", "content": calls}, {"role": "user", "content": results}]}


CALLS = [
    (CHAT, chat),
    ("/api/chat", chat),
    ("/v2/chat", chat),
    *(
        (RESPONSES, lambda call, result, kind=kind: responses(kind, call, result))
        for kind in ("function_call", "custom_tool_call", "computer_call", "local_shell_call", "shell_call")
    ),
    *(
        (path, lambda call, result, kind=kind: anthropic(kind, call, result))
        for path in (MESSAGES, INVOKE, "/v1/projects/p/models/claude:streamRawPredict")
        for kind in ("tool_use", "server_tool_use", "mcp_tool_use")
    ),
    (GEMINI, gemini),
    (CODE_ASSIST, lambda call, result: {"request": gemini(call, result)}),
    (CONVERSE, converse),
]


@pytest.mark.parametrize(("path", "body"), CALLS)
def test_ids_of_calls_count_by_their_order(path: str, body: Any) -> None:
    same = needed(path, body("a", "a"), body("b", "b"))
    assert same is not None
    assert "call-ids" in same
    # A result of another call
    assert needed(path, body("a", "a"), body("a", "other")) is None
    # A result of a call that the request does not have
    assert needed(path, body("a", "x"), body("a", "y")) is None
    # Two calls that are one
    assert needed(path, body("a", "a"), body("other", "other")) is None


def test_results_after_a_response_that_the_provider_keeps_are_of_the_calls_that_they_name() -> None:
    def body(*ids: str) -> Any:
        outputs = [{"type": "function_call_output", "call_id": id_, "output": n} for n, id_ in enumerate(ids)]
        return {"previous_response_id": "r", "input": outputs}

    assert needed(RESPONSES, body("x", "y"), body("y", "x")) is None


def test_ids_of_items_count_where_the_item_is_whole() -> None:
    def body(id_: str) -> Any:
        return {
            "input": [
                {"role": "user", "content": "Hello", "id": f"msg_{id_}"},
                {"type": "reasoning", "id": f"rs_{id_}", "summary": [], "encrypted_content": "x"},
                {"type": "mcp_approval_request", "id": f"mcpr_{id_}", "name": "f", "arguments": "{}"},
                {"type": "mcp_approval_response", "approval_request_id": f"mcpr_{id_}", "approve": True},
            ]
        }

    assert needed(RESPONSES, body("a"), body("b")) == ("item-ids",)


def test_an_id_that_only_one_has_makes_two() -> None:
    without = {"contents": [{"parts": [{"functionCall": {"name": "f"}}]}]}
    having = {"contents": [{"parts": [{"functionCall": {"name": "f", "id": "a"}}]}]}
    assert needed(GEMINI, without, having) is None


def test_each_rule_says_why() -> None:
    assert [rule.name for rule in BUILT_IN if not rule.reason.endswith(".")] == []
