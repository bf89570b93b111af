"""Two conversations beside each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiretape.library.conversation import Part, PartKind, Turn
from wiretape.library.turn_differences import Side, compared, pieces


def turn(role: str, text: str) -> Turn:
    return Turn(role, (Part(PartKind.TEXT, text),))


SYSTEM = turn("system", "Be brief.")
ASKED = turn("user", "What is the capital of France?")
ANSWER = turn("assistant", "Paris.")


def test_a_changed_message_is_the_only_one_that_differs() -> None:
    other = turn("user", "What is the capital of Italy?")
    pairs = compared([SYSTEM, ASKED, ANSWER], [SYSTEM, other, ANSWER])
    assert [pair.is_same for pair in pairs] == [True, False, True]
    told = [(piece.side, piece.text) for piece in pairs[1].parts[0].pieces]
    assert told == [
        (Side.BOTH, "What is the capital of "),
        (Side.HERE, "France"),
        (Side.THERE, "Italy"),
        (Side.BOTH, "?"),
    ]


def test_a_message_that_only_one_has_shifts_no_other() -> None:
    pairs = compared([SYSTEM, ASKED, ANSWER], [ASKED, ANSWER])
    assert [(pair.role, pair.is_same) for pair in pairs] == [("system", False), ("user", True), ("assistant", True)]
    assert pairs[0].there is None


def test_a_conversation_that_goes_on_differs_at_its_end() -> None:
    pairs = compared([ASKED, ANSWER], [ASKED, ANSWER, turn("user", "And Italy?")])
    assert [pair.is_same for pair in pairs] == [True, True, False]
    assert pairs[2].here is None


@pytest.mark.parametrize("words", [10, 100_000])
def test_the_work_is_bounded(words: int) -> None:
    here = " ".join(f"a{number}" for number in range(words))
    there = " ".join(f"b{number}" for number in range(words))
    found = pieces(f"Start {here} end", f"Start {there} end")
    assert (found[0].text, found[-1].text) == ("Start ", "end")


TEXTS = st.text(st.sampled_from("ab \n.é😀"), max_size=30)


@given(TEXTS, TEXTS)
def test_the_pieces_are_both_texts(here: str, there: str) -> None:
    found = pieces(here, there)
    assert "".join(piece.text for piece in found if piece.side is not Side.THERE) == here
    assert "".join(piece.text for piece in found if piece.side is not Side.HERE) == there


TURNS = st.lists(st.builds(turn, st.sampled_from(["user", "assistant", "tool"]), st.sampled_from("abc")), max_size=6)


@given(TURNS, TURNS)
def test_no_turn_is_left_out(here: list[Turn], there: list[Turn]) -> None:
    pairs = compared(here, there)
    assert [pair.here for pair in pairs if pair.here] == here
    assert [pair.there for pair in pairs if pair.there] == there
