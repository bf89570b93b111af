import copy
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wiretape.codecs import json_text
from wiretape.matching import reduction
from wiretape.matching.built_in import BUILT_IN
from wiretape.matching.reduction import Reduced
from wiretape.matching.rules import Kind, MatchContext, MatchPolicy, MatchRule, Places, Replacement, Unordered
from wiretape.providers.answers import HttpResponse
from wiretape.recording import RecordedRequest

ENDPOINT = "/v1/chat/completions"
RULES = MatchPolicy(BUILT_IN).rules_for(MatchContext(endpoints=(ENDPOINT,)))
OWN = MatchRule("own", kinds=(Kind.PATHS, Kind.DATES), replace=(Replacement(r"Working directory: (\S+)", name="cwd"),))


def chat(call_id: str, text: str = "Hello", **more: Any) -> RecordedRequest:
    messages = [
        {"role": "user", "content": text},
        {"role": "assistant", "tool_calls": [{"id": call_id, "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": call_id, "content": "x"},
    ]
    return RecordedRequest(f"https://api.openai.com/v1{ENDPOINT}", {"messages": messages, **more}, ENDPOINT)


def reduced(request: RecordedRequest, *more: MatchRule) -> Reduced:
    return reduction.reducer((*RULES, *more)).reduce(request, Places())


def test_what_no_provider_answers_by_makes_no_difference() -> None:
    recorded = reduced(chat("one", prompt_cache_key="a"))
    present = reduced(chat("two", prompt_cache_key="b"))
    assert recorded.digest == present.digest
    assert reduction.needed(recorded, present) == ("prompt-cache-key", "call-ids")
    assert recorded.digest != reduced(chat("one", "Another question")).digest


def test_directories_and_their_names_are_bound() -> None:
    recorded = reduced(chat("one", "Working directory: /home/a/proj\n/home/a/proj/x -home-a-proj 2026-11-27"), OWN)
    present = reduced(chat("one", "Working directory: /work/q\n/work/q/x -work-q 2026-11-28"), OWN)
    assert recorded.digest == present.digest
    answer = HttpResponse(200, (("content-type", "text/plain"),), (b"/home/a/proj/x -home-a-proj 2026-11-27",))
    assert reduction.bindings(recorded, present).rewrite(answer).body == b"/work/q/x -work-q 2026-11-28"


def test_a_directory_that_stays_is_no_part_of_one_that_moves() -> None:
    """Another home, and the same working directory, which is in the old one."""
    by = reduction.reducer((OWN,))
    request = chat("one", "in /home/a/proj, at home in /home/a")
    recorded = by.reduce(request, Places(cwd=("/home/a/proj",), home=("/home/a",)))
    moved = chat("one", "in /home/a/proj, at home in /home/b")
    present = by.reduce(moved, Places(cwd=("/home/a/proj",), home=("/home/b",)))
    assert recorded.digest == present.digest
    answer = HttpResponse(200, (("content-type", "text/plain"),), (b"/home/a/proj/x.py", b" and /home/a/.rc"))
    assert reduction.bindings(recorded, present).rewrite(answer).chunks == (b"/home/a/proj/x.py", b" and /home/b/.rc")
    assert not reduction.bindings(recorded, recorded)


def test_another_directory_is_another_one() -> None:
    recorded = reduced(chat("one", "Working directory: /home/a/proj\n/home/a/project"), OWN)
    present = reduced(chat("one", "Working directory: /home/a/proj\n/home/a/proj"), OWN)
    assert recorded.digest != present.digest


def test_a_server_is_no_directory() -> None:
    """A container's working directory is ``/app``, and the server of its network is ``app``."""
    recorded = reduced(chat("one", "Working directory: /srv-a\nhttp://srv-a/x, file:///srv-a/x"), OWN)
    present = reduced(chat("one", "Working directory: /srv-b\nhttp://srv-b/x, file:///srv-b/x"), OWN)
    assert recorded.digest != present.digest
    moved = reduced(chat("one", "Working directory: /srv-b\nhttp://srv-a/x, file:///srv-b/x"), OWN)
    assert recorded.digest == moved.digest


def test_a_word_is_no_directory() -> None:
    recorded = reduced(chat("one", "Working directory: delete\nNow delete it"), OWN)
    assert recorded.digest != reduced(chat("one", "Working directory: create\nNow create it"), OWN).digest


def test_a_directory_of_several_paths_is_one() -> None:
    by = reduction.reducer((OWN,))
    recorded = by.reduce(chat("one", "in /link/proj and /real/proj"), Places(cwd=("/link/proj", "/real/proj")))
    present = by.reduce(chat("one", "in /work/q and /work/q"), Places(cwd=("/work/q",)))
    assert recorded.digest == present.digest
    answer = HttpResponse(200, (("content-type", "text/plain"),), (b"/link/proj/x /real/proj/x",))
    assert reduction.bindings(recorded, present).rewrite(answer).body == b"/work/q/x /work/q/x"


def test_a_recording_tells_the_paths_that_its_texts_name() -> None:
    places = Places(cwd=("/link/proj", "/real/proj"), home=("/home/a",), tmp=("/tmp/x", "/private/tmp/x"))
    stored = reduction.with_places(chat("one", "in /link/proj, /real/proj, /tmp/x"), places)
    assert stored.extra == {"places": {"cwd": ["/link/proj", "/real/proj"], "tmp": "/tmp/x"}}
    assert reduction.places_of(stored) == Places(cwd=("/link/proj", "/real/proj"), tmp=("/tmp/x",))


# -- what differs in anything that no rule takes out stays two ---------------------------------------------------------

EVERYTHING = (
    *RULES,
    MatchRule("own", kinds=tuple(Kind), unordered=tuple(Unordered), numbers=True, whitespace=True),
    MatchRule(
        "inside",
        ignore=("$.messages[*].content.id", "$..secret"),
        replace=(Replacement("x+", path="$.messages[*].content.text", name="x", is_tracked=True),),
    ),
)
KNOWN = Places(cwd=("/home/a/proj",), home=("/home/a",), tmp=("/tmp/x1",))
MARKS = ["\0date\0", "\0cwd\0", "\0call-ids 1\0", '{"id":"\\u0000x 1\\u0000"}', "\0", "\ud800", "1", "1.0", "null", ""]

letters = st.text(st.sampled_from("aé \0\ud800\n"), max_size=4)
leaves = st.one_of(
    st.sampled_from(MARKS), letters, st.integers(-2, 2), st.just(1 << 70), st.booleans(), st.none(), st.just(0.5)
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(letters, inner, max_size=3)),
    max_leaves=6,
)


def of(body: Any) -> RecordedRequest:
    return RecordedRequest(f"https://api.openai.com/v1{ENDPOINT}", body, ENDPOINT)


def written(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@settings(deadline=None)
@given(values, values)
def test_what_no_rule_takes_out_counts(one: Any, two: Any) -> None:
    first = reduced(of({"seed": one, "messages": [{"role": "user", "content": one}]}))
    second = reduced(of({"seed": one, "messages": [{"role": "user", "content": two}]}))
    assert (first.digest == second.digest) is (written(one) == written(two))


@settings(deadline=None)
@given(values)
def test_a_request_stays_as_it_was_and_the_order_of_members_is_none(value: Any) -> None:
    body = {"messages": [{"content": value, "role": "user", "secret": "x"}], "metadata": value, "tools": [value]}
    before = copy.deepcopy(body)
    by = reduction.reducer(EVERYTHING)
    one = by.reduce(of(body), KNOWN)
    assert body == before
    two = by.reduce(of(_turned(body)), KNOWN)
    assert (one.digest, one.taken, one.left_out) == (two.digest, two.taken, two.left_out)
    assert by.reduce(of(body), KNOWN) == one


def _turned(value: Any) -> Any:
    match value:
        case dict():
            return {name: _turned(value[name]) for name in reversed(value)}
        case list():
            return [*map(_turned, value)]
    return value


def conversation(ids: list[str], text: str = "Hello") -> RecordedRequest:
    calls = [{"id": id_, "type": "function", "function": {"name": "f", "arguments": "{}"}} for id_ in ids]
    results = [{"role": "tool", "tool_call_id": id_, "content": "x"} for id_ in ids]
    return of({"messages": [{"role": "user", "content": text}, {"role": "assistant", "tool_calls": calls}, *results]})


@settings(deadline=None)
@given(st.lists(st.sampled_from("abcd\0"), min_size=1, max_size=6), st.permutations("abcd\0"))
def test_other_names_of_ids_are_none_and_one_for_two_is_another(ids: list[str], names: list[str]) -> None:
    renamed = dict(zip("abcd\0", names, strict=True))
    assert reduced(conversation(ids)).digest == reduced(conversation([renamed[each] for each in ids])).digest
    merged = ["a" if each == "b" else each for each in ids]
    is_same = not {"a", "b"} <= {*ids}
    assert (reduced(conversation(ids)).digest == reduced(conversation(merged)).digest) is is_same


@pytest.mark.parametrize("text", MARKS)
def test_a_mark_that_a_client_sends_is_none(text: str) -> None:
    for taken in ("2026-11-27", "/home/a/proj", "Working directory: /home/a/proj"):
        marked = reduction.reducer((*RULES, OWN)).reduce(chat("one", taken), KNOWN)
        sent = reduction.reducer((*RULES, OWN)).reduce(chat("one", str(marked.body["messages"][0]["content"])), KNOWN)
        assert marked.digest != sent.digest
    assert reduced(chat("one", text)).digest != reduced(chat("one", text + "\0")).digest
    assert reduced(conversation([text])).digest == reduced(conversation(["one"])).digest


def test_a_mark_in_json_in_a_string_that_a_client_sends_is_none() -> None:
    rule = MatchRule("own", replace=(Replacement(r"\d+", path="$.messages[*].content.text", name="n"),))
    marked = reduced(chat("one", '{"text":"at 12"}'), rule)
    assert marked.digest == reduced(chat("one", '{ "text": "at 13" }'), rule).digest
    for sent in ('{"text":"at \\u0000n\\u0000"}', '{"text":"at \0n\0"}', '{"text":"at \\u0000\\u0000n"}'):
        assert marked.digest != reduced(chat("one", sent), rule).digest


@pytest.mark.parametrize("text", ['"\\ud800"', "123456789012345678901234567890", "NaN", "-Infinity", "1e400", "null"])
def test_values_that_few_can_write_are_told_apart(text: str) -> None:
    by = reduction.reducer(EVERYTHING)
    value = json_text.loads(text.encode())
    others = ["\ud801", 123456789012345678901234567891, 0, "x", False]
    digests = {by.reduce(of({"seed": each, "user": "2026-11-27"}), KNOWN).digest for each in (value, *others)}
    assert len(digests) == 6


def test_deep_and_long_requests_are_reduced() -> None:
    deep: Any = "2026-11-27"
    for _ in range(198):
        deep = [deep]
    other = json.loads(json.dumps(deep).replace("27", "28"))
    by = reduction.reducer((*RULES, OWN))
    assert by.reduce(of({"messages": deep}), KNOWN).digest == by.reduce(of({"messages": other}), KNOWN).digest
    long = "é 2026-11-27 /home/a/proj/x " * 2_000 + "x" * (1 << 20)
    found = by.reduce(of({"prompt": long}), KNOWN)
    assert len(found.taken) == 2_001
    assert found.digest == by.reduce(of({"prompt": long.replace("27", "28")}), KNOWN).digest


def test_names_of_members_stay() -> None:
    by = reduction.reducer((*RULES, OWN))
    one = by.reduce(of({"files": {"/home/a/proj/x": 1, "/home/a/proj/y": 2}}), KNOWN)
    assert one.digest != by.reduce(of({"files": {"/work/x": 1, "/work/y": 2}}), Places(cwd=("/work",))).digest


# -- which rules were needed, and what is bound ------------------------------------------------------------------------

DATES = MatchRule("dates", kinds=(Kind.DATES,))
NUMBERS = MatchRule("numbers", numbers=True)
BLANKS = MatchRule("blanks", whitespace=True)
TOOLS = MatchRule("tools", unordered=(Unordered.TOOLS,))
CACHE = MatchRule("cache", ignore=("$.messages[*].cache",))
SEVERAL = (DATES, NUMBERS, BLANKS, TOOLS, CACHE)


def varied(**change: Any) -> RecordedRequest:
    body: dict[str, Any] = {
        "messages": [
            {"role": "user", "content": "On 2026-11-27", "cache": 1},
            {"role": "user", "content": "a  b"},
            {"role": "user", "content": "a b"},
        ],
        "temperature": 1.0,
        "top_p": 1,
        "tools": [{"name": "b"}, {"name": "a"}],
    }
    return of({**body, **change})


MESSAGES: Any = varied().body["messages"]

CHANGES = [
    ({}, ()),
    ({"messages": [{**MESSAGES[0], "content": "On 2026-11-28"}, *MESSAGES[1:]]}, ("dates",)),
    ({"temperature": 1, "top_p": 1.0}, ("numbers",)),
    ({"messages": [MESSAGES[0], MESSAGES[2], MESSAGES[1]]}, ("blanks",)),
    ({"tools": [{"name": "a"}, {"name": "b"}]}, ("tools",)),
    ({"messages": [{**MESSAGES[0], "cache": 2}, *MESSAGES[1:]]}, ("cache",)),
    (
        {"messages": [{"role": "user", "content": "On 2026-11-27"}, {**MESSAGES[1], "cache": 1}, MESSAGES[2]]},
        ("cache",),
    ),
    ({"tools": [{"name": "a"}, {"name": "b"}], "temperature": 1}, ("numbers", "tools")),
]


@pytest.mark.parametrize(("change", "rules"), CHANGES)
def test_the_rules_that_were_needed_are_named_and_no_others(change: Any, rules: tuple[str, ...]) -> None:
    by = reduction.reducer(SEVERAL)
    recorded = by.reduce(varied(), Places())
    present = by.reduce(varied(**change), Places())
    assert recorded.digest == present.digest
    assert sorted(reduction.needed(recorded, present)) == sorted(rules)
    for rule in rules:
        without = reduction.reducer(tuple(each for each in SEVERAL if each.name != rule))
        assert without.reduce(varied(), Places()).digest != without.reduce(varied(**change), Places()).digest


def bound(recorded: str, present: str, *rules: MatchRule, **more: Any) -> dict[str, str]:
    one = reduced(chat("one", recorded, **more), *rules)
    two = reduced(chat("one", present), *rules)
    assert one.digest == two.digest
    return {each.recorded: each.present for each in reduction.bound(one, two)}


def test_a_value_that_is_gone_in_one_moves_none() -> None:
    assert bound("On 2026-11-27", "On 2026-11-28", DATES, prompt_cache_key="k") == {"2026-11-27": "2026-11-28"}


def test_a_value_that_is_two_now_is_bound_to_none() -> None:
    assert bound("2026-11-27, 2026-11-27", "2026-11-27, 2026-11-28", DATES) == {}
    assert bound("2026-11-26, 2026-11-27", "2026-11-28, 2026-11-28", DATES) == {
        "2026-11-26": "2026-11-28",
        "2026-11-27": "2026-11-28",
    }


def test_what_means_nothing_by_itself_is_not_bound() -> None:
    rule = MatchRule("noise", kinds=(Kind.DURATIONS, Kind.PIDS))
    assert bound("PGID: 9774, took 0.3 s", "PGID: 1234, took 0.4 s", rule) == {}


def test_equal_values_that_are_tracked_have_to_be_equal() -> None:
    rule = MatchRule("ports", kinds=(Kind.PORTS,))
    one = reduced(chat("one", "localhost:1234 localhost:1234"), rule)
    assert one.digest == reduced(chat("one", "localhost:5678 localhost:5678"), rule).digest
    assert one.digest != reduced(chat("one", "localhost:5678 localhost:5679"), rule).digest


# -- where things are found --------------------------------------------------------------------------------------------


NOWHERE = Places()


def same(one: str, two: str, *rules: MatchRule, places: Places = NOWHERE, then: Places | None = None) -> bool:
    by = reduction.reducer(rules)
    return by.reduce(chat("a", one), places).digest == by.reduce(chat("a", two), then or places).digest


def test_json_in_a_string_is_compared_by_its_value_where_a_path_leads_into_it() -> None:
    rule = MatchRule("own", ignore=("$.messages[*].content.id",))
    assert same('{"id": 1, "b": 2, "a": 3}', '{"a":3,"b":2,"id":4}', rule)
    assert same('{"id": 1, "a": 3}', '{"a":3}', rule)
    assert not same('{"id": 1, "a": 3}', '{"id": 1, "a": 4}', rule)
    assert not same('{"a": 3}', '{"a":3}', rule)
    assert not same('{"id": 1, "n": 123456789012345678901}', '{"id": 1, "n": 123456789012345678902}', rule)


def test_a_directory_is_found_at_a_path_and_taken_out_everywhere() -> None:
    rule = MatchRule("own", replace=(Replacement("^cwd=(.*)", path="$.messages[0].content", name="cwd"),))
    by = reduction.reducer((rule,))

    def asked(directory: str, text: str) -> str:
        messages = [{"content": f"cwd={directory}"}, {"content": text}]
        return by.reduce(of({"messages": messages}), Places()).digest

    assert asked("/work/a", "in /work/a/x") == asked("/srv/b", "in /srv/b/x")
    assert asked("/work/a", "in /work/a/x") != asked("/srv/b", "in /work/a/x")
    assert asked("/work/a", "cwd=/x/y") != asked("/work/a", "cwd=/x/z")


def test_somebody_elses_home_counts() -> None:
    rule = MatchRule("own", kinds=(Kind.PATHS,))
    assert same("in /home/a/x", "in /home/b/x", rule)
    assert not same("in /home/me, see /home/a/x", "in /home/me, see /home/b/x", rule)
    assert not same("see /home/a/x", "see /home/b/x", rule, places=Places(home=("/root",)))


def test_a_home_that_no_text_names_is_not_guessed_of_an_example() -> None:
    rule = MatchRule("own", kinds=(Kind.PATHS,))
    recorded = Places(cwd=("/work/a",))  # What it tells of a client whose home is nowhere in its texts.
    present = Places(cwd=("/srv/b",), home=("/root",), tmp=("/tmp",))
    assert same("in /work/a: /Users/name/My", "in /srv/b: /Users/name/My", rule, places=recorded, then=present)
    assert not same("in /work/a: /Users/name/My", "in /srv/b: /Users/nina/My", rule, places=recorded, then=present)


def test_a_part_of_another_path_is_no_directory() -> None:
    rule = MatchRule("own", kinds=(Kind.PATHS,))
    here = Places(cwd=("/work/a",), home=("/root",))
    there = Places(cwd=("/srv/b",), home=("/home/z",))
    assert same("file:///work/a/x -I/work/a", "file:///srv/b/x -I/srv/b", rule, places=here, then=there)
    for one, two in (("/mnt/work/a", "/mnt/srv/b"), ("/work/ab", "/srv/bb"), ("non-root", "non-home-z")):
        assert not same(one, two, rule, places=here, then=there)
    assert same("non-root, a-root", "non-root, a-root", rule, places=here, then=there)


def test_what_names_something_of_the_providers_is_not_looked_through() -> None:
    dated = reduced(of({"model": "gpt-4o-2024-08-06", "messages": []}), DATES)
    assert dated.digest != reduced(of({"model": "gpt-4o-2024-11-20", "messages": []}), DATES).digest


def test_of_what_overlaps_the_first_and_longest_is_taken() -> None:
    rules = [
        MatchRule("own", replace=(Replacement("ab", name="one"), Replacement("abc", name="two"))),
        MatchRule("other", replace=(Replacement("bcd", name="three"), Replacement("abc", name="four"))),
    ]
    drawn = random.Random(13)
    for _ in range(4):
        made = reduced(chat("one", "xabcd"), *drawn.sample(rules, 2)).body["messages"][0]["content"]
        assert made in ("x\0two\0d", "x\0four\0d")
    assert reduced(chat("one", "xabcd"), *rules).body["messages"][0]["content"] == "x\0two\0d"
