"""What wiretape_match says."""

import pytest

from wiretape.matching import choice
from wiretape.matching.choice import MatchChoice
from wiretape.matching.rules import Loose

PRESETS = ("aider", "codex")


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("auto", MatchChoice(is_auto=True)),
        ("exact", MatchChoice(is_exact=True)),
        ("codex, aider,codex", MatchChoice(presets=("codex", "aider"))),
        ("auto,position", MatchChoice(is_auto=True, loose=(Loose.POSITION,))),
        ("conversation,codex,position", MatchChoice(presets=("codex",), loose=(Loose.CONVERSATION, Loose.POSITION))),
    ],
)
def test_words_and_presets_are_chosen(text: str, chosen: MatchChoice) -> None:
    assert choice.parse(text, PRESETS) == chosen


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Auto", "did you mean auto"),
        ("codx", "did you mean codex"),
        ("", "there are auto, exact, position, conversation, aider, codex"),
        ("auto,", "'' is no way to match"),
        ("exact,position", "exact stands alone"),
        ("codex,exact", "exact stands alone"),
    ],
)
def test_a_wrong_word_is_told_the_right_ones(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        choice.parse(text, PRESETS)
