"""Ids of the form 2026 in the next request: it is looked up as its client would have sent it to the provider."""

from collections.abc import Sequence
from typing import Any

import pytest

from wiretape.matching import aliases
from wiretape.recording import RecordedRequest

ONE = "rec-0123456789ab"
OTHER = "rec-ba9876543210"
CAME = {ONE: ("resp_1",), OTHER: ("resp_2", "resp_3")}
URL = "https://api.openai.com/v1/v1/responses"


def asked(url: str = URL, **body: Any) -> RecordedRequest:
    return RecordedRequest(url, body, "/v1/responses")


def came(name: str) -> Sequence[str]:
    return CAME.get(name, ())


def readings(request: RecordedRequest) -> list[RecordedRequest]:
    return [*aliases.readings(request, came)]


@pytest.mark.parametrize(
    ("request_", "meant"),
    [
        (asked(previous_response_id=ONE), asked(previous_response_id="resp_1")),
        (
            asked(input=[{"type": "item_reference", "id": ONE}, "x"]),
            asked(input=[{"type": "item_reference", "id": "resp_1"}, "x"]),
        ),
        (asked(f"{URL}/{ONE}"), asked(f"{URL}/resp_1")),
        (asked(f"{URL}/{ONE}/input_items?after={ONE}"), asked(f"{URL}/resp_1/input_items?after={ONE}")),
        (asked(f"{URL}/{ONE}#x", a={"b": {"c": ONE}}), asked(f"{URL}/resp_1#x", a={"b": {"c": "resp_1"}})),
    ],
)
def test_an_id_that_is_known_stands_for_the_one_that_came(request_: RecordedRequest, meant: RecordedRequest) -> None:
    assert readings(request_) == [meant]


@pytest.mark.parametrize(
    "request_",
    [
        asked(input="Hi"),
        asked(previous_response_id="rec-ffffffffffff"),  # Of no recording here.
        asked(input=f"what is {ONE}?"),
        asked(input=f"{ONE}0"),
        asked(input=ONE.upper()),
        asked(f"{URL}/{ONE}0"),
        asked(f"{URL}/x{ONE}"),
        RecordedRequest(URL, {ONE: 1}, "/v1/responses"),
    ],
)
def test_a_request_without_such_an_id_has_no_other_reading(request_: RecordedRequest) -> None:
    assert readings(request_) == []


def test_several_takes_are_several_readings_in_their_order() -> None:
    request = asked(a=OTHER, b=ONE)
    assert readings(request) == [asked(a="resp_2", b="resp_1"), asked(a="resp_3", b="resp_1")]


def test_what_was_asked_is_not_changed() -> None:
    inner = {"id": ONE}
    request = asked(f"{URL}/{ONE}", input=[inner])
    readings(request)
    assert request == asked(f"{URL}/{ONE}", input=[{"id": ONE}])
    assert inner == {"id": ONE}


def test_of_very_many_ids_some_are_looked_for() -> None:
    looked: list[str] = []

    def count(name: str) -> Sequence[str]:
        looked.append(name)
        return ()

    list(aliases.readings(asked(input=[f"rec-{number:012x}" for number in range(100)]), count))
    assert len(looked) == 16


@pytest.mark.parametrize("text", [f"{ONE}0", f"is {ONE}", "rec-", ONE.upper(), "rec-0123456789xy"])
def test_only_a_whole_id_is_looked_for(text: str) -> None:
    looked: list[str] = []

    def remember(name: str) -> Sequence[str]:
        looked.append(name)
        return ()

    list(aliases.readings(asked(input=[text, {"id": ONE}]), remember))
    assert looked == [ONE]
