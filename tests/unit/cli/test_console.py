"""What a command says: nothing of a recording is obeyed by a terminal."""

import sys

import pytest
from rich.table import Table

from wiretape.cli import console

HOSTILE = "a\x1b]0;title\x07b\u202ec"


def test_each_line_on_stderr_is_marked_as_ours(capsys: pytest.CaptureFixture[str]) -> None:
    console.say("one\ntwo")
    assert capsys.readouterr() == ("", "wiretape: one\nwiretape: two\n")


def test_output_and_complaints_are_apart(capsys: pytest.CaptureFixture[str]) -> None:
    console.out("out")
    console.out_text("two\nlines")
    console.complain("err")
    assert capsys.readouterr() == ("out\ntwo\nlines\n", "err\n")


def test_what_a_terminal_would_obey_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    for say in (console.say, console.out, console.out_text, console.complain):
        say(HOSTILE)
        told = capsys.readouterr()
        assert not set("\x1b\x07\u202e") & set(told.out + told.err)
        assert "title" in told.out + told.err


def test_a_line_stays_one(capsys: pytest.CaptureFixture[str]) -> None:
    console.out("a\nb\rc")
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_table_is_not_cut_in_a_pipe_and_has_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("name", "what")
    console.add_row(table, "[bold]x[/bold]", "long " * 60 + HOSTILE)
    console.console().print(table)
    out = capsys.readouterr().out
    assert "[bold]x[/bold]" in out
    assert "long " * 60 in out
    assert "\x1b" not in out


def test_without_a_terminal_there_is_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    assert [*console.progress(iter([1, 2]), 2, "reading")] == [1, 2]
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_the_items_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(console, "_SOON", -1.0)
    assert [*console.progress(iter("abc"), 3, "reading")] == ["a", "b", "c"]
