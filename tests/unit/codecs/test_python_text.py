"""JSON values as Python writes them."""

import math

import pytest

from wiretape.codecs import python_text


def test_a_value_is_read() -> None:
    assert python_text.value("{'a': [1, None, True, 'x'], 'b': -2.5}") == {"a": [1, None, True, "x"], "b": -2.5}
    assert python_text.value(" \t'inf'") == "inf"


def test_numbers_that_are_none_are_read() -> None:
    nan, infinite = python_text.value("[nan, -inf]")
    assert math.isnan(nan)
    assert infinite == -math.inf


@pytest.mark.parametrize("text", ["", "x", "f()", "__import__('os')", "[1", "1 + a", "(" * 10000, "nan()", "a.inf"])
def test_what_is_none_is_refused_and_not_run(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the parser's own words
        python_text.value(text)
