"""The rules of a team: where they match in a text, where they apply in a value, and what they allow."""

from typing import Any

import pytest

from wiretape.redaction.rules import RedactionRule
from wiretape.redaction.team_rules import AllowedTexts, PlacedRules, TeamRule
from wiretape.rewriting.spans import Span

NOTHING = AllowedTexts([])


def rule(**said: Any) -> TeamRule:
    return TeamRule(RedactionRule(**{"name": "r", "replace": "*", **said}))


def taken(team_rule: TeamRule, text: str) -> list[str]:
    return [text[span.start : span.end] for span in team_rule.spans(text)]


@pytest.mark.parametrize(
    ("text", "is_allowed"),
    [("demo", True), ("demo-1", False), ("test-17", True), ("a test-17", False), ("", False), ("\ud800", False)],
)
def test_what_is_allowed_is_all_of_a_text(text: str, *, is_allowed: bool) -> None:
    assert (text in AllowedTexts(["demo", "/test-[0-9]+/"])) is is_allowed


def test_spans_of_what_is_allowed_are_left_out() -> None:
    one, other = Span(0, 4, "d", "*"), Span(5, 8, "d", "*")
    assert AllowedTexts(["demo"]).remove_from([other, one], "demo key") == [other]


@pytest.mark.parametrize(
    ("said", "text", "found"),
    [
        ({"pattern": "ACME-[0-9]+"}, "of ACME-1 and ACME-22.", ["ACME-1", "ACME-22"]),
        ({"pattern": "id=([0-9]+)"}, "id=17&id=4", ["17", "4"]),
        ({"pattern": "ACME-[0-9]+", "allow": ("ACME-1",)}, "ACME-1 ACME-22", ["ACME-22"]),
        ({"pattern": "x*"}, "aüxxb", ["xx"]),
        ({"pattern": "ü+"}, "aüüb", ["üü"]),
        ({"pattern": "c-[0-9]+", "replace": "c-0"}, "c-0 c-1", ["c-1"]),  # What it has put there stays.
        ({"path": "a"}, "anything", []),
    ],
)
def test_where_a_pattern_matches(said: dict[str, Any], text: str, found: list[str]) -> None:
    assert taken(rule(**said), text) == found


def test_a_long_match_and_a_late_one_are_found_whole() -> None:
    assert taken(rule(pattern="x+"), "ü" * 700 + "x" * 3000 + "y") == ["x" * 3000]
    assert taken(rule(pattern="K[0-9]{9}"), "a" * 1020 + "K123456789" + "b" * 5000 + "K987654321") == [
        "K123456789",
        "K987654321",
    ]


def test_all_of_a_value_at_a_path_or_what_matches_in_it() -> None:
    assert rule(path="a").whole("Jane Doe") == [Span(0, 8, "r", "*")]
    assert rule(path="a").whole("") == []
    assert rule(path="a").whole("*") == []
    assert rule(path="a", allow=("Jane",)).whole("Jane") == []
    assert [(s.start, s.end) for s in rule(path="a", pattern="D[a-z]+").whole("Jane Doe")] == [(5, 8)]


def placed(*paths: str, allowed: AllowedTexts = NOTHING) -> PlacedRules:
    return PlacedRules.at_root([rule(name=path, path=path) for path in paths], allowed)


def test_rules_apply_where_their_paths_lead() -> None:
    root = placed("messages[*].name", "user")
    assert root
    assert [s.detector for s in root.enter("messages").enter(0).enter("name").spans("Jane")] == ["messages[*].name"]
    assert root.enter("messages").enter(0).spans("Jane") == []
    assert [s.detector for s in root.enter("user").spans("Jane")] == ["user"]
    assert not PlacedRules.at_root([rule(pattern="x")], NOTHING)


@pytest.mark.parametrize(
    ("path", "value", "cleaned"),
    [
        ("user", {"user": "Jane", "n": 1}, {"user": "*", "n": 1}),
        ("user", {"user": 17}, {"user": "*"}),
        ("user", {"user": 1.5}, {"user": "*"}),
        ("user", {"user": True, "x": None}, {"user": True, "x": None}),
        ("user", {"user": {"a": ["b", 2]}}, {"user": {"a": ["*", "*"]}}),
        ("a[1]", {"a": ["x", "y"]}, {"a": ["x", "*"]}),
        ("**.id", {"a": [{"id": "x"}], "id": "y"}, {"a": [{"id": "*"}], "id": "*"}),
    ],
)
def test_a_value_without_what_the_rules_take_out(path: str, value: Any, cleaned: Any) -> None:
    assert placed(path).clean(value) == cleaned


def test_a_value_that_no_rule_applies_to_is_the_very_same() -> None:
    value = {"a": [{"b": "x"}], "c": 7}
    assert placed("user").clean(value) is value
    assert placed("a", allowed=AllowedTexts(["x"])).clean(value) is value
