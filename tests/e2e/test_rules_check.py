"""What rules make one, told at a start: a warning, or no start."""

import json
from pathlib import Path

import pytest

from harness import Mitmdump, start_expecting_failure
from samples import CHAT
from shell_user import User

TODAY = '[[match]]\nname = "today"\nkinds = ["dates"]\n'
WARNING = "rules make 1 group of recordings one whose answers differ"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with recordings of session default, two of which are one by the rule in team.toml."""
    responses = tmp_path / "recordings" / "default" / "responses"
    responses.mkdir(parents=True)
    for name, day in (("monday", "2026-11-30"), ("tuesday", "2026-12-01")):
        recording = json.loads(CHAT.read_text("utf-8"))
        recording["request"]["body"]["messages"][0]["content"] = f"Today is {day}. Who?"
        recording["response"]["body"][1]["__data__"]["choices"][0]["delta"]["content"] = name
        (responses / f"{name}.json").write_text(json.dumps(recording), "utf-8")
    (tmp_path / "team.toml").write_text(TODAY)
    return tmp_path


@pytest.fixture
def user(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> User:
    return User(tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("user"))


def options(folder: Path) -> dict[str, str]:
    return {"wiretape_config": str(folder / "team.toml")}


def test_a_start_warns_with_their_count(folder: Path) -> None:
    with Mitmdump(folder / "recordings", "replay", options=options(folder)) as proxy:
        line = proxy.wait_for_log(WARNING).string
    assert "session default" in line
    assert "wiretape rules check tells which" in line


def test_a_strict_start_is_refused_and_says_which(folder: Path, user: User) -> None:
    flags = ["--recordings", str(folder / "recordings"), "--set", f"wiretape_config={folder / 'team.toml'}"]
    result = user.wiretape("run", "--mode", "replay", "--strict-rules", *flags, "--", "touch", "was-run")
    assert result.returncode == 2
    assert "wiretape_strict_rules: session default" in result.stderr
    assert "by the rules today, though their answers differ: monday, tuesday" in result.stderr
    assert not (user.folder / "was-run").exists()
    strict = {"wiretape_strict_rules": "true", "wiretape_recordings": str(folder / "recordings")}
    args = [word for name, value in (options(folder) | strict).items() for word in ("--set", f"{name}={value}")]
    code, log = start_expecting_failure(args)
    assert code != 0
    assert "wiretape_strict_rules: session default" in log


def test_a_strict_start_where_nothing_differs_is_one(folder: Path, user: User) -> None:
    (folder / "recordings" / "default" / "responses" / "tuesday.json").unlink()
    flags = ["--recordings", str(folder / "recordings"), "--set", f"wiretape_config={folder / 'team.toml'}"]
    result = user.wiretape("run", "--mode", "replay", "--strict-rules", *flags, "--", "touch", "was-run")
    assert (user.folder / "was-run").exists(), result.stderr
