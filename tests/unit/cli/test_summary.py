"""What a run says when its command has ended."""

import warnings
from decimal import Decimal
from typing import Any

import pytest

from wiretape.metrics.counters import Counters, Reason
from wiretape.proxy.call_report import CallReport

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mitmproxy's, of pyparsing's new names.
    from wiretape.cli.run import RunOutcome
    from wiretape.cli.summary import summary


def said(
    counters: Counters | None = None, *, misses: tuple[str, ...] = (), missed: int = 0, **changed: Any
) -> list[str]:
    calls = CallReport()
    for each in misses:
        calls.misses[each] = calls.misses.get(each, 0) + 1
    calls.missed = missed or len(misses)
    values = {"code": 0, "connections": 1, "hosts": ("api.openai.com",), "tunnels": {}, **changed}
    return summary(
        RunOutcome(mode="replay", session="s", counters=counters or Counters(), calls=calls, **values)
    ).split("\n")


NOTHING = "replay, session s: 0 hits, 0 misses, 0 recordings made, 0 tokens served from recordings"


def test_what_was_served() -> None:
    assert said(Counters(hits=1, tokens=1200)) == [
        "replay, session s: 1 hit, 0 misses, 0 recordings made, 1,200 tokens served from recordings"
    ]


def test_which_rules_were_needed() -> None:
    assert said(Counters(hits=3, hits_by_rules=2, rules={"call-ids": 1, "codex/date": 2})) == [
        "replay, session s: 3 hits, 2 of them by rules (codex/date, call-ids), 0 misses, 0 recordings made, "
        "0 tokens served from recordings"
    ]


def test_what_went_elsewhere_is_said_where_there_is_any() -> None:
    reasons = {Reason.BROKE_OFF: 1, Reason.PRIVATE: 2}
    counters = Counters(
        hits=2, misses=1, upstream=4, followed=1500, recorded=1, ignored=7, faults=1, unrecorded=3, reasons=reasons
    )
    counters.saved_usd = Decimal("1.5")
    assert said(counters) == [
        "replay, session s: 2 hits, 1 miss, 4 requests sent to a provider, 1,500 that followed an equal one under way, "
        "1 recording made, 0 tokens served from recordings, saved 1.50 USD, 7 requests beside the model ignored, "
        "1 fault injected, "
        "3 live answers that became no recording (2 with a secret, 1 broke off)"
    ]


def test_each_miss_has_its_line_and_the_rest_is_counted() -> None:
    assert said(Counters(misses=5), misses=("/v1/x m: no", "/v1/y m: no"), missed=5)[1:] == [
        "miss: /v1/x m: no",
        "miss: /v1/y m: no",
        "and 3 misses more",
    ]
    assert said(Counters(misses=2), misses=("a",), missed=2)[1:] == ["miss: a", "and 1 miss more"]


def test_where_nothing_came_it_is_said_what_may_be_wrong() -> None:
    lines = said(connections=0)
    assert lines[0] == "replay, session s: nothing went through the proxy."
    assert "HTTPS_PROXY" in lines[1]
    assert "--mode reverse:" in lines[2]


def test_of_an_isolated_command_it_is_not_asked_how_it_goes_past_the_proxy() -> None:
    _, why = said(connections=0, is_isolated=True)
    assert why.startswith("It was isolated, so it has asked nobody.")


def test_a_command_that_failed_first_is_not_asked_for_its_proxy() -> None:
    assert said(connections=0, code=127) == [
        "replay, session s: the command ended with exit code 127 before anything went through the proxy."
    ]


@pytest.mark.parametrize(
    ("hosts", "tunnels", "seen"),
    [
        ((), {}, "none"),
        (("a", "b"), {"b": False, "c": False}, "a, b, c"),
        (("a", "b", "c", "d", "e"), {}, "a, b, c, d, e"),
        (("a", "b", "c", "d", "e", "f"), {}, "a, b, c, d, e, ..."),
    ],
)
def test_where_no_request_was_for_a_provider_the_hosts_are_said(hosts: Any, tunnels: Any, seen: str) -> None:
    assert said(hosts=hosts, tunnels=tunnels) == [
        NOTHING,
        f"No request was for a known LLM endpoint (hosts seen: {seen}).",
    ]


def test_a_tunnel_through_which_nothing_came_is_said() -> None:
    lines = said(hosts=(), tunnels={"a.example": False, "api.openai.com": True})
    assert lines[2].startswith("A tunnel to api.openai.com was asked for, and no request came through it")
    assert len(said(hosts=("api.openai.com",), tunnels={"api.openai.com": True})) == 2
