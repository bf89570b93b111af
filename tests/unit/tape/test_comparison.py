"""What differs of two requests by the rules in force, in what order it is told, and of what kind it is."""

from typing import Any

import pytest

from builders import chat
from wiretape.codecs.differences import ABSENT, Difference
from wiretape.matching.built_in import BUILT_IN
from wiretape.matching.rules import Kind, MatchRule, Places, Replacement
from wiretape.recording import RecordedRequest
from wiretape.tape import comparison
from wiretape.tape.comparison import Compared, Side

NOWHERE = Places()
DATES = MatchRule("dates", kinds=(Kind.DATES,))


def compared(here: RecordedRequest, there: RecordedRequest, *rules: MatchRule) -> Compared:
    return comparison.compare(rules, Side(here, NOWHERE), Side(there, NOWHERE))


# Two requests -> the kinds in which alone they differ.
KINDS: dict[str, tuple[RecordedRequest, RecordedRequest, tuple[Kind, ...]]] = {
    "a date": (chat("Today is 2026-11-27."), chat("Today is 2026-11-28."), (Kind.DATES,)),
    "two kinds": (
        chat("2026-11-27", user="0c7a3f60-7a35-4fd8-bb5f-7d2c1e9f3a11"),
        chat("2026-11-28", user="9c7a3f60-7a35-4fd8-bb5f-7d2c1e9f3a12"),
        (Kind.DATES, Kind.UUIDS),
    ),
    "a date, and a question": (chat("2026-11-27: who?"), chat("2026-11-28: what?"), ()),
    "a question beside an equal date": (chat("2026-11-27: who?"), chat("2026-11-27: what?"), ()),
    "a date, and another provider": (chat("2026-11-27"), chat("2026-11-28", host="api.cerebras.ai"), ()),
    "a date that only one has": (chat("Today is 2026-11-27."), chat("Today is a day."), ()),
    "nothing": (chat("2026-11-27"), chat("2026-11-27"), ()),
}


@pytest.mark.parametrize(("here", "there", "kinds"), KINDS.values(), ids=KINDS)
def test_the_kinds_in_which_alone_two_differ(
    here: RecordedRequest, there: RecordedRequest, kinds: tuple[Kind, ...]
) -> None:
    assert comparison.kinds_between((), Side(here, NOWHERE), Side(there, NOWHERE)) == kinds


def places(found: Compared) -> list[str]:
    return [each.path for each in found.differences]


def test_what_may_be_meant_stands_first_and_ids_last() -> None:
    here = chat("Who?\n2026-11-27" + "." * 200, prompt_cache_key="one", request_id="a1", user="run_0193fa11c0de")
    there = chat("What?\n2026-11-28" + "." * 200, prompt_cache_key="two", request_id="b2", user="run_0193fa11beef")
    assert places(compared(here, there)) == [
        "messages[0].content, line 1",
        "messages[0].content, line 2",
        "prompt_cache_key",
        "request_id",
        "user",
    ]


def test_what_rules_take_out_is_not_told() -> None:
    here = chat("Who? 2026-11-27", prompt_cache_key="one")
    there = chat("What? 2026-11-28", prompt_cache_key="two")
    (only,) = compared(here, there, *BUILT_IN, DATES).differences
    assert (only.here, only.there) == ("Who? \0date\0", "What? \0date\0")


def test_a_kind_that_a_rule_takes_out_already_is_not_asked_for() -> None:
    today = MatchRule("today", replace=(Replacement(r"Today is (\S+)\."),))
    here = chat("Today is 2026-11-27.", user="0c7a3f60-7a35-4fd8-bb5f-7d2c1e9f3a11")
    there = chat("Today is 2026-11-28.", user="9c7a3f60-7a35-4fd8-bb5f-7d2c1e9f3a12")
    assert comparison.kinds_between((today,), Side(here, NOWHERE), Side(there, NOWHERE)) == (Kind.UUIDS,)


def test_differences_are_bounded() -> None:
    assert len(compared(chat(n=[*range(5000)]), chat(n=[*range(5000, 10_000)])).differences) == comparison.MOST


# A place, and what is there -> whether they are ids.
IDS: dict[str, tuple[str, Any, Any, bool]] = {
    "by its name": ("metadata.user_id", "a", "b", True),
    "in camel case": ("contents[0].parts[0].functionCall.toolUseId", "a", "b", True),
    "the name itself": ("input[3].id", "a", "b", True),
    "a number by its name": ("turn_id", 1, 2, True),
    "that only one has": ("turn_id", "a", ABSENT, True),
    "by its letters": ("conversation", "conv_68ab0193fa11", "conv_68ab0193fa12", True),
    "in a list": ("ids[3]", "a", "b", True),
    "a word": ("conversation", "constitution", "institutions", False),
    "a model": ("model", "gpt-5.4-nano-2025-01-01", "gpt-5.4-nano-2026-01-01", False),
    "a question of one word": ("messages[0].content", "abcdefghij01", "abcdefghij02", False),
    "a number": ("temperature", 1, 2, False),
    "a word with id in it": ("grid", "a", "b", False),
    "an object": ("session_id", {"a": 1}, "b", False),
}


@pytest.mark.parametrize(("path", "here", "there", "are_ids"), IDS.values(), ids=IDS)
def test_what_is_an_id(path: str, here: Any, there: Any, are_ids: bool) -> None:
    assert comparison.is_of_ids(Difference(path, here, there)) is are_ids
