"""Changes in one process: made by the thread of the traffic, waited for by those of others."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness import wait_until
from wiretape.cluster.protocol import Order, Task
from wiretape.config import overrides as override_texts
from wiretape.control.overriding import NotInForceError
from wiretape.metrics.counters import SessionCounters
from wiretape.policy import Mode
from wiretape.proxy import overriding
from wiretape.proxy.admission import Admission
from wiretape.proxy.overriding import LocalOverriding
from wiretape.proxy.runtime import Runtime
from wiretape.proxy.threads import Threads
from wiretape.replay import fault_config
from wiretape.replay.faults import FaultQuery, Faults
from wiretape.replay.take_counters import LocalTurns
from wiretape.sessions.access import AccessPolicy
from wiretape.sessions.model import Sessions
from wiretape.sessions.scopes import Overrides, Scope, SessionOverride
from wiretape.store.directory import DirectoryStore
from wiretape.tape.pool import TapePool

QUERY = FaultQuery("a", "openai", (), "m", "0")
ASKED = Overrides().with_scope(Scope("1", "gw0", "a"))


class Rig:
    """An admission, and a loop that carries its traffic."""

    def __init__(self, folder: Path) -> None:
        self.threads = Threads()
        self.admission = Admission(self.threads)
        self.turns = LocalTurns()
        tapes = TapePool(DirectoryStore(folder), Sessions(), SessionCounters(), turns=self.turns)
        self.configured = Faults(fault_config.parse([{"status": 500, "nth": 1}], ()))
        self.admission.use(AccessPolicy(Sessions(), "default", Mode.REPLAY), tapes, self.configured)
        self.flushed = 0
        self.overriding = LocalOverriding(self.admission, Runtime, lambda: self.turns, self._flush)

    def _flush(self) -> None:
        self.flushed += 1
        if self.flushed > 1:
            raise OSError("calls are still being written")

    def with_traffic(self, change: Callable[[], None]) -> int:
        """Make a change while the loop runs, and return which thread carries the traffic."""

        async def run() -> int:
            self.overriding.begin()
            await asyncio.to_thread(change)
            return threading.get_ident()

        return asyncio.run(run())

    def session_of(self, client: str) -> str:
        return self.admission.grant(self, None, client).tape.session


@pytest.fixture(name="rig")
def _rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.threads.close()


def test_what_is_applied_is_in_force_when_that_returns(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    override = rig.admission.override

    def noted(overrides: Overrides) -> None:
        made.append(threading.get_ident())
        override(overrides)

    monkeypatch.setattr(rig.admission, "override", noted)

    def change() -> None:
        rig.overriding.apply(ASKED)
        assert rig.overriding.overrides == ASKED
        assert made
        assert rig.session_of("gw0") == "a"

    assert made == [rig.with_traffic(change)]


def test_before_the_proxy_runs_and_after_nothing_can_be_changed(rig: Rig) -> None:
    with pytest.raises(NotInForceError, match="does not run"):
        rig.overriding.apply(ASKED)
    rig.with_traffic(lambda: rig.overriding.apply(ASKED))
    rig.overriding.end()
    with pytest.raises(NotInForceError, match="does not run"):
        rig.overriding.apply(Overrides())
    assert rig.overriding.overrides == ASKED


def test_nobody_waits_for_a_change_when_the_proxy_ends(rig: Rig) -> None:
    """The end waits for threads that may wait for a change."""

    async def run() -> None:
        rig.overriding.begin()
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(rig.overriding.apply, ASKED)
            wait_until(lambda: rig.overriding._changes)  # The loop gets to nothing meanwhile.
            rig.overriding.end()
            problem = waiting.exception(60)
        assert isinstance(problem, NotInForceError)
        assert "does not run" in str(problem)

    asyncio.run(run())


def test_a_proxy_that_does_not_get_to_it_is_told(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overriding, "_PATIENCE", 0.01)

    async def run() -> None:
        rig.overriding.begin()
        with ThreadPoolExecutor(1) as pool:
            problem = pool.submit(rig.overriding.apply, ASKED).exception(60)
        assert isinstance(problem, NotInForceError)
        assert "did not get to it within 0.01 s" in str(problem)
        await asyncio.sleep(0)

    asyncio.run(run())
    assert rig.overriding.overrides == ASKED, "it holds all the same"


def test_a_rewind_is_of_takes_and_of_faults(rig: Rig) -> None:
    rules = fault_config.parse([{"status": 429, "nth": 1}], ())
    rig.admission.override(Overrides({"a": SessionOverride(faults=rules)}))
    sets = rig.admission.grant(rig, None, "a").faults
    assert [[bool(faults.draw(QUERY)) for faults in sets] for _ in range(2)] == [[True, True], [False, False]]
    rig.turns.next("a", "0")
    rig.with_traffic(rig.overriding.rewind)
    assert [bool(faults.draw(QUERY)) for faults in sets] == [True, True]
    assert rig.turns.next("a", "0") == 0


def test_a_worker_does_what_it_is_told_or_says_why_not(rig: Rig) -> None:
    answers: list[str] = []

    def change() -> None:
        rig.turns.next("a", "0")
        assert rig.configured.draw(QUERY)
        for task, text in (
            (Task.APPLY, override_texts.dumps(ASKED)),
            (Task.FLUSH, ""),
            (Task.REWIND, ""),
            (Task.APPLY, '{"sessions":{"a":{"pac":1}},"scopes":[]}'),
        ):
            answers.append(rig.overriding.carry_out(Order(1, task, text)))

    rig.with_traffic(change)
    assert answers[:3] == ["", "", ""]
    assert "unknown key pac" in answers[3]
    assert rig.overriding.overrides == ASKED
    assert rig.turns.next("a", "0") == 1, "the coordinator has rewound the turns of all"
    assert rig.configured.draw(QUERY)
    rig.with_traffic(lambda: answers.append(rig.overriding.carry_out(Order(2, Task.APPLY))))
    assert rig.overriding.overrides == Overrides()


def test_who_waits_for_calls_hears_where_they_are_not_in_their_log(rig: Rig) -> None:
    rig.overriding.flush()
    with pytest.raises(NotInForceError, match="still being written"):
        rig.overriding.flush()
    assert "still being written" in rig.overriding.carry_out(Order(1, Task.FLUSH))


def test_a_worker_starts_with_what_is_in_force(rig: Rig) -> None:
    rig.overriding.start_with(Order(1, Task.APPLY))
    assert rig.overriding.overrides == Overrides()
    rig.overriding.start_with(Order(2, Task.APPLY, override_texts.dumps(ASKED)))
    assert rig.session_of("gw0") == "a"
