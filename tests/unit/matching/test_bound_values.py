"""Where a recorded value stands by itself in a text, and what replaces it there."""

import json

import pytest

from wiretape.matching.bound_values import BoundValue
from wiretape.rewriting.spans import merged, replaced


def put(text: str, recorded: str, present: str = "<>", *, is_path: bool = True) -> str:
    value = BoundValue("x", recorded, present, is_path=is_path)
    return replaced(text, merged([*value.spans(text)]))


HERE = "/home/a/proj"

ENDS = [
    ("{}", True),
    ("in {}.", True),
    ("in {}...", True),
    ("{}/x.py", True),
    ("{}/", True),
    ('`{}`, "{}" and ({})', True),
    ("{}:12", True),
    ("{}\\n", True),
    ("{}, {}; {}", True),
    ("**{}**", True),
    ("{}?", True),
    ("{}#L10", True),
    ("{}ect", False),
    ("{}2", False),
    ("{}_old", False),
    ("{}-2", False),
    ("{}.git", False),
    ("{}..old", False),
    ("{}\u00e9", False),
    ("{}~", False),
    ("{}@2", False),
    ("{}%20x", False),
]


@pytest.mark.parametrize(("text", "is_there"), ENDS)
def test_a_directory_counts_where_its_name_ends(text: str, is_there: bool) -> None:
    expected = HERE
    if is_there:
        expected = "<>"
    assert put(text.replace("{}", HERE), HERE) == text.replace("{}", expected)


BEGINS = [
    ("={}", True),
    ("file://{}", True),
    ("host:{}", True),
    ('"{}', True),
    ("-I{}", True),
    ("cc -L{} x", True),
    ("\\n{}", True),
    ("a\\n{}", True),
    ("\n{}", True),
    ("/var{}", False),
    ("x-I{}", False),
    ("--I{}", False),
    ("../..{}", False),
    ("~{}", False),
    ("_{}", False),
    ("7{}", False),
    ("http:/{}", False),
    ("/{} is a comment", False),
]


@pytest.mark.parametrize(("text", "is_there"), BEGINS)
def test_a_directory_counts_where_its_name_begins(text: str, is_there: bool) -> None:
    expected = "/tmp"
    if is_there:
        expected = "<>"
    assert put(text.replace("{}", "/tmp"), "/tmp") == text.replace("{}", expected)


def test_a_path_with_dashes_for_slashes_counts_likewise() -> None:
    text = "~/.claude/projects/-home-a-proj/memory, -home-a-proj-2, x-home-a-proj"
    assert put(text, "-home-a-proj") == "~/.claude/projects/<>/memory, -home-a-proj-2, x-home-a-proj"


@pytest.mark.parametrize(
    ("text", "is_there"),
    [
        ("{}", True),
        ("({}),", True),
        ("call_{}", True),
        ("{}_x", True),
        ("{}-x", True),
        ("\\n{}", True),
        ("\u20ac{}.", True),
        ("x{}", False),
        ("{}x", False),
        ("1{}", False),
        ("{}1", False),
        ("\u00e9{}", False),
    ],
)
def test_a_word_counts_with_no_letter_or_digit_beside_it(text: str, is_there: bool) -> None:
    for word in ("2026-11-27", "0198c2f4-aaaa", "abc"):
        expected = word
        if is_there:
            expected = "<>"
        assert put(text.replace("{}", word), word, is_path=False) == text.replace("{}", expected)


def test_a_word_that_begins_or_ends_with_a_mark_needs_nothing_beside_it() -> None:
    assert put("a[x]b", "[x]", is_path=False) == "a<>b"


def test_a_value_is_found_again_behind_a_place_where_it_does_not_count() -> None:
    assert put("aab ab abab ab", "ab", is_path=False) == "aab <> abab <>"


@pytest.mark.parametrize(
    ("recorded", "present"),
    [
        ("C:\\Users\\a", "D:\\new"),
        ("/home/caf\u00e9", "/home/b"),
        ("/home/caf\u00e9", '/home/"b"\u00fc'),
        ("/home/a b", "/x"),
        ("\U0001f511", "\u00e9"),
        ("line\nbreak", 'q"'),
    ],
)
@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("is_ascii", [True, False])
@pytest.mark.parametrize("slash", ["/", "\\/"])
def test_json_in_a_text_is_rewritten_as_it_is_escaped(
    recorded: str, present: str, depth: int, is_ascii: bool, slash: str
) -> None:
    def encoded(value: str) -> str:
        for level in range(depth):
            value = json.dumps(value, ensure_ascii=is_ascii)[1:-1]
            if level == 0:
                value = value.replace("/", slash)
        return value

    text = f"see [{encoded(recorded)}] and \\x"
    expected = present
    if encoded(recorded) != recorded:  # Else nothing tells that it is JSON.
        expected = encoded(present)
    assert put(text, recorded, present) == f"see [{expected}] and \\x"
