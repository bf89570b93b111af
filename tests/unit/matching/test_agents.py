"""What real agents send in five runs is the same by their presets, and nothing else is. See tests/data/agents."""

import json
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pytest

from builders import TABLE
from places import DATA
from wiretape.matching import choice, presets, reduction
from wiretape.matching import request as matching
from wiretape.matching.reduction import Reduced
from wiretape.matching.rules import MatchContext, MatchPolicy, Places
from wiretape.providers.routing import Route
from wiretape.recording import RecordedRequest

PROGRAMS = ("claude-code", "codex", "codex-functions", "gemini-cli", "opencode", "aider", "llm")
RUNS = ("again", "elsewhere", "tomorrow", "machine")
BY_NAME = "auto,aider"
"""aider has no User-Agent of its own: its preset is chosen by its name."""

OF_PRESETS = {
    ("claude-code", "again"): {"billing"},
    ("claude-code", "elsewhere"): {"billing", "directories", "git"},
    ("claude-code", "tomorrow"): {"billing", "date"},
    ("claude-code", "machine"): {"billing", "directories", "git", "machine"},
    ("codex", "again"): {"turn"},
    ("codex", "elsewhere"): {"turn", "directories"},
    ("codex", "tomorrow"): {"turn", "date"},
    ("codex", "machine"): {"turn", "directories"},
    ("codex-functions", "again"): {"turn", "commands"},
    ("codex-functions", "elsewhere"): {"turn", "commands", "directories"},
    ("codex-functions", "tomorrow"): {"turn", "commands", "date"},
    ("codex-functions", "machine"): {"turn", "commands", "directories"},
    ("gemini-cli", "again"): {"process-group"},
    ("gemini-cli", "elsewhere"): {"process-group", "directories", "project"},
    ("gemini-cli", "tomorrow"): {"process-group", "date"},
    ("gemini-cli", "machine"): {"process-group", "directories", "project", "skills"},
    ("opencode", "elsewhere"): {"directories"},
    ("opencode", "tomorrow"): {"date"},
    ("opencode", "machine"): {"directories", "machine"},
    ("aider", "tomorrow"): {"date"},
    ("aider", "machine"): {"machine"},
}
"""The rules of its preset without which a program's run is another one than the first."""

BY_CHANCE = [
    ("codex", "commands", ["Wall time 0.", "Wall time 17."]),
    ("codex", "machine", ["<shell>bash<", "<shell>zsh<"]),
    ("codex", "machine", ["<timezone>Etc/UTC<", "<timezone>Asia/Tokyo<"]),
    ("gemini-cli", "machine", ["My operating system is: linux", "My operating system is: darwin"]),
    ("gemini-cli", "skills", ["'skill-creator', 'antigravity-support'", "'antigravity-support', 'skill-creator'"]),
    ("gemini-cli", "skills", ['["skill-creator", "antigravity-support"]', '["antigravity-support", "skill-creator"]']),
    ("gemini-cli", "skills", ["<name>skill-creator</name>", "<name>the-other-first</name>"]),
]
"""What differs now and then: a program, the rule that takes it out, and what may stand in the place of what."""


@dataclass(frozen=True)
class Sent:
    """A request of a run."""

    route: Route
    request: RecordedRequest
    client: str
    places: Places

    def reduced(self, policy: MatchPolicy) -> Reduced:
        """Return it without what the rules take out."""
        context = MatchContext(
            self.route.provider, self.route.endpoint_names, self.request.model, self.client, "default"
        )
        return reduction.reducer(policy.rules_for(context)).reduce(self.request, self.places)


@cache
def program(name: str) -> dict[str, Any]:
    described: dict[str, Any] = json.loads((DATA / "agents" / f"{name}.json").read_text("utf-8"))
    return described


@cache
def sent(name: str, run: str) -> list[Sent]:
    described = program(name)["runs"][run]
    places = Places(cwd=(described["cwd"],), home=(described["home"],))
    return [_sent(each, places) for each in described["requests"]]


def _sent(described: dict[str, Any], places: Places) -> Sent:
    url = urlsplit(described["url"])
    route = TABLE.route(described["method"], "https", url.hostname or "", 443, f"{url.path}?{url.query}".rstrip("?"))
    assert route
    body = json.dumps(described["body"]).encode()
    return Sent(route, matching.recorded(route, body, "application/json"), described["user_agent"], places)


@cache
def policy(text: str) -> MatchPolicy:
    known = presets.built_in()
    return presets.policy(choice.parse(text, known), known, (), Places())


def without(text: str, rule: str) -> MatchPolicy:
    """The policy without one rule of a preset."""
    whole = policy(text)
    return replace(whole, rules=tuple(each for each in whole.rules if each.name != rule))


def of(name: str) -> str:
    """The preset of a program: Codex has one, whatever tools its model has."""
    return name.removesuffix("-functions")


def are_same(one: Sent, two: Sent, rules: MatchPolicy) -> bool:
    return one.reduced(rules).digest == two.reduced(rules).digest


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_run_is_the_first_one_by_its_preset_and_needs_each_rule_of_it(name: str, run: str) -> None:
    pairs = [*zip(sent(name, "first"), sent(name, run), strict=True)]
    for first, now in pairs:
        assert now.reduced(policy(BY_NAME)).body == first.reduced(policy(BY_NAME)).body
        assert are_same(first, now, policy(BY_NAME))
    rules = OF_PRESETS.get((name, run), set())
    for rule in rules:
        assert not all(are_same(first, now, without(BY_NAME, f"{of(name)}/{rule}")) for first, now in pairs), rule
    needed = {
        rule
        for first, now in pairs
        for rule in reduction.needed(first.reduced(policy(BY_NAME)), now.reduced(policy(BY_NAME)))
    }
    assert {rule.partition("/")[2] for rule in needed if "/" in rule} == rules
    # Ids of calls are the scripted provider's, which differ where it is asked again: llm needs no other rule.
    assert not all(are_same(first, now, policy("exact")) for first, now in pairs) or name == "aider"


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_no_directory_needs_to_be_known_from_elsewhere(name: str, run: str) -> None:
    """A proxy of a team's knows no client's directories: the requests tell them."""
    for first, now in zip(sent(name, "first"), sent(name, run), strict=True):
        assert are_same(replace(first, places=Places()), replace(now, places=Places()), policy(BY_NAME))


@pytest.mark.parametrize(("name", "rule", "change"), BY_CHANCE, ids=lambda each: str(each)[:30])
def test_what_differs_by_chance_makes_no_difference(name: str, rule: str, change: list[str]) -> None:
    first = sent(name, "first")[-1]
    now = changed(first, *change)
    assert are_same(first, now, policy(BY_NAME))
    assert not are_same(first, now, without(BY_NAME, f"{of(name)}/{rule}"))


def changed(one: Sent, old: str, new: str) -> Sent:
    """Return a request with another text in the place of one that must be in it."""
    text = json.dumps(dict(one.request.body))
    assert old in text, old
    return replace(one, request=replace(one.request, body=json.loads(text.replace(old, new))))


def test_the_programs_are_those_that_presets_have_rules_for() -> None:
    tried = {name: preset.tried for name, preset in presets.built_in().items() if preset.rules}
    assert {of(name): (program(name)["version"],) for name in PROGRAMS if name != "llm"} == tried


# -- what matters stays what matters -----------------------------------------------------------------------------------


TYPED = [
    ("tell me the word", "tell me the other word"),
    ("answer.txt, and", "answers.txt, and"),
    ("Print notes.txt", "Print /etc/notes.txt"),
    ("Print notes.txt", "Today's date is 2026-11-{n:02}. Print notes.txt"),
    ("Print notes.txt", "Current date: 2026-12-{n:02}\\nPrint notes.txt"),
    ("Print notes.txt", "Print {n} lines of notes.txt"),
    ("Print notes.txt", "It took {n}.5 seconds, Wall time {n}.5 seconds. Print notes.txt"),
    ("Print notes.txt", "Process Group PGID: {n}. Print notes.txt"),
    ("Print notes.txt", "Look at commit {n:07x} and print notes.txt"),
    ("Print notes.txt", "Ticket 7f3a{n:04x}-11aa-4bbb-8ccc-0123456789ab: print notes.txt"),
    ("Print notes.txt", "cch={n:05x}; Print notes.txt"),
    ("Print notes.txt", "Print notes.txt at {n}:30"),
    ("Print notes.txt", "Print {cwd}/notes-{n}.txt"),
    ("Print notes.txt", "Print {cwd}-{n}/notes.txt"),
    ("Print notes.txt", "Print {home}/.profile-{n} and notes.txt"),
    ("Print notes.txt", "Use call_{n:024x}. Print notes.txt"),
]
"""What a user types instead: ``n`` is another number in each of the two requests."""

NUMBERS = (3, 4, 17)
"""Each against the one before it, and the first against what was asked at first."""


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_a_user_types_is_another_question_under_every_preset(name: str) -> None:
    pairs = 0
    for one in asking(name):
        for old, new in TYPED:
            versions = [one]
            for number in NUMBERS:
                text = new.format(n=number, cwd=one.places.cwd[0], home=one.places.home[0])
                if text != new or number == NUMBERS[0]:
                    versions.append(changed(one, old, text))
            for here, there in pairwise(versions):
                assert not are_same(here, there, policy(EVERY)), (old, new)
                pairs += 1
    assert pairs >= len(TYPED)


EVERY = ",".join(("auto", *presets.built_in()))
"""All presets at once, for every client."""


def asking(name: str) -> list[Sent]:
    """Return the requests that have the question in them. aider's is another: it is asked that of the others."""
    requests = sent(name, "first")
    if name == "aider":
        question = "Print notes.txt, write answer.txt, and tell me the word"
        requests = [changed(each, "the word to jam", question) for each in requests if says(each, "the word to jam")]
    return [each for each in requests if says(each, "Print notes.txt")]


def says(one: Sent, text: str) -> bool:
    return text in json.dumps(dict(one.request.body))


PARTS = [
    ("marmalade", "apricot", "a tool's result"),
    ("cat notes.txt", "cat nodes.txt", "a call of a tool"),
    ("notes.txt", "nodes.txt", "a file of the directory"),
    ('"type": "string"', '"type": "integer"', "a tool's schema"),
    ('"name": "', '"name": "other_', "a tool's name"),
]


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize(("old", "new", "what"), PARTS, ids=[each[2] for each in PARTS])
def test_another_part_is_another_request_under_every_preset(name: str, old: str, new: str, what: str) -> None:
    for one in sent(name, "first"):
        if says(one, old):
            assert not are_same(one, changed(one, old, new), policy(EVERY)), what


@pytest.mark.parametrize("name", PROGRAMS)
def test_another_model_and_another_number_is_another_request(name: str) -> None:
    for one in sent(name, "first"):
        body = dict(one.request.body)
        for member, value in (("temperature", 0.25), ("max_tokens", 77), ("model", "another"), ("seed", 5)):
            other = replace(one, request=replace(one.request, body={**body, member: value}))
            assert not are_same(one, other, policy(EVERY)), member


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_two_turns_of_a_run_are_one(name: str) -> None:
    """They differ by what the tools answered, and by nothing that a rule may take out."""
    digests = [each.reduced(policy(EVERY)).digest for each in sent(name, "first")]
    assert len({*digests}) == len(digests)
