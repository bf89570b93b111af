"""What became of an exchange: how the journal calls its file, and the log lines that go to another process."""

import logging

import pytest

from wiretape.journal.exchange_file import Stage
from wiretape.journal.outcome import LogCapture, WriteOutcome, say
from wiretape.metrics.counters import Reason


@pytest.mark.parametrize(
    ("recorded", "unrecorded", "stage"),
    [(1, 0, Stage.RECORDED), (2, 1, Stage.RECORDED), (0, 1, Stage.UNRECORDED), (0, 0, Stage.UNRECORDED)],
)
def test_the_file_is_called_by_what_became_of_it(recorded: int, unrecorded: int, stage: Stage) -> None:
    assert WriteOutcome(7, recorded, unrecorded).stage is stage


def test_nothing_is_said_of_an_exchange_until_it_is_known() -> None:
    outcome = WriteOutcome(7)
    assert (outcome.recorded, outcome.unrecorded, outcome.reason, outcome.log) == (0, 0, Reason.TOLD, [])
    assert (outcome.is_kept, outcome.is_lost, outcome.is_unfinished) == (False, False, False)


def test_lines_are_kept_whole_and_taken_once() -> None:
    logger = logging.Logger("wiretape.writer")
    capture = LogCapture()
    logger.addHandler(capture)
    logger.info("recorded %s", "abc")
    logger.error("RECORDING LOST: %d%%", 5)
    assert capture.taken() == [
        ("wiretape.writer", logging.INFO, "recorded abc"),
        ("wiretape.writer", logging.ERROR, "RECORDING LOST: 5%"),
    ]
    assert capture.taken() == []


def test_lines_of_another_process_are_said_as_they_are(caplog: pytest.LogCaptureFixture) -> None:
    lines = [("wiretape.a", logging.INFO, "100%s of it"), ("wiretape.b", logging.ERROR, "{no format} %d")]
    with caplog.at_level(logging.INFO):
        say(lines)
    assert caplog.record_tuples == lines
