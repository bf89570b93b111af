"""The fewest rules that make misses hits, tried on all recordings."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from builders import TABLE, RecordingTape, came, chat, name_of, tape_of
from places import TESTS
from wiretape.library import folding, suggestions
from wiretape.library.suggestions import Suggestion
from wiretape.matching import reduction
from wiretape.matching import request as matching
from wiretape.matching.built_in import BUILT_IN
from wiretape.matching.rules import Kind, MatchContext, MatchPolicy, MatchRule, Places, Unordered
from wiretape.policy import Mode
from wiretape.recording import RecordedRequest
from wiretape.store.directory import DirectoryStore
from wiretape.tape.kept_misses import KeptMiss

AGENT = MatchContext("openai", ("/v1/chat/completions", "/chat/completions"), "m", "agent/2.1 (linux)", "main")
PROMPT = "You are an agent. " * 20


AGENTS = TESTS / "data" / "agents"


@pytest.fixture
def tape(tmp_path: Path) -> RecordingTape:
    return tape_of(DirectoryStore(tmp_path), "main", Mode.RECORD)


def asked(question: str = "Who?", *, day: str = "2026-11-27", **more: Any) -> RecordedRequest:
    return chat(f"{PROMPT}\nToday is {day}.\n{question}", **more)


def name(request: RecordedRequest) -> str:
    return name_of(request).removesuffix(".json")


def suggested(
    tape: RecordingTape, misses: Sequence[RecordedRequest], context: MatchContext = AGENT, *rules: MatchRule
) -> list[Suggestion]:
    policy = MatchPolicy((*BUILT_IN, *rules))
    kept = [KeptMiss("2026-11-28T10:00:00", context, each) for each in misses]
    missed = [suggestions.looked_at(each, tape.near(each.request), policy) for each in kept]
    return [*suggestions.suggest(missed, suggestions.read(tape.store, [tape.session]))]


def test_a_rule_for_the_client_and_the_endpoint_at_the_place_that_differs(tape: RecordingTape) -> None:
    tape.record(asked(), came("Ada"))
    (found,) = suggested(tape, [asked(day="2026-11-28")])
    (rule,) = found.rules
    assert (rule.kinds, rule.paths) == ((Kind.DATES,), ("$.messages[*].content",))
    assert (rule.applies.clients, rule.applies.endpoints) == (("agent/*",), ("/v1/chat/completions",))
    assert len(found.hits) == 1
    assert not found.folded
    assert not found.refused


def test_the_fewest_rules_serve_all_misses(tape: RecordingTape) -> None:
    tape.record(asked(trace="one two"), came("Ada"))
    misses = [asked(day="2026-11-28", trace="three"), asked(day="2026-11-29", trace="four"), asked("What?")]
    (found,) = suggested(tape, misses)
    assert [(rule.ignore, rule.kinds) for rule in found.rules] == [(("$.trace",), ()), ((), (Kind.DATES,))]
    assert len(found.hits) == 2
    (other,) = [each for each in found.missed if each.miss.hash not in found.hits]
    assert other.refused == (
        'messages[0].content, line 3: "What?" here, "Who?" in the recording: it is of the conversation',
    )


def test_what_helps_no_miss_is_left_out(tape: RecordingTape) -> None:
    tape.record(asked(), came("Ada"))
    (found,) = suggested(tape, [asked("What?", trace="one"), asked(day="2026-11-28")])
    assert [rule.kinds for rule in found.rules] == [(Kind.DATES,)]


def test_what_makes_recordings_one_whose_answers_differ_is_refused_and_told(tape: RecordingTape) -> None:
    monday = asked(day="2026-11-30")
    tuesday = asked(day="2026-12-01")
    tape.record(monday, came("Ada"))
    tape.record(tuesday, came("Bob"))
    (found,) = suggested(tape, [asked(day="2026-12-02")])
    assert not found.rules
    assert not found.hits
    (refused,) = found.refused
    assert refused.effect.kinds == (Kind.DATES,)
    assert set(refused.names) == {name(monday), name(tuesday)}


def test_proposals_that_do_harm_only_together_are_not_both_suggested(tape: RecordingTape) -> None:
    tape.record(asked(day="2026-11-30", trace="one"), came("Ada"))
    tape.record(asked(day="2026-12-01", trace="two"), came("Bob"))
    (found,) = suggested(tape, [asked(day="2026-12-02", trace="three")])
    assert len(found.refused) == 1
    assert not found.rules


def test_what_else_becomes_one_is_told(tape: RecordingTape) -> None:
    monday = asked(day="2026-11-30")
    tuesday = asked(day="2026-12-01")
    tape.record(monday, came("Ada"))
    tape.record(tuesday, came("Ada"))
    (found,) = suggested(tape, [asked(day="2026-12-02")])
    assert found.hits
    assert found.folded == (tuple(sorted((name(monday), name(tuesday)))),)


def test_takes_of_a_request_are_no_harm(tmp_path: Path) -> None:
    tape = tape_of(DirectoryStore(tmp_path), "main", Mode.RECORD, takes="sequence")
    tape.record(asked(), came("Ada"))
    tape.record(asked(), came("Bob"))
    (found,) = suggested(tape, [asked(day="2026-11-28")])
    assert found.hits
    assert not found.refused


def test_what_is_a_hit_by_now_asks_for_no_rule(tape: RecordingTape) -> None:
    tape.record(asked(), came("Ada"))
    (found,) = suggested(tape, [asked(prompt_cache_key="a")])
    assert len(found.hits_now) == 1
    assert not found.rules
    today = MatchRule("today", kinds=(Kind.DATES,))
    (found,) = suggested(tape, [asked(day="2026-11-28")], AGENT, today)
    assert len(found.hits_now) == 1


def test_each_client_has_rules_of_its_own(tape: RecordingTape) -> None:
    tape.record(asked(), came("Ada"))
    misses = [asked(day="2026-11-28")]
    (nobody,) = suggested(tape, misses, MatchContext(endpoints=AGENT.endpoints))
    assert nobody.applies.clients == ()
    (odd,) = suggested(tape, misses, MatchContext(endpoints=AGENT.endpoints, client="*/1"))
    assert odd.applies.clients == ()


def test_where_nothing_is_recorded_nothing_is_suggested(tape: RecordingTape) -> None:
    (found,) = suggested(tape, [asked()])
    assert not found.rules
    assert found.missed[0].nearest is None


def test_what_is_in_a_layer_is_looked_at_too(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    tape_of(store, "base", Mode.RECORD).record(asked(), came("Ada"))
    top = tape_of(store, "top", Mode.REPLAY, layers=("base",))
    miss = KeptMiss("2026-11-28T10:00:00", AGENT, asked(day="2026-11-28"))
    missed = suggestions.looked_at(miss, top.near(miss.request), MatchPolicy(BUILT_IN))
    (found,) = suggestions.suggest([missed], suggestions.read(store, ["top", "base"]))
    assert found.hits
    assert missed.nearest
    assert missed.nearest.name == f"base/{name(asked())}"


# What differs of a request as a whole -> the rule for it.
TOOLS = [{"type": "function", "function": {"name": name}} for name in ("cat", "ls")]
PLACED = ("in /home/ada/notes", "in /srv/job-17")
WHOLE: dict[str, tuple[RecordedRequest, RecordedRequest, dict[str, Any]]] = {
    "the order of tools": (asked(tools=TOOLS), asked(tools=TOOLS[::-1]), {"unordered": (Unordered.TOOLS,)}),
    "how a number is written": (asked(temperature=1), asked(temperature=1.0), {"numbers": True}),
    "blanks": (asked("Who  are\nyou?"), asked("Who are you?"), {"whitespace": True}),
    "directories": (
        reduction.with_places(asked(PLACED[0]), Places(cwd=("/home/ada/notes",))),
        reduction.with_places(asked(PLACED[1]), Places(cwd=("/srv/job-17",))),
        {"kinds": (Kind.PATHS,)},
    ),
}


@pytest.mark.parametrize(("recorded", "present", "effect"), WHOLE.values(), ids=WHOLE)
def test_what_differs_of_a_request_as_a_whole(
    tape: RecordingTape, recorded: RecordedRequest, present: RecordedRequest, effect: dict[str, Any]
) -> None:
    tape.record(recorded, came("Ada"))
    (found,) = suggested(tape, [present])
    assert found.hits
    (rule,) = found.rules
    assert rule == MatchRule(rule.name, rule.reason, found.applies, **effect)


# -- real programs -----------------------------------------------------------------------------------------------------

# A program and a run of it -> all misses become hits, by rules that nobody has written.
RUNS = [
    ("claude-code", "again"),
    ("claude-code", "tomorrow"),
    ("codex", "again"),
    ("codex", "tomorrow"),
    ("codex", "machine"),
    ("opencode", "tomorrow"),
    ("opencode", "elsewhere"),
    ("aider", "tomorrow"),
]


def requests_of(run: dict[str, Any]) -> list[tuple[RecordedRequest, MatchContext]]:
    """Return the requests of a run of a program, and whose they are."""
    places = Places(cwd=(run["cwd"],), home=(run["home"],))
    made = []
    for sent in run["requests"]:
        url = urlsplit(sent["url"])
        found = TABLE.route(sent["method"], "https", url.hostname or "", 443, sent["url"].partition(url.netloc)[2])
        assert found
        request = matching.recorded(found, json.dumps(sent["body"]).encode(), "application/json")
        context = folding.context_of(request, sent["user_agent"], "main", TABLE)
        made.append((reduction.with_places(request, places), context))
    return made


@pytest.mark.parametrize(("program", "run"), RUNS)
def test_what_real_programs_vary_is_found_without_a_preset(tape: RecordingTape, program: str, run: str) -> None:
    runs = json.loads((AGENTS / f"{program}.json").read_text("utf-8"))["runs"]
    for number, (request, _) in enumerate(requests_of(runs["first"])):
        tape.record(request, came(f"answer {number}"))
    policy = MatchPolicy(BUILT_IN)
    kept = [KeptMiss("2026-11-28T10:00:00", context, request) for request, context in requests_of(runs[run])]
    missed = [suggestions.looked_at(each, tape.near(each.request), policy) for each in kept]
    found = [*suggestions.suggest(missed, suggestions.read(tape.store, ["main"]))]
    helped = {each for suggestion in found for each in (*suggestion.hits, *suggestion.hits_now)}
    assert {each.hash for each in kept} == helped
    assert not any(suggestion.refused for suggestion in found)
