"""Who needs rules waits until recordings are read for them; what is exact does not."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from builders import came, chat, route, tape_of, text_of
from wiretape.matching.built_in import BUILT_IN
from wiretape.matching.rules import MatchPolicy
from wiretape.metrics.counters import SessionCounters
from wiretape.policy import Freshness, Mode, OnExpiry
from wiretape.proxy.admission import Grant
from wiretape.proxy.calls import EndpointRequest, Finding
from wiretape.proxy.look_up import LookUps
from wiretape.proxy.threads import Threads
from wiretape.recording.capture import Origin
from wiretape.sessions.model import Session, Sessions
from wiretape.store.directory import DirectoryStore
from wiretape.tape import reduced_session
from wiretape.tape.pool import TapePool


@pytest.fixture(name="look_ups")
def _look_ups() -> Iterator[LookUps]:
    threads = Threads()
    yield LookUps(threads)
    threads.close()


def request(folder: Path, *keys: str) -> list[EndpointRequest]:
    """Return requests to one tape, of one text and with these keys."""
    tapes = TapePool(DirectoryStore(folder), Sessions(), SessionCounters(), policy=MatchPolicy(BUILT_IN))
    tape = tapes.of(Sessions().get("default"), Mode.REPLAY)
    return [EndpointRequest(Grant(tape), route(), 0.0, recorded=chat(prompt_cache_key=key)) for key in keys]


def test_who_needs_rules_waits_until_recordings_are_read_and_nobody_else(
    tmp_path: Path, look_ups: LookUps, monkeypatch: pytest.MonkeyPatch
) -> None:
    tape_of(DirectoryStore(tmp_path), "default", Mode.RECORD).record(chat(prompt_cache_key="one"), came("Hi"))
    by_rules, exact, leaving = request(tmp_path, "new", "one", "another")
    go_on = threading.Event()
    monkeypatch.setattr(reduced_session, "_FEW", 0)
    reduced_request = reduced_session.reduced_request
    monkeypatch.setattr(reduced_session, "reduced_request", lambda *given: (go_on.wait(30), reduced_request(*given))[1])

    async def ask() -> None:
        waiting = asyncio.create_task(look_ups.look_up(by_rules))
        gone = asyncio.create_task(look_ups.look_up(leaving))
        looked_up = await look_ups.look_up(exact)
        assert looked_up.hit
        assert looked_up.hit.rules == ()
        gone.cancel()
        assert not waiting.done()
        go_on.set()
        looked_up = await waiting
        assert looked_up.finding is Finding.HIT
        assert text_of(looked_up.hit) == "Hi"
        assert looked_up.hit
        assert looked_up.hit.rules == ("prompt-cache-key",)
        counters = exact.grant.tape.counters
        assert (counters.hits, counters.hits_by_rules, counters.misses) == (2, 1, 0)

    asyncio.run(ask())


@pytest.mark.parametrize(
    ("mode", "on_expiry", "finding"),
    [
        (Mode.REPLAY, OnExpiry.FAIL, Finding.EXPIRED),
        (Mode.RECORD_IF_MISSING, OnExpiry.RERECORD, Finding.MISS),
        (Mode.REPLAY, OnExpiry.RERECORD, Finding.HIT),
    ],
)
def test_what_has_expired_is_a_miss_that_tells_what_is_to_be_replaced(
    mode: Mode, on_expiry: OnExpiry, finding: Finding, tmp_path: Path, look_ups: LookUps
) -> None:
    store = DirectoryStore(tmp_path)
    made = Origin("", "2020-01-01T00:00:00Z", "", "1", 1.0)
    tape_of(store, "default", Mode.RECORD).record(chat(), came("Hi"), made)
    session = Session("default", freshness=Freshness(60.0, on_expiry))
    tape = TapePool(store, Sessions({"default": session}), SessionCounters()).of(session, mode)
    looked_up = asyncio.run(look_ups.look_up(EndpointRequest(Grant(tape), route(), 0.0, recorded=chat())))
    assert looked_up.finding is finding
    assert bool(looked_up.replaces) is (finding is Finding.MISS)
    assert ("session default allows 1 minute" in looked_up.why) is (finding is Finding.EXPIRED)
    assert (tape.counters.hits, tape.counters.misses) == ((1, 0) if finding is Finding.HIT else (0, 1))
