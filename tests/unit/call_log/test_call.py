"""One call, as a value and as JSON."""

import json
from decimal import Decimal

import pytest

from wiretape.call_log.call import PAID, Call, MissTold, Outcome, as_json, from_json, told_at
from wiretape.providers.usage import Usage

MISS = Call(1.5, "default", "replay", Outcome.MISS, miss=MissTold("0123", "e99f", "messages[1] differs", "all", "hint"))
HIT = Call(
    1764316800.25,
    "checkout",
    "replay",
    Outcome.HIT,
    "/v1/chat/completions gpt-5",
    "openai",
    "/v1/chat/completions",
    "gpt-5",
    rules=("call-ids", "today"),
    usage=Usage(12, 4, 7, 2),
    cost_usd=Decimal("0.0000105"),
    why=("it was slow",),
)


@pytest.mark.parametrize("call", [HIT, MISS, *(Call(0.0, "s", "live", each) for each in Outcome)])
def test_a_call_comes_back_from_json(call: Call) -> None:
    assert from_json(json.loads(json.dumps(as_json(call)))) == call


def test_its_time_is_told_as_rfc_3339() -> None:
    assert as_json(HIT)["at"] == "2025-11-28T08:00:00.250Z"
    assert as_json(HIT)["cost_usd"] == "0.0000105", "no float: a price is to be exact"


@pytest.mark.parametrize(
    "value", [{}, {"at": "x"}, {"at": 5}, as_json(HIT) | {"outcome": "?"}, as_json(HIT) | {"usage": 5}]
)
def test_what_is_no_call_is_told(value: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(value)


def test_members_of_a_newer_version_are_passed_over() -> None:
    told = as_json(HIT)
    assert from_json(told | {"colour": "red", "usage": told["usage"] | {"spoken": 7}}) == HIT


def test_what_a_provider_was_asked_for_is_paid() -> None:
    assert {each for each in Outcome if Call(0.0, "s", "live", each).is_paid} == PAID


def test_a_moment_is_told_in_utc_with_milliseconds() -> None:
    assert told_at(1_800_000_000.25) == "2027-01-15T08:00:00.250Z"
