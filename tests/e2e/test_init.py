"""``wiretape init`` as a user meets it: its first tests are recorded, and replayed without a provider."""

import shutil
import sys
from pathlib import Path

import pytest

from loopback import Provider, json_answer
from shell_user import User


@pytest.mark.skipif(not shutil.which("node"), reason="node is not on this machine")
def test_what_one_first_test_has_recorded_the_other_one_replays(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    user = User(tmp_path / "home", tmp_path)
    for name in ("package.json", "pyproject.toml"):
        (user.folder / name).write_text("{}" if name.endswith("json") else "", "utf-8")
    made = user.wiretape("init")
    assert made.returncode == 0, made.stderr
    assert "wiretape doctor" in made.stdout
    user.env["WIRETAPE_CONFIG"] = "wiretape.toml"
    message = {"role": "assistant", "content": "Blue."}
    answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini"}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    with Provider() as provider:
        provider.on("/v1/chat/completions", json_answer(answer | {"choices": choices}))
        javascript = ("node", "--test", "test/wiretape.test.mjs")
        recorded = user.wiretape("run", "--mode", "record-if-missing", *user.to(provider), "--", *javascript)
    assert recorded.returncode == 0, recorded.stdout + recorded.stderr
    assert "1 recording made" in recorded.stderr
    del user.env["SSL_CERT_FILE"]
    python = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_wiretape.py")
    replayed = user.wiretape("run", "--mode", "replay", "--", *python)
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert "1 hit, 0 misses" in replayed.stderr
