"""Whose turn it is: counted for each session and request, in any number of threads."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from wiretape.replay.take_counters import LocalTurns, TurnsOfScope


def test_each_session_and_request_has_a_count_of_its_own() -> None:
    turns = LocalTurns()
    assert [turns.next("one", "a") for _ in range(3)] == [0, 1, 2]
    assert turns.next("two", "a") == 0
    assert turns.next("one", "b") == 0
    assert turns.next("one", "a") == 3


def test_rewinding_begins_anew_everywhere() -> None:
    turns = LocalTurns()
    for session in ("one", "two"):
        turns.next(session, "a")
    turns.rewind()
    assert [turns.next(session, "a") for session in ("one", "two")] == [0, 0]


def test_of_many_at_once_each_has_another_turn() -> None:
    turns = LocalTurns()

    def take(_: int) -> list[int]:
        return [turns.next("one", "a") for _ in range(500)]

    with ThreadPoolExecutor(8) as pool:
        taken = [turn for each in pool.map(take, range(8)) for turn in each]
    assert sorted(taken) == list(range(4000))


def test_who_asks_ever_new_things_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wiretape.replay.take_counters._COUNTED", 10)
    turns = LocalTurns()
    for number in range(100):
        turns.next("one", str(number))
    assert [turns.next("one", "99"), turns.next("one", "0")] == [1, 0]
    assert len(turns._played) == 10


def test_a_scope_begins_with_the_first_turn_of_each_request() -> None:
    turns = LocalTurns()
    assert [turns.next("one", "a") for _ in range(2)] == [0, 1]
    first, second = TurnsOfScope(turns, "x"), TurnsOfScope(turns, "y")
    assert [first.next("one", "a"), second.next("one", "a"), first.next("one", "a")] == [0, 0, 1]
    assert first.next("two", "a") == 0
    assert turns.next("one", "a") == 2
    second.rewind()
    assert [turns.next("one", "a"), first.next("one", "a")] == [0, 0]
