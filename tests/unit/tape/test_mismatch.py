"""What a user is told about a request that has no recording."""

from typing import Any

import pytest

from wiretape.codecs import printable
from wiretape.codecs.json_text import NonFinite
from wiretape.matching.built_in import BUILT_IN
from wiretape.matching.rules import Kind, MatchPolicy, MatchRule
from wiretape.recording import RecordedRequest, request_hash
from wiretape.tape.mismatch import NearRecording, explain

CHAT = "/v1/chat/completions"
BASE = "https://api.fireworks.ai/inference/v1"
HOW = "To record it, do this."


def message(wanted: RecordedRequest, others: list[tuple[str, RecordedRequest]], how: str) -> str:
    return explain(wanted, [NearRecording(name, each) for name, each in others], how).text


def request(*, base: str = BASE, **body: Any) -> RecordedRequest:
    return RecordedRequest(f"{base}{CHAT}", {"model": "m", **body}, CHAT)


def said(content: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": content}]


WANTED = request(messages=said("Hello"), temperature=0.7)


def test_it_has_the_hash_the_endpoint_and_how_to_record() -> None:
    text = message(WANTED, [], HOW)
    assert request_hash(WANTED)[:12] in text
    assert CHAT in text
    assert BASE in text
    assert text.endswith(HOW)


def test_without_any_recording_it_says_so() -> None:
    assert "no recording of this endpoint at all" in message(WANTED, [], HOW)


# The other recording's request -> what is said, beside a recording that differs in everything.
DIFFERENCES: dict[str, tuple[RecordedRequest, list[str]]] = {
    "a value": (request(messages=said("Hello"), temperature=0.5), ["temperature: 0.7 here, 0.5 in the recording"]),
    "a float nearby": (
        request(messages=said("Hello"), temperature=0.7000001),
        ["temperature: 0.7 here, 0.7000001 in the recording"],
    ),
    "a query": (
        request(messages=said("Hello"), temperature=0.7, extra_query={"limit": "2"}),
        ['query.limit: absent here, "2" in the recording'],
    ),
    "a parameter only here": (request(messages=said("Hello")), ["temperature: 0.7 here, absent in the recording"]),
    "a parameter only there": (
        request(messages=said("Hello"), temperature=0.7, seed=1),
        ["seed: absent here, 1 in the recording"],
    ),
    "within a list": (
        request(messages=said("Hallo"), temperature=0.7),
        ['messages[0].content: "Hello" here, "Hallo" in the recording'],
    ),
    "whitespace": (
        request(messages=said("Hello "), temperature=0.7),
        ['messages[0].content: "Hello" here, "Hello " in the recording'],
    ),
    "another type": (
        request(messages=said("Hello"), temperature="0.7"),
        ['temperature: 0.7 here, "0.7" in the recording'],
    ),
    "an empty list": (
        request(messages=said("Hello"), temperature=0.7, stop=[]),
        ["stop: absent here, [] in the recording"],
    ),
    "another base": (
        request(base="https://api.cerebras.ai/v1", messages=said("Hello"), temperature=0.7),
        [f"base URL: {BASE} here, https://api.cerebras.ai/v1 in the recording"],
    ),
    "two differences": (
        request(messages=said("Hello"), temperature=0.5, stream=True),
        ["temperature: 0.7 here, 0.5 in the recording", "stream: absent here, true in the recording"],
    ),
    "an extra parameter": (
        request(messages=said("Hello"), temperature=0.7, extra_body={"top_k": 4}),
        ["top_k: absent here, 4 in the recording"],
    ),
}


@pytest.mark.parametrize(("other", "differences"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_the_nearest_recording_is_named_and_what_differs(other: RecordedRequest, differences: list[str]) -> None:
    far = request(messages=[*said("Something else"), *said("entirely")], temperature=1, n=2, seed=3, stop="x", user="y")
    lines = message(WANTED, [("far", far), ("near", other), ("farther", far)], HOW).splitlines()
    assert any("near," in line and "far" not in line for line in lines)
    assert [line.strip() for line in lines if line.startswith("  ")] == differences


def test_extra_body_alone_is_no_difference() -> None:
    wanted = request(messages=said("Hello"), top_k=4)
    other = request(messages=said("Hello"), extra_body={"top_k": 4}, temperature=1)
    lines = message(wanted, [("near", other)], HOW).splitlines()
    assert [line.strip() for line in lines if line.startswith("  ")] == ["temperature: absent here, 1 in the recording"]


def test_of_many_differences_the_first_are_shown_and_the_others_counted() -> None:
    other = request(messages=said("Hello"), temperature=0.7, extra_body={f"p{n}": n for n in range(20)})
    text = message(WANTED, [("near", other)], HOW)
    shown = [line for line in text.splitlines() if "in the recording" in line]
    assert 0 < len(shown) < 20
    assert f"and {20 - len(shown)} more" in text


def test_of_a_long_text_the_part_that_differs_is_shown() -> None:
    here, there = "a" * 5000 + "HERE" + "b" * 5000, "a" * 5000 + "THERE" + "b" * 5000
    text = message(request(messages=said(here)), [("near", request(messages=said(there)))], HOW)
    assert "HERE" in text
    assert "THERE" in text
    assert len(text) < 1500


def test_a_long_text_that_goes_on_there() -> None:
    here = "a" * 5000
    text = message(request(messages=said(here)), [("near", request(messages=said(here + "MORE")))], HOW)
    assert "MORE" in text
    assert len(text) < 1500


@pytest.mark.parametrize("odd", ["\ud83d", "\u0000", "a\nb", "é"])
def test_odd_text_is_no_trouble(odd: str) -> None:
    text = message(request(messages=said(odd)), [("near", request(messages=said("x")))], HOW)
    assert "near" in text
    assert "\n".join(text.splitlines()) == text
    assert "in the recording" in text


def test_one_of_the_same_request_that_does_not_answer_is_not_called_different() -> None:
    text = message(WANTED, [("abc", WANTED)], HOW)
    assert "abc is of this request, but does not answer" in text
    assert "differs" not in text


def test_paths_of_long_keys_stay_short() -> None:
    key = "k" * 100_000
    asked = request(tools={key: {key: [*range(100)]}})
    text = message(asked, [("abc", WANTED)], HOW)
    assert len(text) < 5000


def test_nothing_that_a_terminal_would_obey_is_in_it() -> None:
    text = message(request(user="\x9b2J\u202e"), [("a\x1b[31m\nb", WANTED)], HOW)
    assert printable.lines(text) == text
    assert "a\\x1b[31m\\nb" in text


# -- within texts and lists --------------------------------------------------------------------------------------------

PROMPT = "\n".join(f"Rule {number}: do as rule {number} says, and nothing else." for number in range(300))


def differing(here: RecordedRequest, there: RecordedRequest) -> list[str]:
    return [line.strip() for line in message(here, [("near", there)], HOW).splitlines() if line.startswith("  ")]


LINES: dict[str, tuple[str, str, list[str]]] = {
    "another line": (
        PROMPT.replace("Rule 7:", "Rule seven:"),
        PROMPT,
        [
            'line 8: "Rule seven: do as rule 7 says, and nothing else." here, '
            '"Rule 7: do as rule 7 says, and nothing else." in the recording'
        ],
    ),
    "two places": (
        PROMPT.replace("Rule 7:", "7").replace("Rule 290:", "290"),
        PROMPT.replace(", and nothing else", ""),
        ["line 1: ", "line 2: ", "line 3: ", "line 4: ", "line 5: ", "and 295 more"],
    ),
    "a line more": (
        PROMPT.replace("Rule 7:", "Today is Friday.\nRule 7:"),
        PROMPT,
        ['line 8: "Today is Friday." here, absent in the recording'],
    ),
    "a line less": (
        PROMPT,
        PROMPT.replace("Rule 7:", "Today is Friday.\nRule 7:"),
        ['line 8: absent here, "Today is Friday." in the recording'],
    ),
    "a line end": (PROMPT + "\n", PROMPT, ['line 301: "" here, absent in the recording']),
    "other line ends": (PROMPT.replace("\n", "\r\n", 1), PROMPT, ['line 1: "Rule 0']),
}


@pytest.mark.parametrize(("here", "there", "wanted"), LINES.values(), ids=LINES)
def test_within_a_long_text_it_is_told_line_by_line(here: str, there: str, wanted: list[str]) -> None:
    told = differing(request(messages=said(here)), request(messages=said(there)))
    assert len(told) == len(wanted), told
    for line, start in zip(told, wanted, strict=True):
        assert line.removeprefix("messages[0].content, ").startswith(start)


def test_a_message_more_shifts_nothing() -> None:
    turns = [*said("One"), *said("Two"), *said("Three")]
    told = differing(request(messages=[*turns[:1], *said("And?"), *turns[1:]]), request(messages=turns))
    assert told == ['messages[1]: {"role": "user", "content": "And?"} here, absent in the recording']


def test_the_first_message_that_differs_is_named() -> None:
    turns = [*said("One"), {"role": "assistant", "content": "Two"}, *said("Three")]
    text = message(request(messages=[*turns, *said("Four")]), [("near", request(messages=turns))], HOW)
    assert "the first message that differs is messages[3], user, of 4 here and 3 in the recording" in text


# Bodies that are not the same, and may look as if they were.
ALIKE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a dot in a name": ({"a.b": 1}, {"a": {"b": 1}}),
    "brackets in a name": ({"a[0]": 1}, {"a": [1]}),
    "a number of two types": ({"n": 1}, {"n": 1.0}),
    "true and one": ({"n": True}, {"n": 1}),
    "no number and nothing": ({"n": [NonFinite("nan")]}, {"n": [None]}),
    "empty and empty": ({"x": []}, {"x": {}}),
    "nothing and null": ({"x": None}, {}),
    "half a pair": ({"x": "\ud83d"}, {"x": "\ude00"}),
    "a large number": ({"x": 1 << 70}, {"x": (1 << 70) + 1}),
    "one of a thousand": ({"x": [0] * 5000 + [1]}, {"x": [0] * 5000 + [2]}),
}


@pytest.mark.parametrize(("here", "there"), ALIKE.values(), ids=ALIKE)
def test_what_differs_is_never_nothing(here: dict[str, Any], there: dict[str, Any]) -> None:
    told = differing(request(**here), request(**there))
    assert told
    assert all("in the recording" in line for line in told)


def test_the_log_has_hash_nearest_and_first_difference_in_a_line() -> None:
    told = explain(WANTED, [NearRecording("abc", request(messages=said("Hello"), temperature=0.5))], HOW)
    assert str(told) == f"{request_hash(WANTED)[:12]}: nearest abc: temperature: 0.7 here, 0.5 in the recording"


def test_what_stands_in_the_way_of_the_very_recording_is_told_and_nothing_else() -> None:
    told = explain(WANTED, [NearRecording("abc", WANTED)], HOW, ["x.json is there, and cannot be served: not JSON."])
    assert "differs" not in told.text
    assert (told.nearest, told.difference) == ("", "x.json is there, and cannot be served: not JSON.")


# -- by rules ----------------------------------------------------------------------------------------------------------

TODAY = MatchRule("today", kinds=(Kind.DATES,))


def by(*rules: MatchRule) -> MatchPolicy:
    return MatchPolicy(rules)


def test_where_only_a_date_differs_it_says_so_and_how_a_rule_names_it() -> None:
    near = NearRecording("near", request(messages=said("Today is 2026-11-26.")))
    told = explain(request(messages=said("Today is 2026-11-27.")), [near], HOW)
    assert told.hint == 'only a date differs: kinds = ["dates"]'
    assert 'Only a date differs: kinds = ["dates"] in a [[match]] of wiretape.toml would make it a hit' in told.text
    assert str(told).endswith(f'"Today is 2026-11-26." in the recording ({told.hint})')


def test_several_kinds_are_told_in_a_line() -> None:
    here = request(messages=said("2026-11-26"), user="0c7a3f60-7a35-4fd8-bb5f-7d2c1e9f3a11")
    there = request(messages=said("2026-11-27"), user="9c7a3f60-7a35-4fd8-bb5f-7d2c1e9f3a12")
    told = explain(here, [NearRecording("near", there)], HOW)
    assert told.hint == 'only a date and a UUID differ: kinds = ["dates", "uuids"]'


def test_another_question_is_no_matter_of_kinds() -> None:
    near = NearRecording("near", request(messages=said("2026-11-26: who?")))
    told = explain(request(messages=said("2026-11-27: what?")), [near], HOW)
    assert not told.hint
    assert "[[match]]" not in told.text


def test_what_rules_take_out_is_not_told_and_what_they_leave_is() -> None:
    near = NearRecording("near", request(messages=said("On 2026-11-26: who?"), prompt_cache_key="a"))
    wanted = request(messages=said("On 2026-11-27: what?"), prompt_cache_key="b")
    told = explain(wanted, [near], HOW, by=by(*BUILT_IN, TODAY))
    assert [line for line in told.text.splitlines() if line.startswith("  ")] == [
        '  messages[0].content: "On <date>: what?" here, "On <date>: who?" in the recording'
    ]


def test_the_nearest_is_the_one_that_is_near_by_the_rules() -> None:
    wanted = request(messages=said("Who?"), client_metadata={str(n): "here" * 9 for n in range(20)})
    looks_near = request(messages=said("What then?"), client_metadata=wanted.body["client_metadata"])
    is_near = request(messages=said("Who."), client_metadata={"a": "b"})
    others = [NearRecording("looks", looks_near), NearRecording("is", is_near)]
    assert explain(wanted, others, HOW).nearest == "looks"
    assert explain(wanted, others, HOW, by=by(*BUILT_IN)).nearest == "is"


def test_the_first_difference_is_what_may_be_meant() -> None:
    ids = [{"type": "message", "id": f"msg_0193fa11c0d{n}", "content": "Hi"} for n in range(8)]
    there = [{**item, "id": item["id"].replace("fa11", "beef")} for item in ids]
    here = [*ids[:-1], {**ids[-1], "content": "Ho"}]
    text = message(request(input=here), [("near", request(input=there))], HOW)
    first = next(line for line in text.splitlines() if line.startswith("  "))
    assert first == '  input[7].content: "Ho" here, "Hi" in the recording'
