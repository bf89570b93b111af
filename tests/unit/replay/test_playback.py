"""How an answer is played: a case is a table of moments, and of what is to be done at each. The clock is ours."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from wiretape.replay.faults import Ending, Fault
from wiretape.replay.playback import AT_ONCE, FaultedPassage, Playback, State, Step, Then, TimedAnswer
from wiretape.replay.single_flight import FlightEnd, SharedResponse

BEGAN = 1000.0
"""When the request's last byte came."""
EARLY = 0.00099
"""Seconds by which a timer is early; a chunk may leave a millisecond early."""
CHUNKS = (b"one", b"two", b"three")
LATER = (0.2, 0.5, 0.9)

type Expected = tuple[bool, tuple[bytes, ...], Then, float]
"""Whether the head leaves, the chunks that do, what comes then, and the seconds until it does."""


@dataclass
class Case:
    """An answer, and what a layer is told at each moment: seconds from the request's end."""

    answer: TimedAnswer
    steps: Sequence[tuple[float, Expected]]


def timed(chunks: tuple[bytes, ...] = CHUNKS, leaving: tuple[float, ...] = (), **more: object) -> TimedAnswer:
    return TimedAnswer(chunks, leaving or (0.0,) * len(chunks), **more)  # type: ignore[arg-type]


CASES = {
    "instant": Case(timed(), [(0.0, (True, CHUNKS, Then.FINISH, 0))]),
    "empty": Case(timed(()), [(0.0, (True, (), Then.FINISH, 0))]),
    "paced": Case(
        timed(leaving=LATER),
        [
            (0.0, (True, (), Then.WAIT, 0.2 - EARLY)),
            (0.2, (False, CHUNKS[:1], Then.WAIT, 0.3 - EARLY)),
            (0.5, (False, CHUNKS[1:2], Then.WAIT, 0.4 - EARLY)),
            (0.9, (False, CHUNKS[2:], Then.FINISH, 0)),
        ],
    ),
    "paced, two chunks, of which the first leaves with the head": Case(
        timed((b"a", b"b"), (0.0, 0.5)),
        [(0.0, (True, (b"a",), Then.WAIT, 0.5 - EARLY)), (0.5, (False, (b"b",), Then.FINISH, 0))],
    ),
    "asked for too early": Case(
        timed(leaving=LATER),
        [
            (0.0, (True, (), Then.WAIT, 0.2 - EARLY)),
            (0.1, (False, (), Then.WAIT, 0.1 - EARLY)),
            (0.1995, (False, CHUNKS[:1], Then.WAIT, 0.3005 - EARLY)),
        ],
    ),
    "asked for too late": Case(
        timed(leaving=LATER),
        [(0.0, (True, (), Then.WAIT, 0.2 - EARLY)), (0.6, (False, CHUNKS[:2], Then.WAIT, 0.3 - EARLY))],
    ),
    "all of it too late": Case(timed(leaving=LATER), [(60.0, (True, CHUNKS, Then.FINISH, 0))]),
    "the head is held up": Case(
        timed(leaving=(2.0, 2.0, 2.5), head_leaves=2.0),
        [
            (0.5, (False, (), Then.WAIT, 1.5)),
            (1.9995, (False, (), Then.WAIT, 0.0005)),
            (2.0, (True, CHUNKS[:2], Then.WAIT, 0.5 - EARLY)),
            (2.5, (False, CHUNKS[2:], Then.FINISH, 0)),
        ],
    ),
    "cut: the framing ends": Case(timed(CHUNKS[:2], ending=Ending.END), [(0.0, (True, CHUNKS[:2], Then.FINISH, 0))]),
    "stalled": Case(timed(CHUNKS[:1], ending=Ending.STALL), [(0.0, (True, CHUNKS[:1], Then.STALL, 0))]),
    "reset": Case(
        timed(CHUNKS[:2], (0.0, 0.5), ending=Ending.RESET),
        [(0.0, (True, CHUNKS[:1], Then.WAIT, 0.5 - EARLY)), (0.5, (False, CHUNKS[1:2], Then.RESET, 0))],
    ),
    "reset after the head": Case(timed((), ending=Ending.RESET), [(0.0, (True, (), Then.RESET, 0))]),
    "a large one goes in parts": Case(
        timed((b"x" * AT_ONCE, b"y", b"z" * AT_ONCE)),
        [
            (0.0, (True, (b"x" * AT_ONCE,), Then.WAIT, 0.0001)),
            (0.0, (False, (b"y", b"z" * AT_ONCE), Then.FINISH, 0)),
        ],
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_leaves_when(case: Case) -> None:
    playback = Playback(case.answer, BEGAN)
    for moment, (has_head, chunks, then, wait_s) in case.steps:
        step = playback.advance(BEGAN + moment)
        assert (step.has_head, tuple(step.chunks), step.then) == (has_head, chunks, then)
        assert step.wait_s == pytest.approx(wait_s)
        assert playback.has_begun is (moment >= case.answer.head_leaves)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_nothing_leaves_after_the_end(case: Case) -> None:
    playback = Playback(case.answer, BEGAN)
    while playback.advance(BEGAN + 60).then is Then.WAIT:
        pass
    assert playback.state is State.ENDED
    assert playback.advance(BEGAN + 120) == Step(Then.NOTHING)


@pytest.mark.parametrize("steps", range(4))
def test_nothing_leaves_to_a_client_that_has_gone(steps: int) -> None:
    playback = Playback(timed(leaving=LATER, head_leaves=0.1), BEGAN)
    for number in range(steps):
        assert playback.advance(BEGAN + 0.2 * number).then is Then.WAIT
    playback.abandon()
    assert playback.advance(BEGAN + 60) == Step(Then.NOTHING)
    assert playback.state is State.ENDED


@pytest.mark.parametrize(
    ("leaving", "head_leaves", "is_paced"),
    [((0.0, 0.0, 0.0), 0.0, False), ((0.0, 0.0, 0.1), 0.0, True), ((2.0, 2.0, 2.0), 2.0, False), ((), 0.0, False)],
)
def test_whether_an_answer_is_paced(leaving: tuple[float, ...], head_leaves: float, *, is_paced: bool) -> None:
    assert TimedAnswer(CHUNKS[: len(leaving)], leaving, head_leaves).is_paced is is_paced


# -- a live answer -----------------------------------------------------------------------------------------------------


@dataclass
class Pieces:
    """The pieces of a live answer; those who read them find what is in the list by then."""

    kept: list[bytes | None] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.kept)

    def reader(self) -> "Reader":
        return Reader(self.kept)


@dataclass
class Reader:
    """Reads them. None stands for what cannot be read."""

    kept: list[bytes | None]
    offset: int = 0

    def next_piece(self) -> bytes | None:
        self.offset += 1
        return self.kept[self.offset - 1]


def following() -> tuple[SharedResponse, list[bytes | None], Playback]:
    """Return a live answer, the list that its pieces come into, and how it is played."""
    flight = SharedResponse()
    pieces = Pieces()
    flight.begin(200, (), pieces)
    follower = flight.follower()
    assert follower
    return flight, pieces.kept, Playback(follower)


def test_a_live_answer_is_followed_to_its_end() -> None:
    flight, pieces, playback = following()
    pieces.append(b"one")
    assert playback.advance(BEGAN) == Step(Then.FOLLOW, (b"one",), has_head=True)
    assert playback.advance(BEGAN) == Step(Then.FOLLOW)
    pieces += [b"two", b"", b"three"]
    assert playback.advance(BEGAN) == Step(Then.FOLLOW, (b"two", b"three"))
    pieces.append(b"four")
    flight.end(FlightEnd.WHOLE)
    assert playback.advance(BEGAN) == Step(Then.FINISH, (b"four",))
    assert playback.advance(BEGAN) == Step(Then.NOTHING)


def test_a_live_answer_that_has_ended_is_played_in_one_step() -> None:
    flight, pieces, playback = following()
    pieces.append(b"one")
    flight.end(FlightEnd.WHOLE)
    assert playback.advance(BEGAN) == Step(Then.FINISH, (b"one",), has_head=True)


def test_a_live_answer_of_very_many_pieces_is_played_in_parts() -> None:
    flight, pieces, playback = following()
    pieces += [b"x"] * 250
    flight.end(FlightEnd.WHOLE)
    first = playback.advance(BEGAN)
    second = playback.advance(BEGAN)
    assert (len(first.chunks), first.then) == (200, Then.FOLLOW)
    assert (len(second.chunks), second.then) == (50, Then.FINISH)


def test_a_live_answer_that_breaks_off_says_why() -> None:
    flight, pieces, playback = following()
    assert playback.advance(BEGAN) == Step(Then.FOLLOW, has_head=True)
    pieces.append(b"one")
    flight.end(FlightEnd.BROKE_OFF, "the server has gone")
    assert playback.advance(BEGAN) == Step(Then.BREAK_OFF, (b"one",), reason="the server has gone")
    assert playback.advance(BEGAN) == Step(Then.NOTHING)


def test_a_live_answer_that_cannot_be_read_breaks_off_before_it_ends() -> None:
    _, pieces, playback = following()
    pieces += [b"one", None, b"three"]
    step = playback.advance(BEGAN)
    assert (step.then, step.chunks, step.reason) == (Then.BREAK_OFF, (b"one",), "the journal cannot be read")


def test_a_client_that_has_gone_follows_no_more() -> None:
    _, pieces, playback = following()
    assert playback.advance(BEGAN).then is Then.FOLLOW
    playback.abandon()
    pieces.append(b"one")
    assert playback.advance(BEGAN) == Step(Then.NOTHING)


# -- a live answer with a fault ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "steps"),
    [
        (Fault(ending=Ending.RESET, after=2), [Then.FOLLOW, Then.FOLLOW, Then.RESET]),
        (Fault(ending=Ending.STALL, after=1), [Then.FOLLOW, Then.STALL]),
        (Fault(ending=Ending.END, after=0), [Then.FINISH]),
        (Fault(slow=0.5), [Then.FOLLOW, Then.FOLLOW, Then.FOLLOW, Then.FOLLOW]),
    ],
    ids=str,
)
def test_a_fault_stops_a_live_answer_where_it_says(fault: Fault, steps: list[Then]) -> None:
    passage = FaultedPassage(fault)
    assert passage.begin() == Step(steps[0])
    for piece, then in zip(CHUNKS, steps[1:], strict=False):
        assert passage.take(piece) == Step(then, (piece,))
    assert not passage.has_missed


def test_a_fault_damages_one_piece_and_tells_when_there_were_too_few() -> None:
    passage = FaultedPassage(Fault(garble=2))
    assert passage.begin().then is Then.FOLLOW
    assert passage.take(b'{"a": 1}').chunks == (b'{"a": 1}',)
    assert (passage.has_missed, passage.count) == (True, 1)
    (damaged,) = passage.take(b'{"a": 2}').chunks
    assert (damaged != b'{"a": 2}', len(damaged)) == (True, 8)
    assert not passage.has_missed
