"""From a miss to a hit: a program that varies, the rules that are suggested for it, and the same program again."""

import json
import sqlite3
from pathlib import Path

import pytest

from samples import CHAT
from shell_user import User

APP = """
    import json, sys, urllib.error, urllib.request
    day, cch, question = sys.argv[1:]
    system = f"You are an agent.\\nx-header: v=2.1; cch={cch}; ok\\nToday's date is {day}."
    messages = [{"role": "system", "content": system}, {"role": "user", "content": question}]
    model = "accounts/fireworks/models/llama-v3p1-8b-instruct"
    headers = {"content-type": "application/json", "authorization": "Bearer sk-proj-" + "a1B2" * 12}
    asked = json.dumps({"messages": messages, "model": model, "stream": True, "run": cch}).encode()
    url = "https://api.fireworks.ai/inference/v1/chat/completions"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, asked, headers)) as answer:
            chunks = [json.loads(line[6:]) for line in answer if line.startswith(b"data: {")]
        print("".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks))
    except urllib.error.HTTPError as e:
        print(e.code)
"""
HELLO = "Hello! It's nice to meet you. Is there something I can help you with, or would you like to chat?\n"


@pytest.fixture
def user(tmp_path: Path) -> User:
    home = tmp_path / "home"
    home.mkdir()
    user = User(home, tmp_path)
    responses = user.folder / "recordings" / "default" / "responses"
    responses.mkdir(parents=True)
    recording = json.loads(CHAT.read_text("utf-8"))
    system = "You are an agent.\nx-header: v=2.1; cch=7053e; ok\nToday's date is 2026-11-27."
    question = {"role": "user", "content": "Who are you?"}
    recording["request"]["body"] |= {"messages": [{"role": "system", "content": system}, question], "run": "7053e"}
    (responses / "one.json").write_text(json.dumps(recording), "utf-8")
    return user


def replayed(user: User, *args: str, report: bool = False) -> str:
    """Run the program in replay, and return what it prints."""
    flags = ["--report", "jsonl", "calls.jsonl"] if report else []
    result = user.wiretape("run", "--mode", "replay", "--no-fail-on-miss", *flags, "--", *user.app(APP), *args)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_suggested_rules_make_the_misses_hits_and_nothing_else(user: User) -> None:
    config = {"WIRETAPE_CONFIG": "wiretape.toml"}
    assert replayed(user, "2026-11-28", "a1b2c", "Who are you?") == "400\n"
    assert replayed(user, "2026-11-28", "0ff1c", "What is it?", report=True) == "400\n"
    result = user.wiretape("rules", "suggest")
    assert result.returncode == 1, "another question stays a miss"
    assert "2 misses, these rules make 1 of them hits" in result.stdout
    assert 'messages[1].content: "What is it?" here, "Who are you?" in the recording: it is of the' in result.stdout
    (user.folder / "wiretape.toml").write_text(result.stdout)
    # What differs is another one each time: the rules hold for what has not been seen yet.
    user.env |= config
    assert replayed(user, "2026-12-24", "deed0", "Who are you?") == HELLO
    assert replayed(user, "2026-12-24", "deed0", "What is it?") == "400\n"
    assert user.wiretape("rules", "check").returncode == 0
    result = user.wiretape("rules", "suggest")
    assert "is a hit by now" in result.stdout
    assert "[[match]]" not in result.stdout
    # Of those that a report tells there is but one.
    result = user.wiretape("rules", "suggest", "--report", "calls.jsonl")
    assert "1 miss, no rule is suggested" in result.stdout
    # Nothing but the notes has the requests, and those have no key.
    (notes,) = (user.folder.parent / "home" / ".cache" / "wiretape" / "index").glob("*.sqlite")
    assert b"sk-proj-" not in notes.read_bytes()
    with sqlite3.connect(notes) as opened:
        assert opened.execute("SELECT count(*) FROM heads WHERE session = 'default#misses'").fetchone() == (3,)


def test_without_a_miss_it_says_what_to_do(user: User) -> None:
    user.env["WIRETAPE_KEEP_MISSES"] = "false"
    assert replayed(user, "2026-11-28", "a1b2c", "Who are you?") == "400\n"
    result = user.wiretape("rules", "suggest")
    assert (result.returncode, result.stdout) == (0, "")
    assert "no misses are kept of default: replay once what is to be a hit, and ask again" in result.stderr
