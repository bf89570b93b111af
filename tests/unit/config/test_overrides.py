"""What is asked for while a proxy runs, as JSON."""

from typing import Any

import pytest

from wiretape import config
from wiretape.config import overrides
from wiretape.config.overrides import Known
from wiretape.exceptions import ConfigurationError
from wiretape.policy import Mode, Takes
from wiretape.replay.pacing import Pace
from wiretape.sessions.scopes import Overrides, Scope, SessionOverride

KNOWN = Known.of(config.loads("team.toml", '[session.golden]\nmodes = ["replay", "live"]\n'), "main")

FAULT = {"status": 429, "nth": [1, 2], "retry_after": 1, "body": {"error": "slow down"}}

WHOLE: dict[str, Any] = {
    "client": "gw0",
    "session": "checkout",
    "test_id": "tests/test_pay.py::test_pay[ä]",
    "isolated": True,
    "mode": "replay",
    "pace": "50tps,ttft=0.3s",
    "takes": "cycle",
    "match": ["auto", "position"],
    "faults": [FAULT],
}


def test_a_scope_is_the_same_as_json() -> None:
    scope = overrides.scope(WHOLE, KNOWN)
    override = scope.override
    assert scope == Scope(scope.id, "gw0", "checkout", WHOLE["test_id"], is_isolated=True, override=override)
    assert (override.mode, override.pace, override.takes) == (Mode.REPLAY, Pace(rate=50, first=0.3), Takes.CYCLE)
    assert scope.as_json() == {**WHOLE, "id": scope.id}


def test_a_scope_needs_no_more_than_a_client() -> None:
    scope = overrides.scope({"client": "gw0", "session": None, "pace": None}, KNOWN)
    assert scope == Scope(scope.id, "gw0", "main")
    assert scope.as_json() == {"id": scope.id, "client": "gw0", "session": "main"}


def test_workers_get_all_of_it_as_it_was_given() -> None:
    asked = Overrides().with_scope(overrides.scope(WHOLE, KNOWN))
    told = {"mode": "live", "pace": "recorded", "layers": ["base"], "match": ["exact"], "faults": [{"delay": "5ms"}]}
    asked = asked.with_session("golden", overrides.session_override(told, "golden", KNOWN))
    assert asked.sessions["golden"].as_json() == told
    assert overrides.loads(overrides.dumps(asked), KNOWN) == asked
    assert overrides.loads(overrides.dumps(Overrides()), KNOWN) == Overrides()


def test_of_a_scope_that_is_open_pace_faults_and_mode_change() -> None:
    former = overrides.scope(WHOLE, KNOWN)
    changed = overrides.changed_scope(former, {"pace": None, "faults": [], "mode": "live"}, KNOWN)
    rest = {name: value for name, value in WHOLE.items() if name not in ("pace", "faults", "mode")}
    assert changed.as_json() == {**rest, "id": former.id, "mode": "live"}
    assert overrides.changed_scope(former, {}, KNOWN) == former
    with pytest.raises(ConfigurationError, match=r"unknown key session.*mode, pace, faults"):
        overrides.changed_scope(former, {"session": "other"}, KNOWN)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"pac": "2x"}, "unknown key pac: did you mean pace"),
        ({"layers": ["a"]}, "unknown key layers"),
        ({"id": "1"}, "unknown key id"),
        ({"client": "Gw 0"}, "client: 'Gw 0' is no session name: 1 to 64 of"),
        ({"client": "../etc"}, "client: "),
        ({"client": ""}, "client: "),
        ({"client": None}, "has no client"),
        ({"client": 5}, "client: is a text, not 5"),
        ({"session": "a/b"}, "session: 'a/b' is no session name"),
        ({"mode": "reply"}, "mode: is one of live, record, .*did you mean replay"),
        ({"session": "golden", "mode": "record"}, "mode: is one of replay, live in session golden"),
        ({"pace": "fast"}, "pace: 'fast' is no pace: it is instant"),
        ({"pace": "1e999x"}, "pace: "),
        ({"takes": "all"}, "takes: is one of first"),
        ({"match": "exact"}, "match: is a list of texts"),
        ({"match": []}, "match: is a list of texts"),
        ({"match": ["nobody"]}, "match: 'nobody' is no way to match, and no preset.*codex"),
        ({"match": ["exact", "codex"]}, "match: exact stands alone"),
        ({"isolated": "yes"}, "isolated: is true or false"),
        ({"test_id": ""}, "isolated: needs a test_id"),
        ({"test_id": "x" * 1001}, "test_id: is a text of at most 1000"),
        ({"test_id": "\ud800"}, "test_id: .*half a character"),
        ({"faults": FAULT}, "faults: is a list of faults"),
        ({"faults": [{"delay": "5"}]}, r"faults\[0\].delay: is a time such as 300ms"),
        ({"faults": [FAULT, {"delay": "0s"}]}, r"faults\[1\].delay: is a time of more than 0"),
        ({"faults": [{"status": 429, "cut": 1}]}, r"faults\[0\]: has status and cut"),
        ({"faults": [{"status": 200}]}, r"faults\[0\].status: is a number from 400 to 599"),
        ({"faults": [{"status": 429, "provider": "opnai"}]}, r"faults\[0\]: no provider is named 'opnai'.*openai"),
        ({"faults": [{"status": 429, "body": "\ud800"}]}, "half a character"),
        ({"faults": [{"share": 0.5}]}, r"faults\[0\]: nothing goes wrong"),
        ({"faults": [FAULT] * 101}, "faults: are at most 100, not 101"),
    ],
)
def test_what_is_wrong_is_told_with_what_is_right(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        overrides.scope({**WHOLE, **changed}, KNOWN)


@pytest.mark.parametrize("value", [None, [], "gw0", 5, [WHOLE]])
def test_what_is_no_object_is_told(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="is an object, not"):
        overrides.scope(value, KNOWN)
    with pytest.raises(ConfigurationError, match="is an object, not"):
        overrides.session_override(value, "a", KNOWN)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("a/b", {}, "'a/b' is no session name"),
        ("a", {"client": "gw0"}, "unknown key client"),
        ("a", {"layers": ["A"]}, "layers: 'A' is no session name"),
        ("a", {"layers": ["a"]}, "layers go round in a circle"),
        ("a", {"layers": ["b", "b"]}, "layers: is a list of names, each once"),
        ("golden", {"mode": "record"}, "mode: is one of replay, live in session golden"),
    ],
)
def test_what_cannot_hold_for_a_session_is_told(name: str, value: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        overrides.session_override(value, name, KNOWN)


def test_a_session_can_have_no_layers() -> None:
    assert overrides.session_override({"layers": []}, "a", KNOWN) == SessionOverride(layers=())
