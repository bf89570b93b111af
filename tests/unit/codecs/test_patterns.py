"""Patterns for bytes and texts."""

import pytest
import re2

from wiretape.codecs.patterns import compiled, text_pattern


def test_a_pattern_takes_any_byte_for_a_character() -> None:
    assert compiled(rb"a.b").search(b"x a\xffb").span() == (2, 5)


def test_a_wrong_pattern_is_an_error_and_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(re2.error):
        compiled(rb"(")
    with pytest.raises(ValueError, match=r"'\(' is no pattern of RE2 \(missing \)"):
        text_pattern("(")
    assert capfd.readouterr().err == ""
