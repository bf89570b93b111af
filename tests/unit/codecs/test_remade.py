"""Values that are made anew each time behave as a sequence."""

import pytest

from wiretape.codecs.remade import Remade


def numbers() -> Remade:
    return Remade.of(lambda: iter("abcd"))


def test_they_are_made_each_time() -> None:
    assert [*numbers()] == [*"abcd"]
    assert len(numbers()) == 4
    assert [*Remade(lambda: iter("abcd"), 2)] == [*"ab"]


@pytest.mark.parametrize("at", [0, 3, -1, -4, slice(1, 3), slice(None, None, -1)])
def test_some_of_them(at: int | slice) -> None:
    assert numbers()[at] == [*"abcd"][at]


def test_beyond_the_end_there_is_none() -> None:
    with pytest.raises(IndexError):
        numbers()[4]


def test_each_is_changed_by_its_place() -> None:
    changed = numbers().mapped(lambda at, item: f"{at}{item}")
    assert [*changed] == ["0a", "1b", "2c", "3d"]
    assert [*changed] == [*changed]
