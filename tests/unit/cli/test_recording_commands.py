"""What the flags of the commands on recordings ask for, and what is refused before a recording is looked at."""

import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from wiretape.cli import listing, recordings, redact
from wiretape.cli.recording_commands import app
from wiretape.cli.recordings import Conversion
from wiretape.library.costs import RecordingCosts


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with recordings of two sessions, where no variable says anything."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("WIRETAPE_")]:
        monkeypatch.delenv(name)
    for folder in ("recordings/main", "recordings/other", "elsewhere/main"):
        (tmp_path / folder / "responses").mkdir(parents=True)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments], prog_name="wiretape", env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"})


ACTIONS = {
    "verify": (recordings, "verify_all"),
    "redact": (redact, "redact"),
    "ls": (listing, "list_all"),
    "show": (recordings, "show"),
    "convert": (recordings, "convert"),
}


def asked(monkeypatch: pytest.MonkeyPatch, *arguments: str, code: int = 0) -> list[str]:
    """Return what a command asks for: each value that it gives on, as text. What is done then is left out."""
    given: list[str] = []

    def act(*values: Any, **named: Any) -> int:
        for value in values:
            if isinstance(value, Conversion):
                given.extend([f"{value.source}", value.form, f"{value.output}"])
            elif not hasattr(value, "use") and not isinstance(value, RecordingCosts):  # They are the same everywhere.
                given.append(f"{value}")
        given.extend(f"{name}={value}" for name, value in named.items())
        return code

    module, name = ACTIONS[arguments[0]]
    monkeypatch.setattr(module, name, act)
    result = run(*arguments)
    assert result.exit_code == code, result.output
    return given


@pytest.mark.parametrize(
    ("command", "given"),
    [
        ("verify", ["recordings"]),
        ("verify elsewhere", ["elsewhere"]),
        ("verify elsewhere --session main", ["elsewhere/main"]),
        ("redact", ["recordings", "apply=False"]),
        ("redact --dry-run", ["recordings", "apply=False"]),
        ("redact --apply --session other", ["recordings/other", "apply=True"]),
        ("ls", ["recordings", "as_json=False", "search="]),
        ("ls elsewhere --json --search Germany", ["elsewhere", "as_json=True", "search=Germany"]),
        ("show e99f", ["e99f", "recordings", "full=False"]),
        ("show e99f elsewhere --full", ["e99f", "elsewhere", "full=True"]),
        ("convert --to 2026", ["recordings", "2026", "None"]),
        ("convert --to 2025-09 elsewhere --output new", ["elsewhere", "2025-09", "new"]),
    ],
)
def test_what_a_command_is_asked_to_do(command: str, given: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(monkeypatch, *command.split()) == given


@pytest.mark.parametrize("command", ["verify", "redact", "ls", "show e99f", "convert --to 2026"])
def test_what_is_found_is_the_exit_code(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(monkeypatch, *command.split(), code=1)


def test_a_variable_names_the_recordings_and_the_argument_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIRETAPE_RECORDINGS", "elsewhere")
    assert asked(monkeypatch, "verify") == ["elsewhere"]
    assert asked(monkeypatch, "verify", "recordings") == ["recordings"]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("redact --apply --dry-run", "Invalid value for --apply: is the opposite of --dry-run"),
        ("convert", "Missing option '--to'."),
        ("convert --to 2027", "Invalid value for --to: '2027' is no form of recording: the forms are 2025-09, 2026"),
        ("convert --to 2026 --output s3://b/x", "Invalid value for --output: is a folder of this machine, and no URL"),
        ("show", "Missing argument 'NAME'."),
        ("verify none", "wiretape: none: there is no such directory"),
        ("ls --session none", "wiretape: no session none below recordings; there are main, other"),
        ("verify --config wrong.toml", "wiretape: wrong.toml:1: unknown table redactoin: did you mean redaction?"),
        ("redact --apply --config wrong.toml", "wiretape: wrong.toml:1: unknown table redactoin"),
    ],
)
def test_what_is_refused_exits_with_2_and_nothing_is_looked_at(
    command: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("wrong.toml").write_text("[redactoin]\n")
    for module, name in ACTIONS.values():
        monkeypatch.setattr(module, name, lambda *_, **__: pytest.fail("it was looked at"))
    result = run(*command.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr


@pytest.mark.parametrize("command", ["verify", "redact --apply"])
def test_without_the_rules_that_a_variable_names_nothing_is_done(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIRETAPE_CONFIG", "none.toml")
    result = run(*command.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert "none.toml" in result.stderr
