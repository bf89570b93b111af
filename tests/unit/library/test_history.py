"""Which call came before another in one conversation."""

import pytest

from wiretape.library.conversation import Part, PartKind, Turn
from wiretape.library.history import before, marks


def turn(role: str, *texts: str) -> Turn:
    return Turn(role, tuple(Part(PartKind.TEXT, text) for text in texts))


TURNS = [turn("system", "Be brief."), turn("user", "Hi"), turn("assistant", "Hello!"), turn("user", "Half: \ud83d")]


def test_the_call_before_is_the_longest_that_is_a_beginning() -> None:
    ends = {marks(TURNS[:count])[-1]: f"of {count}" for count in (1, 2, 4)}
    assert before(TURNS, ends) == ("of 2", 2)
    assert before([*TURNS, turn("assistant", "?")], ends) == ("of 4", 4)
    assert before(TURNS[:1], ends) is None, "it is no beginning of itself"


@pytest.mark.parametrize(
    "other",
    [
        [turn("system", "Be brief."), turn("user", "Ho")],
        [turn("system", "Be brief."), turn("assistant", "Hi")],
        [turn("user", "Hi")],
        [turn("system", "Be brief.", ""), turn("user", "Hi")],
        [turn("system", "Be", " brief."), turn("user", "Hi")],
    ],
)
def test_what_was_said_otherwise_is_another_conversation(other: list[Turn]) -> None:
    assert marks(other)[-1] not in marks(TURNS)


def test_nothing_was_before_nothing() -> None:
    assert marks([]) == []
    assert before([], {}) is None
