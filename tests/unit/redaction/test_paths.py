"""A place in a JSON value as a rule names it: which steps lead there."""

import re

import pytest

from wiretape.redaction import paths

LEADS = [
    ("a", "a"),
    ("a", "x a"),  # At whatever level it begins.
    ("a", "[3] a"),
    ("a", "a b [0]"),  # All that stands in what is named.
    ("a.b", "a b"),
    ("a.*", "a x"),
    ("a.*.c", "a x c"),
    ("a[3]", "a [3]"),
    ("a[*]", "a [7]"),
    ("a[*].b", "a [0] b"),
    ("a[0][1]", "a [0] [1]"),
    ("[*].a", "[2] a"),
    ("a.**.b", "a b"),
    ("a.**.b", "a x [3] y b"),
    ("**.b", "b"),
    ("**", "x"),
    ("a.**", "a"),
    ("a.**.**.b", "a b"),
    ("a-b.c_d", "a-b c_d"),
]
LEADS_ELSEWHERE = [
    ("a", "b"),
    ("a.b", "a"),
    ("a.b", "a x b"),
    ("a.*", "a [0]"),
    ("a[*]", "a x"),
    ("a[3]", "a [4]"),
    ("a[3]", "a 3"),
    ("a.**.b", "b"),
    ("a.**.b", "a x"),
    ("a", "A"),
]


def is_led(path: str, steps: str) -> bool:
    rule = paths.parse(path)
    states = rule.begin()
    for step in steps.split():
        states = rule.enter(states, step)
    return rule.is_there(states)


@pytest.mark.parametrize(("path", "steps"), LEADS)
def test_a_path_leads_there(path: str, steps: str) -> None:
    assert is_led(path, steps)


@pytest.mark.parametrize(("path", "steps"), LEADS_ELSEWHERE)
def test_a_path_leads_elsewhere(path: str, steps: str) -> None:
    assert not is_led(path, steps)


@pytest.mark.parametrize(
    "text", ["", ".", "a.", ".a", "a..b", "a[", "a[x]", "a[-1]", "a b", "a[1]b", "***", "a[1234567890]"]
)
def test_what_is_no_path_is_said_with_one_that_is(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{text!r} is no path: it is one such as messages[*].content")):
        paths.parse(text)
