"""``wiretape rules``, as a user calls it."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from wiretape.cli.commands import app

CONFIG = """
[[match]]
name = "trace"
reason = "It goes into our log."
model = "gpt-*"
client = ["house-bot/*", "bot/*"]
ignore = ["$.metadata.trace_id"]

[preset.house-bot]
clients = ["house-bot/*"]
ignore_requests = ["POST log.example/*", "GET example/list"]
tried = ["1.0", "2.0"]
[[preset.house-bot.match]]
name = "build"
replace = [{ pattern = "build ([0-9]+)" }]
bind = false
"""


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("WIRETAPE_")]:
        monkeypatch.delenv(name)


@pytest.fixture(name="config")
def _config(tmp_path: Path) -> Path:
    path = tmp_path / "team.toml"
    path.write_text(CONFIG)
    return path


def wiretape(*args: object) -> Result:
    return CliRunner().invoke(app, ["rules", *map(str, args)], prog_name="wiretape")


def names(*args: object) -> set[str]:
    """The names of the rules that are told, each on a line of its own."""
    lines = wiretape(*args).stdout.splitlines()
    return {line.strip() for line in lines if line.startswith("  ") and not line.startswith("   ")}


def test_all_rules_are_told_and_why_each_is_one(config: Path) -> None:
    text = wiretape("--config", config).stdout
    assert "Built in, for every client:\n  prompt-cache-key\n    It chooses " in text
    assert "Preset claude-code, for clients that call themselves claude-cli/*. Tried with " in text
    assert (
        """
Preset house-bot, for clients that call themselves house-bot/*. Tried with 1.0, 2.0.
  house-bot/build
    What "build ([0-9]+)" finds in any text does not count.
    In the answer, what was recorded stays.
  beside the model
    In replay, no misses, and answered here: POST log.example/* and GET example/list.

Your own, of wiretape.toml:
  trace
    It goes into our log.
    What is at $.metadata.trace_id does not count.
    For model gpt-*; client house-bot/* or bot/*.
"""
        in text
    )


def test_a_preset_that_no_client_chooses_tells_how_it_is_chosen() -> None:
    assert "Preset aider, not in force: wiretape_match=auto,aider chooses it." in wiretape().stdout
    assert "Preset aider, for every client, as it was chosen" in wiretape("--match", "auto,aider").stdout


def test_a_preset_without_rules_tells_what_is_beside_the_model() -> None:
    told = wiretape("--match", "auto,litellm").stdout.partition("Preset litellm, for every client")[2]
    assert "answered here: GET raw.githubusercontent.com/BerriAI/litellm/*." in told


def test_those_are_left_that_can_hold_for_a_request(config: Path) -> None:
    house = names("--config", config, "--client", "house-bot/1", "--endpoint", "/v1/chat/completions")
    assert {"prompt-cache-key", "house-bot/build", "trace"} <= house
    assert not any(name.startswith(("claude-code/", "codex/", "aider/")) for name in house)
    assert "metadata.user_id" not in house, "it is of another endpoint"
    assert "trace" not in names("--config", config, "--client", "house-bot/1", "--model", "claude-5")
    assert "trace" not in names("--config", config, "--client", "other/1")
    assert any(name.startswith("claude-code/") for name in names("--client", "claude-cli/2.1"))


def test_what_was_chosen_is_told() -> None:
    assert names("--match", "exact") == set()
    assert "there are no rules" in wiretape("--match", "exact").stdout
    assert "Where nothing is the same by rules, position: the n-th call" in wiretape("--match", "auto,position").stdout
    named = names("--match", "codex", "--client", "mine/1")
    assert any(name.startswith("codex/") for name in named)
    assert not any(name.startswith("claude-code/") for name in named)


def test_a_wrong_word_ends_it(tmp_path: Path) -> None:
    result = wiretape("--match", "codx")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "did you mean codex?" in result.stderr
    assert wiretape("--config", tmp_path / "none.toml").exit_code == 2
