"""wiretape token, as a user calls it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from wiretape.cli.commands import app
from wiretape.sessions.token_file import read


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WIRETAPE_TOKENS", raising=False)


def wiretape(*args: object) -> Result:
    return CliRunner().invoke(app, ["token", *map(str, args)], prog_name="wiretape")


def test_create_prints_the_token_and_nothing_else() -> None:
    command = [sys.executable, "-m", "wiretape.cli", "token", "create", "--session", "checkout", "--role", "write"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    token = result.stdout.strip()
    assert result.stdout == f"{token}\n"
    assert token.startswith("wt_")
    entry = read(Path("wiretape-tokens.toml")).check("checkout", token)
    assert entry
    assert (entry.name, entry.role) == ("checkout-write", "write")
    assert "HTTPS_PROXY=http://checkout:TOKEN@HOST:8080" in result.stderr
    assert "wiretape_tokens=wiretape-tokens.toml" in result.stderr
    assert token not in result.stderr
    assert token not in Path("wiretape-tokens.toml").read_text()


def test_create_adds_to_the_file() -> None:
    one = wiretape("create", "--session", "checkout", "--role", "read").stdout.strip()
    two = wiretape("create", "--session", "*", "--role", "admin", "--name", "ann").stdout.strip()
    tokens = read(Path("wiretape-tokens.toml"))
    assert [entry.name for entry in tokens.entries] == ["checkout-read", "ann"]
    assert tokens.check("checkout", one)
    assert tokens.check("anything", two)


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_the_file_is_its_owners() -> None:
    wiretape("create", "--session", "checkout", "--role", "read", "--file", "config/tokens.toml")
    assert Path("config/tokens.toml").stat().st_mode & 0o777 == 0o600


def test_the_environment_names_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIRETAPE_TOKENS", "other.toml")
    wiretape("create", "--session", "checkout", "--role", "read")
    assert len(read(Path("other.toml"))) == 1
    assert not Path("wiretape-tokens.toml").exists()


def test_ls() -> None:
    token = wiretape("create", "--session", "checkout", "--role", "read", "--name", "ci").stdout.strip()
    result = wiretape("ls")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1].split()[:3] == ["ci", "checkout", "read"]
    assert token[3:] not in result.output
    assert "sha256" not in result.output


def test_rm() -> None:
    token = wiretape("create", "--session", "checkout", "--role", "read", "--name", "ci").stdout.strip()
    before = Path("wiretape-tokens.toml").read_text()
    shown = wiretape("rm", "ci")
    assert shown.exit_code == 1
    assert "remove token ci, session checkout, role read" in shown.stdout
    assert "add --yes to do it" in shown.stderr
    assert Path("wiretape-tokens.toml").read_text() == before
    assert wiretape("rm", "ci", "--yes").exit_code == 0
    assert not read(Path("wiretape-tokens.toml")).check("checkout", token)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("create", "--session", "checkout", "--role", "owner"), "the roles are read, write, admin"),
        (("create", "--session", "../x", "--role", "read"), "no session name"),
        (("create", "--session", "checkout", "--role", "read", "--name", "ci"), "there is a token named 'ci'"),
        (("create", "--session", "checkout", "--role", "read", "--name", 'a"b'), "no name of a token"),
        (("rm", "cd", "--yes"), "no token named 'cd'; there are ci"),
        (("ls", "--file", "none.toml"), "none.toml"),
        (("rm", "ci", "--yes", "--file", "wrong.toml"), "wrong.toml: not TOML"),
        (("create", "--session", "a", "--role", "read", "--file", "wrong.toml"), "wrong.toml: not TOML"),
    ],
)
def test_trouble_is_told_and_changes_nothing(args: tuple[str, ...], says: str) -> None:
    wiretape("create", "--session", "checkout", "--role", "read", "--name", "ci")
    Path("wrong.toml").write_text("[")
    before = {path: path.read_bytes() for path in Path().iterdir()}
    result = wiretape(*args)
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stdout == ""
    assert {path: path.read_bytes() for path in Path().iterdir()} == before
