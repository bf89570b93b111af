"""The exit code of a run, where the command's own does not tell what is wrong. What a run does is seen in ``e2e``."""

import asyncio
import logging
import sys
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from wiretape.cli.certificates import TrustFiles
from wiretape.cli.isolation.namespaces import IsolationError
from wiretape.control import server
from wiretape.metrics.counters import Counters, Reason
from wiretape.proxy.call_report import CallReport

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mitmproxy's, of pyparsing's new names.
    from wiretape.cli import embedded, run
    from wiretape.cli.embedded import StartError
    from wiretape.cli.run import Isolate, RunOutcome, RunPlan


@pytest.mark.parametrize(
    ("code", "missed", "reasons", "is_strict", "ends"),
    [
        (0, 0, [], False, 0),
        (7, 0, [], True, 7),
        (0, 1, [], False, 0),
        (0, 1, [], True, 3),
        (7, 1, [], True, 3),
        (0, 0, [Reason.LOST], False, 4),
        (0, 0, [Reason.PRIVATE], False, 4),
        (0, 0, [Reason.FROZEN], False, 4),
        (7, 0, [Reason.LOST], False, 7),
        (0, 1, [Reason.LOST], True, 3),
        (0, 0, [Reason.BROKE_OFF, Reason.ERROR, Reason.SIZE, Reason.SKIPPED], True, 0),
    ],
)
def test_the_exit_code(code: int, missed: int, reasons: list[Reason], *, is_strict: bool, ends: int) -> None:
    calls = CallReport()
    calls.missed = missed
    counters = Counters(hits=1, reasons=dict.fromkeys(reasons, 1))
    outcome = RunOutcome(code, "replay", "s", counters, 1, (), {}, calls)
    assert outcome.code_for(fail_on_miss=is_strict, fail_on_silence=True) == ends


@pytest.mark.parametrize(
    ("counters", "mode", "code", "ends"),
    [
        (Counters(), "replay", 0, 5),
        (Counters(), "replay", 7, 7),
        (Counters(), "record", 0, 0),
        (Counters(hits=1), "replay", 0, 0),
        (Counters(misses=1), "replay", 0, 0),
        (Counters(faults=1), "replay", 0, 0),
    ],
)
def test_a_replay_in_which_nothing_was_asked(counters: Counters, mode: str, code: int, ends: int) -> None:
    outcome = RunOutcome(code, mode, "s", counters, 1, (), {}, CallReport())
    assert outcome.code_for(fail_on_miss=True, fail_on_silence=True) == ends
    assert outcome.code_for(fail_on_miss=True, fail_on_silence=False) == code


@pytest.mark.parametrize(("package", "where"), [("json", "127.0.0.1:0"), ("uvicorn", "")])
def test_without_what_serves_it_there_is_no_control_api(
    package: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "find_spec", lambda name: None if name == package else object())
    assert embedded._free_control() == where


# -- where a command cannot be isolated --------------------------------------------------------------------------------


@asynccontextmanager
async def _impossible(*_: object) -> AsyncIterator[None]:
    raise IsolationError("this system lets nobody")
    yield


def ran(isolate: Isolate, mode: str) -> int:
    """The code of a command that ends with 7, on such a system."""
    proxy: Any = SimpleNamespace(mode=mode, url="http://127.0.0.1:1", control_url="")
    plan = RunPlan((sys.executable, "-c", "raise SystemExit(7)"), (), {}, isolate=isolate)
    ended = asyncio.run(run._behind(proxy, plan, TrustFiles("", "", ""), run._Relay()))
    assert not ended.is_isolated
    return ended.code


@pytest.mark.parametrize(
    ("isolate", "mode", "is_told"),
    [(Isolate.AUTO, "replay", True), (Isolate.AUTO, "record", False), (Isolate.NO, "replay", False)],
)
def test_it_runs_without_isolation_where_that_was_not_asked_for(
    isolate: Isolate, mode: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, is_told: bool
) -> None:
    monkeypatch.setattr(run, "isolated", _impossible)
    with caplog.at_level(logging.WARNING):
        assert ran(isolate, mode) == 7
    told = "not isolated, so a program that reads no proxy variable can go past the proxy: this system lets nobody"
    assert caplog.messages == [told] * is_told


def test_it_does_not_run_where_isolation_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "isolated", _impossible)
    with pytest.raises(StartError, match="--isolate: this system lets nobody"):
        ran(Isolate.YES, "record")
