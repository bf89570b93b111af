"""What a stream of HTTP/2 sends in its time, how it stops, and what it does with a live answer that is shared."""

from typing import Any

import h2.events
import pytest
from mitmproxy.proxy import commands
from mitmproxy.proxy.layers.http._hooks import (
    HttpErrorHook,
    HttpRequestHeadersHook,
    HttpResponseHeadersHook,
    HttpResponseHook,
)

from layer_rig import ANSWER, OTHER, Clock, Http2Rig, Rigs, request_of, taken_over
from samples import CHAT
from wiretape.providers import wire
from wiretape.proxy import flow_state, framing, responses
from wiretape.proxy.layers.hooks import WiretapeFollowHook
from wiretape.recording import loads
from wiretape.replay import pacing
from wiretape.replay.faults import Ending, Fault
from wiretape.replay.pacing import Pace
from wiretape.replay.single_flight import FlightEnd, SharedResponse
from wiretape.tape.hit import Hit

RATE = Pace(rate=10.0, first=0.3)
LEAVING = pacing.schedule(RATE, len(ANSWER.chunks), (), wire.tokens(loads(CHAT.read_bytes())))
WHOLE = list(ANSWER.chunks)


def ask(rig: Http2Rig) -> tuple[int, list[Any]]:
    """Send the request of the recording, and have it decided on."""
    stream, (hook,) = rig.send()
    return stream, rig.decide(hook)


def rule(text: str) -> dict[str, str]:
    return {"rules": f"[[fault]]\n{text}"}


# -- without a flow ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("warm", [False, True])
def test_each_chunk_leaves_in_its_time(warm: bool, rigged: Rigs, clock: Clock) -> None:
    rig = rigged.http2(pace=RATE)
    if warm:
        _, (wakeup,) = ask(rig)
        clock.pass_by(1000)
        assert rig.wake(wakeup) == []
    began = clock.moment
    stream, made = rig.send() if warm else ask(rig)
    assert (rig.head_of(stream)[":status"], rig.pieces_of(stream)) == ("200", [])
    for count, at in enumerate(LEAVING, 1):
        (wakeup,) = made
        assert wakeup.delay == pytest.approx(began + at - clock.moment, abs=0.0011)
        clock.moment = began + at
        made = rig.wake(wakeup)
        assert rig.pieces_of(stream) == WHOLE[:count]
    assert made == []
    assert rig.end_of(stream) is h2.events.StreamEnded


def test_a_client_that_gives_up_gets_nothing_more(rigged: Rigs, clock: Clock) -> None:
    rig = rigged.http2(pace=RATE)
    stream, (wakeup,) = ask(rig)
    assert rig.reset(stream) == []
    clock.pass_by(1000)
    assert rig.wake(wakeup) == []
    assert rig.pieces_of(stream) == []
    _, (other,) = rig.send()  # Of others it is no concern.
    assert isinstance(other, commands.RequestWakeup)


@pytest.mark.parametrize(
    ("fault", "count", "end"),
    [
        ("cut = 2", 2, h2.events.StreamReset),
        ('cut = 1\nhow = "end"', 1, h2.events.StreamEnded),
        ("cut = 0", 0, h2.events.StreamReset),
        ("stall = 2", 2, None),
    ],
)
def test_a_fault_stops_an_answer(fault: str, count: int, end: type | None, rigged: Rigs) -> None:
    rig = rigged.http2(**rule(f"{fault}\nnth = 1"))
    stream, made = ask(rig)
    assert made == []
    assert rig.head_of(stream)[":status"] == "200"
    assert rig.pieces_of(stream) == WHOLE[:count]
    assert rig.end_of(stream) is end
    other, _ = ask(rig)  # The connection is as it was.
    assert rig.end_of(other) is h2.events.StreamEnded


def test_a_client_that_gives_up_a_stalled_answer_leaves_nothing(rigged: Rigs) -> None:
    rig = rigged.http2(**rule("stall = 1"))
    stream, _ = ask(rig)
    (layer,) = rig.context.layers[:1]
    assert stream in layer.streams  # type: ignore[attr-defined]
    assert rig.reset(stream) == []
    assert stream not in layer.streams  # type: ignore[attr-defined]


def test_a_delay_holds_up_the_head(rigged: Rigs, clock: Clock) -> None:
    rig = rigged.http2(**rule('delay = "2s"'))
    stream, (wakeup,) = ask(rig)
    assert (wakeup.delay, rig.head_of(stream)) == (pytest.approx(2), {})
    clock.pass_by(2)
    assert rig.wake(wakeup) == []
    assert rig.pieces_of(stream) == [b"".join(WHOLE)]


# -- with a flow -------------------------------------------------------------------------------------------------------


def flow_of(rig: Http2Rig) -> tuple[int, HttpRequestHeadersHook]:
    """Have a request that becomes a flow; return its stream and the flow's first hook."""
    stream, (hook,) = rig.send(OTHER)
    return stream, taken_over(rig.decide(hook))


def play(rig: Http2Rig, begun: HttpRequestHeadersHook, fault: Fault | None, clock: Clock) -> list[Any]:
    """Have a flow answered from the recording, as the addon does."""
    hook = request_of(rig, begun)
    hit = Hit("x", ANSWER, LEAVING, 0, sum(map(len, ANSWER.chunks)))
    hook.flow.response, play = framing.flow_response(hit, fault, clock.moment, "HTTP/2.0")
    flow_state.of(hook.flow).play = play
    (headers,) = rig.complete(hook)
    assert isinstance(headers, HttpResponseHeadersHook)
    assert headers.flow.response
    headers.flow.response.headers["x-changed"] = "1"
    return rig.complete(headers)


def test_a_flow_is_played_with_the_head_that_addons_have_left_it(rigged: Rigs, clock: Clock) -> None:
    rig = rigged.http2()
    stream, begun = flow_of(rig)
    (wakeup,) = play(rig, begun, None, clock)
    assert rig.head_of(stream)["x-changed"] == "1"
    clock.pass_by(LEAVING[0])
    (wakeup,) = rig.wake(wakeup)
    assert rig.pieces_of(stream) == WHOLE[:1]
    clock.pass_by(1000)
    (ended,) = rig.wake(wakeup)
    assert isinstance(ended, HttpResponseHook)
    assert rig.end_of(stream) is None  # Addons hear of the end first.
    rig.complete(ended)
    assert (rig.pieces_of(stream), rig.end_of(stream)) == (WHOLE, h2.events.StreamEnded)


def test_a_client_that_gives_up_a_played_flow_is_told_of_once(rigged: Rigs, clock: Clock) -> None:
    rig = rigged.http2()
    stream, begun = flow_of(rig)
    (wakeup,) = play(rig, begun, None, clock)
    (error,) = rig.reset(stream)
    assert isinstance(error, HttpErrorHook)
    assert begun.flow.error
    assert rig.complete(error) == []
    assert not begun.flow.live
    clock.pass_by(1000)
    assert rig.wake(wakeup) == []


@pytest.mark.parametrize("ending", [Ending.RESET, Ending.STALL])
def test_a_fault_stops_a_played_flow(rigged: Rigs, clock: Clock, ending: Ending) -> None:
    rig = rigged.http2()
    stream, begun = flow_of(rig)
    (wakeup,) = play(rig, begun, Fault(ending=ending, after=1), clock)
    clock.pass_by(LEAVING[0])
    made = rig.wake(wakeup)
    assert rig.pieces_of(stream) == WHOLE[:1]
    if ending is Ending.STALL:
        assert (made, rig.end_of(stream)) == ([], None)
        made = rig.reset(stream)
    (error,) = made
    assert isinstance(error, HttpErrorHook)
    rig.complete(error)
    assert rig.end_of(stream) is (h2.events.StreamReset if ending is Ending.RESET else None)


# -- a live answer that is shared --------------------------------------------------------------------------------------


class Kept:
    """The pieces of a live answer, in a list; whoever reads begins with the first."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    @property
    def size(self) -> int:
        return len(self.pieces)

    def reader(self) -> "Reader":
        return Reader(self)


class Reader:
    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self.offset = 0

    def next_piece(self) -> bytes | None:
        self.offset += 1
        return self._kept.pieces[self.offset - 1]


def follow(rig: Http2Rig, begun: HttpRequestHeadersHook) -> tuple[SharedResponse, Kept, list[Any]]:
    """Have a flow follow a live answer of which a piece has come."""
    hook = request_of(rig, begun)
    flight = SharedResponse()
    kept = Kept()
    kept.pieces.append(b"one")
    flight.begin(200, (), kept)
    flow_state.of(hook.flow).follow = flight.follower()
    hook.flow.response = responses.shared(200, (), "HTTP/2.0")
    (headers,) = rig.complete(hook)
    return flight, kept, rig.complete(headers)


def test_a_live_answer_leaves_as_it_comes(rigged: Rigs) -> None:
    rig = rigged.http2()
    stream, begun = flow_of(rig)
    flight, kept, (more,) = follow(rig, begun)
    assert isinstance(more, WiretapeFollowHook)
    assert rig.pieces_of(stream) == [b"one"]
    kept.pieces.append(b"two")
    (more,) = rig.complete(more)
    assert rig.pieces_of(stream) == [b"one", b"two"]
    kept.pieces.append(b"three")
    flight.end(FlightEnd.WHOLE)
    (ended,) = rig.complete(more)
    assert isinstance(ended, HttpResponseHook)
    rig.complete(ended)
    assert (rig.pieces_of(stream), rig.end_of(stream)) == ([b"one", b"two", b"three"], h2.events.StreamEnded)


@pytest.mark.parametrize("has_failed", [False, True])
def test_a_live_answer_that_breaks_off_is_reset(rigged: Rigs, *, has_failed: bool) -> None:
    rig = rigged.http2()
    stream, begun = flow_of(rig)
    flight, _, (more,) = follow(rig, begun)
    if has_failed:
        more.following.has_failed = True
    else:
        flight.end(FlightEnd.BROKE_OFF, "the server has gone")
    (error,) = rig.complete(more)
    assert isinstance(error, HttpErrorHook)
    assert begun.flow.error
    assert begun.flow.error.msg == ("wiretape failed" if has_failed else "the server has gone")
    rig.complete(error)
    assert rig.end_of(stream) is h2.events.StreamReset


def test_a_client_that_goes_while_it_follows_gets_nothing_more(rigged: Rigs) -> None:
    rig = rigged.http2()
    stream, begun = flow_of(rig)
    _, kept, (more,) = follow(rig, begun)
    assert rig.reset(stream) == []
    kept.pieces.append(b"two")
    (error,) = rig.complete(more)
    assert isinstance(error, HttpErrorHook)
    rig.complete(error)
    assert rig.pieces_of(stream) == [b"one"]
    assert not begun.flow.live
