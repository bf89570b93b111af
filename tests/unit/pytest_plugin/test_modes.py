import pytest

from wiretape.policy import Mode
from wiretape.pytest_plugin import MODES, modes
from wiretape.pytest_plugin.modes import RunMode

REPLAY, RECORD, LIVE, UPDATE = RunMode.REPLAY, RunMode.RECORD, RunMode.LIVE, RunMode.UPDATE


def test_the_options_choices_are_these() -> None:
    assert [*RunMode] == [*MODES]


def test_an_update_asks_for_what_is_missing() -> None:
    assert UPDATE.of_proxy is Mode.RECORD_IF_MISSING
    assert [each.of_proxy for each in RunMode if each is not UPDATE] == [
        Mode(each) for each in RunMode if each != UPDATE
    ]


def test_another_word_is_no_mode() -> None:
    with pytest.raises(ValueError, match="replay, record, record-if-missing, update, live"):
        modes.parse("once")


@pytest.mark.parametrize(
    ("command_line", "marked", "default", "holds"),
    [
        (None, None, RECORD, RECORD),
        (None, LIVE, REPLAY, LIVE),
        (UPDATE, None, REPLAY, UPDATE),
        # In CI the command line says replay: no marker lets a test ask a provider.
        (REPLAY, RECORD, REPLAY, REPLAY),
        (REPLAY, LIVE, REPLAY, REPLAY),
        # What a test's author has made by hand is never made anew.
        (RECORD, REPLAY, RECORD, REPLAY),
        (LIVE, REPLAY, LIVE, REPLAY),
    ],
)
def test_the_command_line_holds_but_for_a_test_that_only_replays(
    command_line: RunMode | None, marked: RunMode | None, default: RunMode, holds: RunMode
) -> None:
    assert modes.in_force(command_line, marked, default) is holds
