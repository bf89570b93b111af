"""Variables in every format, as those read them for whom they are: each value comes out as it was."""

import io
import os
import re
import shutil
import subprocess
from pathlib import Path

import dotenv
import pytest

from wiretape.cli.variables import formats
from wiretape.cli.variables.formats import Format

VALUES = (
    "plain",
    "",
    "two words",
    " around ",
    "it's",
    'say "no"',
    "a\\b",
    "a\\",
    "\\'",
    "'",
    "$HOME `id` $(id) %PATH% !x",
    "#not a comment",
    "a #b",
    "a=b;c&d|e<f>g*?[h]{i}~j",
    '-Dx=y -Dz="/a b/c"',
    "-n",
    "@file",
    "no\u00a0break",
    "gr\u00fc\u00dfe \u2018\u2019\u201a\u201b \u4e2d",
    "http://sky:p%40ss%24@proxy:8080",
)
NAMED = {f"V{number}": value for number, value in enumerate(VALUES)}


def shell(home: Path, program: str, *arguments: str) -> dict[str, str]:
    """What a shell makes of the lines of its format, as a program that it starts sees it."""
    chosen = {"sh": Format.SH, "fish": Format.FISH, "pwsh": Format.POWERSHELL}[program]
    lines = "\n".join(formats.lines(chosen, NAMED, ["GONE"]))
    command = [program, *arguments, f"{lines}\nenv -0"]
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", "GONE": "x"}
    done = subprocess.run(command, capture_output=True, check=True, env=env)
    pairs = (each.partition("=") for each in done.stdout.decode().split("\0"))
    return {name: value for name, _, value in pairs if name in NAMED or name == "GONE"}


@pytest.mark.parametrize(
    "command",
    [("sh", "-euc"), ("fish", "--no-config", "-c"), ("pwsh", "-NoProfile", "-Command")],
    ids=lambda each: each[0],
)
def test_a_shell_reads_what_was_meant(command: tuple[str, ...], tmp_path: Path) -> None:
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not on this machine")
    assert shell(tmp_path, *command) == NAMED


def test_a_dotenv_file_is_read_as_it_was_meant() -> None:
    text = "\n".join(formats.lines(Format.DOTENV, NAMED))
    assert dotenv.dotenv_values(stream=io.StringIO(text)) == NAMED
    with pytest.raises(ValueError, match=r"NAME: a \.env file cannot have") as error:
        formats.lines(Format.DOTENV, {"NAME": "a ${HOME} secret"})
    assert "secret" not in str(error.value)


def test_docker_reads_what_was_meant() -> None:
    """Docker's rules: in double quotes a backslash escapes a quote, a dollar sign and itself, and nothing else."""
    for line, value in zip(formats.lines(Format.DOCKER, NAMED), VALUES, strict=True):
        quoted = re.fullmatch(r'ENV V\d+="((?:[^"$\\]|\\["$\\])*)"', line)
        assert quoted, line
        assert re.sub(r'\\(["$\\])', r"\1", quoted[1]) == value


def test_github_reads_all_to_the_end_of_the_line_and_no_node_options() -> None:
    lines = formats.lines(Format.GITHUB, NAMED | {"NODE_OPTIONS": "x"}, ["GONE"])
    assert [line.partition("=")[2] for line in lines] == [*VALUES, ""]
    assert lines[-1] == "GONE="


@pytest.mark.parametrize("chosen", Format)
@pytest.mark.parametrize("value", ["secret\n", "secret\r", "\0secret", "secret\x1b[2J", "secret\u2028", "secret\udcff"])
def test_what_no_line_can_hold_is_refused(chosen: Format, value: str) -> None:
    with pytest.raises(ValueError, match="NAME: its value has a line end") as error:
        formats.lines(chosen, {"NAME": value})
    assert "secret" not in str(error.value)


def test_in_powershell_every_kind_of_single_quote_is_doubled() -> None:
    assert formats.lines(Format.POWERSHELL, {"A": "x'\u2019$y"}, ["B"]) == [
        "$env:A = 'x''\u2019\u2019$y'",
        "Remove-Item Env:B -ErrorAction SilentlyContinue",
    ]


def test_in_fish_a_backslash_and_a_quote_are_escaped_alone() -> None:
    assert formats.lines(Format.FISH, {"A": "x'\\$y"}, ["B"]) == ["set -gx A 'x\\'\\\\$y'", "set -e B"]
