"""The words of the command: its help, its completion, and how it is called."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from wiretape.cli.commands import app


def commands(group: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield names
    for name, each in getattr(group, "commands", {}).items():
        yield from commands(each, (*names, name))


ALL = [*commands(typer.main.get_command(app))]


def told(*args: str) -> str:
    result = CliRunner().invoke(app, [*args], prog_name="wiretape", env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})
    return result.output


@pytest.mark.parametrize("names", ALL, ids=" ".join)
def test_help_is_for_people(names: tuple[str, ...]) -> None:
    text = told(*names, "--help")
    assert told(*names, "-h") == text
    assert text.startswith("Usage: wiretape ")
    assert "<" not in text.replace("0<=x<=65535", ""), "no types of Python's"
    assert "{" not in text
    assert "..." not in text.replace("[ARGS]...", "").replace("-- CMD ...", ""), "nothing is cut"
    assert all(len(line) <= 80 for line in text.splitlines())
    if "Commands:" not in text:
        assert f"Example: {'mitmdump' if names == ('addon',) else ' '.join(('wiretape', *names))}" in text


def test_there_are_as_many_as_the_readme_has() -> None:
    assert len(ALL) > 20


def test_a_shell_completes_commands_and_flags() -> None:
    def completed(words: str) -> list[str]:
        env = {**os.environ, "_WIRETAPE_COMPLETE": "complete_bash", "COMP_WORDS": f"wiretape {words}"}
        env["COMP_CWORD"] = str(len(words.split()))
        command = [sys.executable, "-m", "wiretape"]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60).stdout.split()

    assert completed("se") == ["serve", "session"]
    assert "--fail-on-miss" in completed("run --fail")
