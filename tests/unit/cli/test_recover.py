"""What ``wiretape recover`` says. What becomes of a journal is tested in journal/test_recovery.py."""

import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from wiretape.cli import recover


@pytest.fixture(autouse=True)
def _log_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    ours = logging.getLogger("wiretape")
    before = ours.handlers[:], ours.level, ours.propagate
    yield
    ours.handlers[:], ours.propagate = before[0], before[2]
    ours.setLevel(before[1])


def test_where_nothing_was_left_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert recover.run() == 0
    assert capsys.readouterr() == ("", "wiretape: nothing was left to be written\n")


class Recovered(SimpleNamespace):
    is_whole: bool

    def __str__(self) -> str:
        return "2 recordings of s"


@pytest.mark.parametrize(("is_whole", "code"), [(True, 0), (False, 1)])
def test_what_became_of_each_is_said_and_the_code_tells_whether_all_was_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, is_whole: bool, code: int
) -> None:
    lines = [("x", logging.INFO, "wrote \x1ba"), ("x", logging.DEBUG, "detail")]
    monkeypatch.setattr(recover, "recover", lambda log: [(None, []), (Recovered(is_whole=is_whole), lines)])
    assert recover.run() == code
    told = capsys.readouterr()
    assert told.err == "wiretape: 2 recordings of s\n"
    assert "wrote" in told.out
    assert "\x1b" not in told.out
    assert "detail" not in told.out
