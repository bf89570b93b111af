"""wiretape refresh, up to where something is sent; the rest is in e2e/test_freshness."""

import json
import shutil
import warnings
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from builders import came
from samples import CHAT, RESPONSES
from wiretape.cli.commands import app
from wiretape.library.refreshing import Outgoing

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mitmproxy's, of pyparsing's new names.
    from wiretape.cli import refresh as module
    from wiretape.cli.refresh_client import Came

KEYS = {"FIREWORKS_API_KEY": "fw-of-a-test", "CEREBRAS_API_KEY": "csk-of-a-test"}
OLD = "[session.main]\nmax_age = '1d'\n"


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    shutil.copytree(RESPONSES, tmp_path / "recordings" / "main" / "responses")
    return tmp_path / "recordings"


@pytest.fixture(name="asked")
def _asked(monkeypatch: pytest.MonkeyPatch) -> list[Outgoing]:
    """What would be sent: each chat is answered, and nothing else."""
    asked: list[Outgoing] = []

    async def send_all(outgoing: Sequence[Outgoing], *_: Any) -> AsyncIterator[tuple[int, Came]]:
        asked.extend(outgoing)
        for place, each in reversed([*enumerate(outgoing)]):
            is_chat = each.url.endswith("/chat/completions")
            yield place, Came(came("Hi"), 0.0) if is_chat else Came(None, 0.0, "no answer came")

    monkeypatch.setattr(module, "send_all", send_all)
    return asked


def wiretape(root: Path, *args: object, env: Mapping[str, str] = KEYS) -> Result:
    known = {"FIREWORKS_API_KEY": "", "CEREBRAS_API_KEY": ""} | dict(env)
    return CliRunner().invoke(app, ["refresh", *map(str, args), "--recordings", str(root)], env=known)


def test_a_key_that_is_missing_is_told_and_the_others_are_asked(root: Path, asked: list[Outgoing]) -> None:
    result = wiretape(root, "--json", env={"CEREBRAS_API_KEY": "csk-of-a-test"})
    assert "3 recordings left out: FIREWORKS_API_KEY is not set" in result.stderr
    assert [each.url for each in asked] == ["https://api.cerebras.ai/v1/completions"]
    assert json.loads(result.stdout)[0]["problem"] == "no answer came"
    assert result.exit_code == 2


def test_some_can_be_chosen(root: Path, asked: list[Outgoing]) -> None:
    wiretape(root, "--match", "*/completions", "--sample", 2)
    assert len(asked) == 2
    assert "there is nothing to send" in wiretape(root, "--match", "no-*").stderr
    assert "no session other" in wiretape(root, "--session", "other").stderr


def test_a_table_tells_people_and_the_exit_code_tells_drift(root: Path, asked: list[Outgoing]) -> None:
    result = wiretape(root, "--match", CHAT.stem)
    assert result.exit_code == 1
    assert [*result.stdout.split()[:5]] == ["recording", "request", "words", "tokens", "drift"]
    assert f"main/{CHAT.stem}" in result.stdout
    assert "shape: " in result.stdout
    assert "1 of 1 answer drifted" in result.stderr
    assert len(asked) == 1


@pytest.mark.usefixtures("asked")
def test_a_frozen_session_is_asked_and_never_replaced(root: Path, tmp_path: Path) -> None:
    config = tmp_path / "wiretape.toml"
    config.write_text("[session.main]\nfrozen = true\n")
    before = CHAT.read_bytes()
    named = wiretape(root, "--accept", "--session", "main", "--config", config)
    assert (named.exit_code, "nothing is replaced: session main is frozen" in named.stderr) == (2, True)
    passed = wiretape(root, "--accept", "--config", config)
    assert (passed.exit_code, "session main stays as it is" in passed.stderr) == (2, True)
    assert wiretape(root, "--match", CHAT.stem, "--config", config).exit_code == 1
    assert (root / "main" / "responses" / CHAT.name).read_bytes() == before


@pytest.mark.usefixtures("asked")
def test_what_has_expired_is_young_again_though_it_has_not_drifted(root: Path, tmp_path: Path) -> None:
    config = tmp_path / "wiretape.toml"
    config.write_text(OLD)
    wiretape(root, "--accept", "--match", CHAT.stem)
    capture = root / "main" / "wire" / CHAT.name
    assert '"at": "1970-01-01T00:00:00Z"' in capture.read_text()
    again = wiretape(root, "--accept", "--match", CHAT.stem, "--json")
    assert [row["accepted"] for row in json.loads(again.stdout)] == [False]
    old = wiretape(root, "--accept", "--match", CHAT.stem, "--json", "--config", config)
    assert [(row["drift"], row["accepted"]) for row in json.loads(old.stdout)] == [([], True)]
