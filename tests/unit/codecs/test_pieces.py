"""The pieces of a body behave as a sequence of bytes."""

import pytest

from wiretape.codecs.pieces import Pieces

EACH = [b"ab", b"", b"c", b"def"]


def test_they_are_what_was_put_in() -> None:
    pieces = Pieces(EACH[:2])
    for each in EACH[2:]:
        pieces.append(each)
    assert [*pieces] == EACH
    assert len(pieces) == 4
    assert bytes(pieces.data) == b"abcdef"


@pytest.mark.parametrize("at", [0, 1, 3, -1, -4])
def test_one_of_them(at: int) -> None:
    assert Pieces(EACH)[at] == EACH[at]


@pytest.mark.parametrize("at", [slice(None), slice(1, 3), slice(None, None, -1), slice(2, 100)])
def test_several_of_them(at: slice) -> None:
    assert Pieces(EACH)[at] == tuple(EACH[at])


def test_beyond_the_end_there_is_none() -> None:
    with pytest.raises(IndexError):
        Pieces(EACH)[4]


def test_equal_is_what_has_the_same_pieces() -> None:
    assert Pieces(EACH) == EACH
    assert Pieces(EACH) == tuple(EACH)
    assert Pieces(EACH) != [b"abcdef"]
    assert Pieces(EACH) != EACH[:-1]
    assert Pieces() != 1
