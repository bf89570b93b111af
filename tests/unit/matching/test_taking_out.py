from typing import Any

from wiretape.matching.marks import JsonText, Located
from wiretape.matching.rules import MatchRule, Places, Replacement
from wiretape.matching.taking_out import Instructions, TakingOut

CWD = MatchRule("own", replace=(Replacement("cwd: (.*)", path="$.messages[*].text", name="cwd"),))
CALLS = MatchRule("calls", ids=("$.messages[*].id",), references=("$.messages[*].of",))
INSIDE = MatchRule("inside", ignore=("$.messages[*].arguments.trace",))


def taken_out(*messages: dict[str, Any], rules: tuple[MatchRule, ...] = (CWD, CALLS, INSIDE)) -> list[Any]:
    work = TakingOut(Instructions(rules), Places())
    left = work.without_ids({"messages": [*messages]})
    return [each.value for each in work.searched(left["messages"])]


def test_a_directory_that_is_found_in_the_last_message_is_taken_out_of_the_first() -> None:
    assert taken_out({"text": "in /work/a/x"}, {"text": "cwd: /work/a"}) == [
        {"text": "in \0cwd\0/x"},
        {"text": "cwd: \0cwd\0"},
    ]


def test_what_names_an_id_that_is_given_later_gets_its_number() -> None:
    assert taken_out({"of": "b"}, {"id": "a"}, {"id": "b"}, {"of": "unknown"}) == [
        {"of": "\0calls 2\0"},
        {"id": "\0calls 1\0"},
        {"id": "\0calls 2\0"},
        {"of": "unknown"},
    ]


def test_an_id_at_the_end_of_any_path_is_numbered() -> None:
    rules = (MatchRule("calls", ids=("$.messages[*].ids[*]", "$..id"), references=("$.messages[*].of",)),)
    assert taken_out({"ids": ["a", "b", 1, None, True]}, {"id": "c", "of": "a"}, rules=rules) == [
        {"ids": ["\0calls 1\0", "\0calls 2\0", "\0calls 3\0", None, True]},
        {"id": "\0calls 4\0", "of": "\0calls 1\0"},
    ]


def test_what_is_found_at_a_path_is_kept_with_its_text_until_all_is_searched() -> None:
    work = TakingOut(Instructions((CWD, INSIDE)), Places())
    left = work.without_ids({"messages": [{"text": "cwd: /work/a", "arguments": '{"trace": 1, "x": "/work/a"}'}]})
    (message,) = left["messages"]
    assert isinstance(message["text"], Located)
    assert message["arguments"] == JsonText({"x": "/work/a"})
    assert work.searched(left["messages"])[0].value == {"text": "cwd: \0cwd\0", "arguments": '{"x":"\0cwd\0"}'}
    assert [(each.name, each.value, each.is_directory) for each in work.taken] == [("cwd", "/work/a", True)]
    assert [(each.place, each.value) for each in work.left_out] == [(("messages", 0, "arguments", "trace"), 1)]
