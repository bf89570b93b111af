"""How one answer is played to one client: what leaves now, how long to wait then, and how it ends.

A layer asks a ``Playback`` to ``advance`` to the present moment, and does what the ``Step`` says: it sends the head,
sends the chunks, and then does what ``then`` names. HTTP/1.1 and HTTP/2 send in different ways; what leaves, and when,
is the same for both and is decided here. Values in, values out: no clock, no socket.

    state      what happens in it                             goes on to
    WAITING    the head has not left, for its time to come    PLAYING, FOLLOWING: the head leaves
    PLAYING    a recording's chunks leave, each in its time   ENDED: the last one leaves, and the ending is told
    FOLLOWING  a live answer's pieces leave as they come      ENDED: the live answer has ended, or broken off
    ENDED      nothing is left to send

``abandon`` leads to ENDED from anywhere: the client has gone. Whatever the clock does, the head leaves once and before
all else, each chunk leaves once and in its order, and no chunk leaves more than a millisecond early. One step has no
more chunks than fill ``AT_ONCE`` bytes, so that other clients have their turn.

    playback = Playback(TimedAnswer(chunks=(b"a", b"b"), leaving=(0.0, 0.5)), since=100.0)
    playback.advance(100.0)  # the head and b"a"; then WAIT for 0.499 s
    playback.advance(100.5)  # b"b"; then FINISH

``FaultedPassage`` says the same of a live answer with a fault, which comes from its server piece by piece.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from wiretape.replay.faults import Ending, Fault
from wiretape.replay.single_flight import Follower

AT_ONCE = 256 * 1024
"""Bytes of an answer that are sent before others have their turn: to encrypt more takes too long for them."""

_SOON_S = 0.0001
"""Seconds until what is due goes on, where there is more of it than ``AT_ONCE``."""

_EARLY_S = 0.001
"""Seconds by which a chunk may leave early: timers are up to a millisecond late, and its way takes time."""

_AIMED_S = 0.00099
"""Seconds by which a timer is set early: a little less, so that no rounding makes it one that comes too soon."""


@dataclass(frozen=True, slots=True)
class TimedAnswer:
    """The body of an answer, and when each part of it is to leave: in seconds from the request's end."""

    chunks: Sequence[bytes]
    leaving: Sequence[float]
    """The moment of each chunk."""
    head_leaves: float = 0.0
    ending: Ending | None = None
    """What comes after the chunks, where it is not the answer's end."""

    @property
    def is_paced(self) -> bool:
        """Return whether a chunk has to wait for its time after the head has left."""
        return any(moment > self.head_leaves for moment in self.leaving)


class Then(Enum):
    """What a layer does after a step."""

    WAIT = auto()
    """Advance again in ``wait_s`` seconds."""
    FOLLOW = auto()
    """Advance again when the live answer has more."""
    FINISH = auto()
    """End the body as the protocol ends it: the answer is whole, or has to look as if it were."""
    RESET = auto()
    """Reset the connection; of HTTP/2 the stream."""
    STALL = auto()
    """Send nothing more, and leave the connection open."""
    BREAK_OFF = auto()
    """Tell the client that the live answer has failed, for ``reason``."""
    NOTHING = auto()
    """Do nothing: it has ended before."""


_ENDINGS = {None: Then.FINISH, Ending.END: Then.FINISH, Ending.RESET: Then.RESET, Ending.STALL: Then.STALL}


class Step(NamedTuple):
    """What a layer does now."""

    then: Then
    chunks: Sequence[bytes] = ()
    has_head: bool = False
    """Whether the head leaves, before the chunks."""
    wait_s: float = 0.0
    reason: str = ""


class State(Enum):
    """How far an answer is: see the table in this module's head."""

    WAITING = auto()
    PLAYING = auto()
    FOLLOWING = auto()
    ENDED = auto()


class Playback:
    """One answer on its way to one client."""

    __slots__ = ("_answer", "_next", "_since", "state")

    def __init__(self, answer: TimedAnswer | Follower, since: float = 0.0) -> None:
        """Play a recorded answer from ``since`` on, when the request's last byte came; or follow a live one."""
        self.state = State.WAITING
        self._answer = answer
        self._since = since
        self._next = 0
        """The chunk that leaves next."""

    def advance(self, now: float) -> Step:
        """Return what is to be done at this moment, by the clock of ``since``."""
        if self.state is State.PLAYING:
            return self._play(now, has_head=False)
        if self.state is State.FOLLOWING:
            return self._follow(has_head=False)
        if self.state is State.WAITING:
            return self._begin(now)
        return Step(Then.NOTHING)

    def abandon(self) -> None:
        """Send nothing more: the client has gone."""
        self.state = State.ENDED

    @property
    def has_begun(self) -> bool:
        """Return whether the head has left."""
        return self.state is not State.WAITING

    def _begin(self, now: float) -> Step:
        if isinstance(self._answer, Follower):
            self.state = State.FOLLOWING
            return self._follow(has_head=True)
        wait_s = self._since + self._answer.head_leaves - now
        if wait_s > 0:
            return Step(Then.WAIT, wait_s=wait_s)
        self.state = State.PLAYING
        return self._play(now, has_head=True)

    def _play(self, now: float, *, has_head: bool) -> Step:
        assert isinstance(self._answer, TimedAnswer)
        chunks = self._answer.chunks
        leaving = self._answer.leaving
        elapsed = now - self._since
        first = self._next
        last = first
        size = 0
        while last < len(chunks) and size < AT_ONCE and leaving[last] - elapsed <= _EARLY_S:
            size += len(chunks[last])
            last += 1
        self._next = last
        if last < len(chunks):
            wait_s = max(_SOON_S, leaving[last] - elapsed - _AIMED_S)
            return Step(Then.WAIT, chunks[first:last], has_head, wait_s)
        self.state = State.ENDED
        return Step(_ENDINGS[self._answer.ending], chunks[first:], has_head)

    def _follow(self, *, has_head: bool) -> Step:
        assert isinstance(self._answer, Follower)
        pieces = tuple(self._answer.pieces())
        if not self._answer.is_done:
            return Step(Then.FOLLOW, pieces, has_head)
        self.state = State.ENDED
        failure = self._answer.failure
        then = Then.BREAK_OFF if failure else Then.FINISH
        return Step(then, pieces, has_head, reason=failure)


class FaultedPassage:
    """A live answer that goes wrong on its way from the server to the client.

    The layer calls ``begin`` when the head has left, and ``take`` with each piece, held up by ``fault.slow`` seconds.
    """

    __slots__ = ("count", "fault")

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.count = 0
        """Pieces that have passed."""

    def begin(self) -> Step:
        """Return what follows on the head."""
        return Step(self._then())

    def take(self, piece: bytes) -> Step:
        """Return what is sent in the place of a piece, and what follows on it."""
        self.count += 1
        sent = self.fault.chunk(self.count, piece)
        return Step(self._then(), (sent,))

    @property
    def has_missed(self) -> bool:
        """Return whether some of the fault has not been reached by now."""
        return self.fault.missed(self.count)

    def _then(self) -> Then:
        ending = self.fault.ending_after(self.count)
        return _ENDINGS[ending] if ending else Then.FOLLOW
