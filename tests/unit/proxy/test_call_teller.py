"""Each call is told once: hits on the way of each, answers that take a while, and those that follow another one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from builders import chat, route, tape_of
from deciding import ToldCalls, make_decider
from wiretape.call_log.call import Outcome
from wiretape.policy import Mode
from wiretape.providers import wire
from wiretape.providers.usage import Usage
from wiretape.proxy.admission import Grant
from wiretape.proxy.call_teller import CallTeller
from wiretape.proxy.calls import BodyState, EndpointRequest, Faulted, IncomingRequest, Missed, Replayed, RequestHead
from wiretape.proxy.open_call import OpenCall
from wiretape.replay.faults import Fault, Status
from wiretape.replay.single_flight import SharedResponse
from wiretape.sessions.scopes import Scope
from wiretape.store.directory import DirectoryStore
from wiretape.tape.hit import Hit
from wiretape.tape.mismatch import Explanation

TAPE = tape_of(DirectoryStore(Path("nowhere")), "checkout", Mode.REPLAY)
HEAD = RequestHead("POST", "https", ("api.openai.com",), 443, "/v1/chat/completions?a=b", "", test_id="t")
SECRET = "sk-proj-" + "aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA" * 2


@pytest.fixture
def log() -> ToldCalls:
    return ToldCalls()


@pytest.fixture
def teller(log: ToldCalls) -> Iterator[CallTeller]:
    teller = CallTeller(None, lambda head: route(head.path.partition("?")[0], head.hosts[0]))
    teller.log = log
    yield teller
    teller.stop()


def hit() -> Hit:
    return Hit("e99f", wire.HttpResponse(200, (), (b"abc",)), (0.0,), 5, 3, "label m", (), "m", "base", Usage(output=5))


def incoming(scope: Scope | None = None) -> IncomingRequest:
    return IncomingRequest(HEAD, Grant(TAPE, client="gw0", scope=scope), b"{}", 0.0)


def asked() -> EndpointRequest:
    return EndpointRequest(Grant(TAPE), route(), 0.0, BodyState.READ, chat("Hello"))


def test_hits_of_one_recording_are_told_by_one_template_for_each_scope(teller: CallTeller, log: ToldCalls) -> None:
    known = hit()
    for at in range(200):
        teller.hit(incoming(Scope(str(at % 2), "gw0", "checkout", f"test {at % 2}")), known)
    assert len({*known.told}) == 2
    assert [(call.scope, call.test_id) for call in log.calls[:3]] == [("0", "test 0"), ("1", "test 1"), ("0", "test 0")]
    for at in range(200):
        teller.hit(incoming(Scope(str(at), "gw0", "checkout")), known)
    assert len(known.told) <= 64, "tests come and go"


def test_what_is_told_of_a_hit(teller: CallTeller, log: ToldCalls) -> None:
    teller.hit(incoming(), hit())
    (told,) = log.calls
    assert (told.outcome, told.session, told.mode, told.client) == (Outcome.HIT, "checkout", "replay", "gw0")
    assert (told.provider, told.endpoint, told.model) == ("openai", "/v1/chat/completions", "m")
    assert (told.recording, told.recorded_in, told.bytes, told.usage) == ("e99f", "base", 3, Usage(output=5))
    assert told.test_id == "t"


def test_without_a_log_nothing_is_kept(teller: CallTeller) -> None:
    teller.log = None
    known = hit()
    teller.hit(incoming(), known)
    assert known.told == {}
    assert teller.open_hit(incoming(), known) is None
    assert teller.open_play(Replayed(asked(), known)) is None
    call = teller.open(Grant(TAPE), 0.0)
    teller.miss(call, "no recording")
    call.end()
    assert teller.report.missed == 1, "the summary has them all the same"


def test_answers_of_ours_that_are_played_are_told_at_their_ends(teller: CallTeller, log: ToldCalls) -> None:
    busy = Fault(status=Status(529, (), b"busy"))
    plays = [
        teller.open_hit(incoming(), hit()),
        teller.open_play(Replayed(asked(), hit(), Fault(delay=1.0))),
        teller.open_play(Faulted(asked(), busy)),
    ]
    assert teller.open_play(Missed(asked())) is None
    assert not log.calls
    for call in plays:
        assert call
        call.end()
    assert [call.outcome for call in log.calls] == [Outcome.HIT, Outcome.HIT, Outcome.FAULT]
    assert [call.why for call in log.calls] == [(), ("fault: delay of 1 s",), ("fault: status 529",)]


def test_a_miss_has_its_explanation_and_its_line(teller: CallTeller, log: ToldCalls) -> None:
    call = teller.open(Grant(TAPE), 0.0)
    call.ask(asked())
    teller.miss(call, Explanation("0123", "e99f", f"key {SECRET}\n", "all of it", "hint"))
    call.end()
    (told,) = log.calls
    assert told.miss
    assert (told.outcome, told.miss.hash, told.miss.text) == (Outcome.MISS, "0123", "all of it")
    (line,) = teller.report.misses
    assert line.startswith(f"{asked().label} (session checkout): 0123: nearest e99f: key ")
    assert SECRET not in line
    assert "\n" not in line


def test_what_was_never_decided_on_was_no_call(teller: CallTeller, log: ToldCalls) -> None:
    teller.open(Grant(TAPE), 0.0).end()
    assert not log.calls


def test_what_has_not_ended_is_told_when_the_proxy_stops(teller: CallTeller, log: ToldCalls) -> None:
    call = teller.open(Grant(TAPE), 0.0)
    call.pass_on("the mode is live")
    teller.stop()
    teller.stop()
    assert [told.why for told in log.calls] == [("the mode is live", "the proxy stopped")]


def test_who_follows_has_the_tokens_of_the_recording_that_is_made(teller: CallTeller, log: ToldCalls) -> None:
    flight = SharedResponse()
    teller.lead(flight)

    def following() -> OpenCall:
        call = teller.open(Grant(TAPE), 0.0)
        call.ask(asked())
        call.follow(flight)
        return call

    early = following()
    late = following()
    early.end()
    assert not log.calls, "it is not recorded yet"
    teller.land(flight, "e99f", "gpt-5", Usage(output=3))
    assert len(log.calls) == 1
    late.end()
    stray = following()
    stray.end()
    assert [(told.outcome, told.recording, told.usage) for told in log.calls] == [
        (Outcome.FOLLOWED, "e99f", Usage(output=3)),
        (Outcome.FOLLOWED, "e99f", Usage(output=3)),
        (Outcome.FOLLOWED, "", Usage()),
    ]


def test_what_fails_is_refused(teller: CallTeller, log: ToldCalls) -> None:
    teller.fail(incoming())
    (told,) = log.calls
    assert (told.outcome, told.status, told.provider) == (Outcome.REFUSED, 500, "openai")


def test_a_decider_has_one() -> None:
    decider = make_decider()
    assert decider.teller.log is None
    decider.close()
