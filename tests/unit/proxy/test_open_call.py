"""A call from its request to the end of its answer: told once, with what was noted by then."""

import time
from pathlib import Path

import pytest

from builders import chat, route, tape_of
from wiretape.call_log.call import Outcome
from wiretape.policy import Mode
from wiretape.providers import wire
from wiretape.providers.usage import Usage
from wiretape.proxy.admission import Grant
from wiretape.proxy.calls import BodyState, EndpointRequest
from wiretape.proxy.open_call import OpenCall
from wiretape.replay.faults import Fault
from wiretape.replay.playback import Step, Then
from wiretape.sessions.scopes import Scope
from wiretape.store.directory import DirectoryStore
from wiretape.tape.hit import Hit

HIT = Hit(
    "e99f",
    wire.HttpResponse(200, (), (b"ab", b"c")),
    (0.0, 0.0),
    5,
    3,
    "/v1/chat/completions gpt-5",
    ("today",),
    "gpt-5",
    "base",
    Usage(1, 0, 5),
)


def opened(told: list[OpenCall], scope: Scope | None = None) -> OpenCall:
    tape = tape_of(DirectoryStore(Path("nowhere")), "checkout", Mode.REPLAY)
    return OpenCall(Grant(tape, client="gw0", scope=scope), time.monotonic(), told.append)


def test_it_is_told_once_with_what_was_noted_by_then() -> None:
    told: list[OpenCall] = []
    call = opened(told, Scope("7", "gw0", "checkout", "test_one"))
    call.ask(EndpointRequest(call.grant, route(), 0.0, BodyState.READ, chat("Hello")))
    call.replay(HIT)
    call.begin(200, call.came_at + 0.25)
    call.end("", call.came_at + 0.5)
    call.end("too late")
    assert told == [call]
    made = call.made()
    assert made.at == pytest.approx(time.time(), abs=60)
    assert (made.client, made.scope, made.test_id, made.session) == ("gw0", "7", "test_one", "checkout")
    assert (made.outcome, made.request, made.model) == (Outcome.HIT, "/v1/chat/completions gpt-5", "gpt-5")
    assert (made.provider, made.endpoint) == ("openai", "/v1/chat/completions")
    assert (made.recording, made.recorded_in, made.rules) == ("e99f", "base", ("today",))
    assert made.first_byte_ms == pytest.approx(250)
    assert made.total_ms == pytest.approx(500)
    assert (made.status, made.bytes, made.usage, made.why) == (200, 3, Usage(1, 0, 5), ())


@pytest.mark.parametrize(
    ("then", "why"),
    [
        (Then.FINISH, ()),
        (Then.RESET, ("the connection was reset",)),
        (Then.STALL, ("it stalled",)),
        (Then.BREAK_OFF, ("the provider left",)),
    ],
)
def test_what_leaves_of_an_answer_of_ours_ends_it(then: Then, why: tuple[str, ...]) -> None:
    told: list[OpenCall] = []
    call = opened(told)
    call.replay(HIT, Fault())
    call.step(Step(Then.WAIT, (), has_head=False, wait_s=1.0), 200, call.came_at + 1)
    call.step(Step(Then.WAIT, (b"ab",), has_head=True), 200, call.came_at + 2)
    assert not told
    call.step(Step(then, (b"c",), reason="the provider left" if then is Then.BREAK_OFF else ""), 200, call.came_at + 3)
    (made,) = [each.made() for each in told]
    assert made.first_byte_ms == pytest.approx(2000)
    assert made.total_ms == pytest.approx(3000)
    assert made.bytes == 3
    assert made.why[1:] == why


def test_the_tokens_may_be_found_later() -> None:
    call = opened([])
    call.pass_on("the mode is live")

    def usage() -> Usage:
        call.model = "found"
        return Usage(output=9)

    call.usage = usage
    call.end()
    made = call.made()
    assert (made.usage, made.model, made.why) == (Usage(output=9), "found", ("the mode is live",))
