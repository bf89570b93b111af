"""The exit code of a run, where the command's own does not tell what is wrong. What a run does is seen in ``e2e``."""

import warnings

import pytest

from wiretape.metrics.counters import Counters, Reason
from wiretape.proxy.call_report import CallReport

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mitmproxy's, of pyparsing's new names.
    from wiretape.cli.run import RunOutcome


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
