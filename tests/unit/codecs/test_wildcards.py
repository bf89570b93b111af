"""Names with stars in them."""

import fnmatch
import itertools

import pytest

from wiretape.codecs.wildcards import Wildcard

PATTERNS = ["", "a", "*", "a*", "*a", "*a*", "a*b", "a*a", "**", "*ab*ba*", "a**b", "ab"]
NAMES = ["", *("".join(each) for size in range(1, 6) for each in itertools.product("ab", repeat=size))]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_star_is_any_characters_or_none(pattern: str) -> None:
    for name in NAMES:
        assert Wildcard(pattern).matches(name) is fnmatch.fnmatchcase(name, pattern), name


def test_only_the_star_is_special() -> None:
    assert Wildcard("a?[b]*").matches("a?[b]c")
    assert not Wildcard("a?").matches("ab")
