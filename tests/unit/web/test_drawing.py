"""A timeline as a drawing."""

import pytest

from wiretape.library.timeline import Moment, Timeline
from wiretape.web import drawing
from wiretape.web.drawing import duration


def test_bars_stand_where_their_chunks_came() -> None:
    moments = [Moment(100, 9, ""), Moment(500, 9, "a"), Moment(600, 9, "b", is_thought=True), Moment(1000, 9, "c")]
    made = drawing.drawing(Timeline(moments))
    assert [(mark.x, mark.kind) for mark in made.marks] == [
        (10, "other"),
        (50, "first"),
        (60, "thought"),
        (100, "word"),
    ]
    assert max(mark.height for mark in made.marks) == drawing.HEIGHT
    assert made.ticks[0].text == "0 ms"
    assert all(0 <= tick.x <= 100 for tick in made.ticks)


def test_very_many_chunks_are_as_many_bars_as_there_is_room_for() -> None:
    made = drawing.drawing(Timeline([Moment(number, 1, "x") for number in range(50_000)]))
    assert len(made.marks) <= 1001


def test_an_answer_at_once_and_an_empty_one_are_drawn_too() -> None:
    assert drawing.drawing(Timeline([])).marks == []
    assert len(drawing.drawing(Timeline([Moment(0, 1, "x")])).marks) == 1


@pytest.mark.parametrize(
    ("ms", "text"), [(None, ""), (0.034, "0.034 ms"), (0, "0 ms"), (12.4, "12 ms"), (1240, "1.24 s"), (75_000, "75 s")]
)
def test_a_duration_is_told_for_people(ms: float | None, text: str) -> None:
    assert duration(ms) == text
