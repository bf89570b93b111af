"""Which rules would make two requests one, each the smallest, and what is never proposed."""

import json
from typing import Any

import pytest

from builders import chat
from wiretape.library.proposals import json_path, propose
from wiretape.matching.rules import Kind, MatchRule, Places, Replacement
from wiretape.recording import RecordedRequest
from wiretape.tape import comparison
from wiretape.tape.comparison import Side

RESPONSES = "/v1/responses"


def request(said: Any = "Hello", **more: Any) -> RecordedRequest:
    """Return a request to the Responses API."""
    return RecordedRequest(f"https://api.openai.com/v1{RESPONSES}", {"model": "m", "input": said, **more}, RESPONSES)


def found(here: RecordedRequest, there: RecordedRequest) -> tuple[list[MatchRule], list[str]]:
    compared = comparison.compare((), Side(here, Places()), Side(there, Places()))
    proposed = propose(compared)
    return [*proposed.rules], [*proposed.refused]


def ignore(path: str) -> MatchRule:
    return MatchRule("ignore", ignore=(path,))


def ids(path: str) -> MatchRule:
    return MatchRule("ids", ids=(path,))


def kinds(kind: Kind, path: str) -> MatchRule:
    return MatchRule("kinds", kinds=(kind,), paths=(path,))


def item(**members: Any) -> list[dict[str, Any]]:
    return [{"type": "message", "role": "user", "content": "Hi", **members}]


def user(**members: Any) -> dict[str, str]:
    """Return metadata that has JSON in a text, as Claude Code sends it."""
    return {"user_id": json.dumps({"device": "a", **members})}


LONG = "You are an agent.\n" * 20

# Two requests -> what is proposed.
PROPOSED: dict[str, tuple[RecordedRequest, RecordedRequest, list[MatchRule]]] = {
    "a member that varies": (request(trace="one two"), request(trace="three"), [ignore("$.trace")]),
    "a member that only one has": (request(trace="one"), request(), [ignore("$.trace")]),
    "a member within another": (
        request(metadata={"a b": {"run": 1}}),
        request(metadata={"a b": {"run": 2}}),
        [ignore("$.metadata['a b'].run")],
    ),
    "JSON in a text": (
        request(metadata=user(session="s one")),
        request(metadata=user(session="s two")),
        [ignore("$.metadata.user_id.session")],
    ),
    "an id that stands alone": (request(trace_id="t-1"), request(trace_id="t-2"), [ignore("$.trace_id")]),
    "an id that recurs": (
        request(trace_id="t-1", parent_id="t-1"),
        request(trace_id="t-2", parent_id="t-2"),
        [ids("$.parent_id"), ids("$.trace_id")],
    ),
    "ids in the conversation": (
        request([*item(turn_id="t-1"), *item(turn_id="t-2")]),
        request([*item(turn_id="u-1"), *item(turn_id="u-2")]),
        [ids("$.input[*].turn_id")],
    ),
    "an id in JSON in a text": (
        request([{"type": "function_call_output", "output": json.dumps({"text": "a", "run_id": "t-1"})}]),
        request([{"type": "function_call_output", "output": json.dumps({"text": "a", "run_id": "t-2"})}]),
        [ignore("$.input[*].output.run_id")],
    ),
    "a date in a text": (
        chat(f"{LONG}Today is 2026-11-27."),
        chat(f"{LONG}Today is 2026-11-28."),
        [kinds(Kind.DATES, "$.messages[*].content")],
    ),
    "a date in a part of a message": (
        chat([{"type": "text", "text": "Today is 2026-11-27."}]),
        chat([{"type": "text", "text": "Today is 2026-11-28."}]),
        [kinds(Kind.DATES, "$.messages[*].content[*].text")],
    ),
    "a date that is a member": (
        request(metadata={"day": "2026-11-27"}),
        request(metadata={"day": "2026-11-28"}),
        [kinds(Kind.DATES, "$.metadata.day")],
    ),
    "a hash behind a label": (
        chat(f"{LONG}x-header: v=2; cch=7053e; ok"),
        chat(f"{LONG}x-header: v=2; cch=a1b2c; ok"),
        [MatchRule("replace", replace=(Replacement(r"\bcch=([0-9a-f]+);", "$.messages[*].content", "cch"),))],
    ),
    "what a tool has measured": (
        request([{"type": "function_call_output", "output": json.dumps({"text": "a", "duration_ms": 12})}]),
        request([{"type": "function_call_output", "output": json.dumps({"text": "a", "duration_ms": 15})}]),
        [ignore("$.input[*].output.duration_ms")],
    ),
}


@pytest.mark.parametrize(("here", "there", "wanted"), PROPOSED.values(), ids=PROPOSED)
def test_what_is_proposed(here: RecordedRequest, there: RecordedRequest, wanted: list[MatchRule]) -> None:
    assert found(here, there) == (wanted, [])


SAID = "it is of the conversation"
TOOLS = "it is of the tools"
ANSWERED_BY = "a model answers by it"

# Two requests -> where and why nothing is proposed.
NEVER: dict[str, tuple[RecordedRequest, RecordedRequest, str, str]] = {
    "another question": (chat("Who?"), chat("What?"), "messages[0].content", SAID),
    "another number": (chat("Add 17"), chat("Add 18"), "messages[0].content", SAID),
    "a message more": (
        request([*item(), *item(content="And?")]),
        request(item()),
        "input[1]",
        SAID,
    ),
    "another role": (
        request(item(role="user")),
        request(item(role="system")),
        "input[0].role",
        SAID,
    ),
    "another text of a tool's": (
        request([{"type": "function_call_output", "output": json.dumps({"text": "a"})}]),
        request([{"type": "function_call_output", "output": json.dumps({"text": "b"})}]),
        "input[0].output.text",
        SAID,
    ),
    "the conversation as a whole": (request("Hello"), request(item()), "input", SAID),
    "instructions": (
        request(instructions="a b"),
        request(instructions="a c"),
        "instructions",
        SAID,
    ),
    "the model": (
        chat(),
        RecordedRequest(chat().url, {**chat().body, "model": "n"}, chat().endpoint),
        "model",
        ANSWERED_BY,
    ),
    "a parameter": (chat(temperature=1), chat(temperature=0), "temperature", ANSWERED_BY),
    "a parameter that only one has": (chat(seed=1), chat(), "seed", ANSWERED_BY),
    "tools": (chat(tools=[{"name": "a"}]), chat(tools=[{"name": "b"}]), "tools[0].name", TOOLS),
    "all tools": (chat(tools=[{"name": "a"}]), chat(), "tools", TOOLS),
}


@pytest.mark.parametrize(("here", "there", "where", "why"), NEVER.values(), ids=NEVER)
def test_what_is_never_proposed(here: RecordedRequest, there: RecordedRequest, where: str, why: str) -> None:
    for one, two in ((here, there), (there, here)):
        rules, (told,) = found(one, two)
        assert not rules
        assert told.startswith(f"{where}: ")
        assert told.endswith(f" in the recording: {why}")


def test_one_proposal_serves_many_places() -> None:
    here = [*item(content="Today is 2026-11-27."), *item(content="Now is 2026-11-27.")]
    there = [*item(content="Today is 2026-11-28."), *item(content="Now is 2026-11-28.")]
    assert found(request(here), request(there)) == ([kinds(Kind.DATES, "$.input[*].content")], [])


def test_a_path_to_a_name_that_none_can_have() -> None:
    assert json_path(("metadata", "it's")) is None
    assert json_path(()) is None
