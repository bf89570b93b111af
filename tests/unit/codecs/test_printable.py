"""Text of others is shown and not obeyed."""

import pytest

from wiretape.codecs import printable

SHOWN = {
    "plain": ("Grüße, 世界", "Grüße, 世界"),
    "a command to the terminal": ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
    "an eight-bit command": ("\x9b31m", "\\x9b31m"),
    "a carriage return": ("a\rb", "a\\rb"),
    "text turned around": ("a\u202eb", "a\\u202eb"),
    "nothing that is seen": ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
    "half a character": ("\udc80", "\\udc80"),
    "a line and a tab": ("a\n\tb", "a\\n\\tb"),
    "a line of another kind": ("a\u2028b", "a\\u2028b"),
}


@pytest.mark.parametrize("case", SHOWN)
def test_one_line(case: str) -> None:
    text, shown = SHOWN[case]
    assert printable.line(text) == shown


@pytest.mark.parametrize("case", sorted(SHOWN.keys() - {"a line and a tab"}))
def test_several_lines(case: str) -> None:
    text, shown = SHOWN[case]
    assert printable.lines(f"{text}\n\tx") == f"{shown}\n\tx"
