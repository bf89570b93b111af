"""``wiretape rules check``, as a user calls it."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from samples import CHAT
from wiretape.cli.commands import app

TODAY = '[[match]]\nname = "today"\nkinds = ["dates"]\n'
MONDAY = "Today is 2026-11-30. Who?"
TUESDAY = "Today is 2026-12-01. Who?"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("WIRETAPE_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two recordings of session main, whose requests differ in a date and whose answers say the same."""
    root = tmp_path / "recordings"
    for name, question in (("monday", MONDAY), ("tuesday", TUESDAY)):
        record(root, name, question)
    return root


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "team.toml"
    path.write_text(TODAY)
    return path


def record(root: Path, name: str, question: str, answer: str = " Hello", session: str = "main") -> None:
    """Write a recording as the shipped one, of another question and with another answer."""
    recording = json.loads(CHAT.read_text("utf-8"))
    recording["request"]["body"]["messages"][0]["content"] = question
    recording["response"]["body"][1]["__data__"]["choices"][0]["delta"]["content"] = answer
    path = root / session / "responses" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(recording), "utf-8")


def check(root: Path, *args: object) -> Result:
    words = map(str, ("rules", "check", "--recordings", root, *args))
    return CliRunner().invoke(app, [*words], prog_name="wiretape")


def test_without_a_rule_for_it_all_stay_apart(root: Path) -> None:
    result = check(root)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "session main: 2 recordings, and rules make no two of them one\n"


def test_what_rules_make_one_is_listed(root: Path, config: Path) -> None:
    result = check(root, "--config", config)
    assert result.exit_code == 0, "their answers say the same"
    assert result.stdout.splitlines() == [
        "main: /v1/chat/completions accounts/fireworks/models/llama-v3p1-8b-instruct: "
        "2 requests are one by today: their answers say the same",
        "  monday",
        "  tuesday",
    ]
    assert "2 recordings, of which rules make 1 group one: in 0 the answers differ" in result.stderr


def test_answers_that_differ_are_told_by_the_exit_code(root: Path, config: Path) -> None:
    record(root, "wednesday", "Today is 2026-12-02. Who?", answer=" Bye")
    result = check(root, "--config", config, "--session", "main")
    assert result.exit_code == 1
    assert "3 requests are one by today: THEIR ANSWERS DIFFER" in result.stdout
    assert check(root, "--config", config, "--match", "exact").exit_code == 0


def test_for_programs_it_is_json(root: Path, config: Path) -> None:
    record(root, "wednesday", "Today is 2026-12-02. Who?", answer=" Bye", session="other")
    record(root, "thursday", "Today is 2026-12-03. Who?", session="other")
    result = check(root, "--config", config, "--json")
    assert result.exit_code == 1
    main, other = json.loads(result.stdout)
    assert main == {
        "session": "main",
        "request": "/v1/chat/completions accounts/fireworks/models/llama-v3p1-8b-instruct",
        "rules": ["today"],
        "answers_differ": False,
        "requests": [
            {"recordings": ["monday"], "client": ""},
            {"recordings": ["tuesday"], "client": ""},
        ],
    }
    assert (other["session"], other["answers_differ"]) == ("other", True)


def test_what_is_no_recording_is_told(root: Path, config: Path) -> None:
    (root / "main" / "responses" / "abc.json").write_text("{}")
    result = check(root, "--config", config)
    assert result.exit_code == 0
    assert f"{root}/main/responses/abc.json: not compared: no request" in result.stderr


def test_what_cannot_be_looked_at_is_refused(root: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('[[match]]\nname = "x"\nkinds = ["dats"]\n')
    for args, said in (
        (["--session", "nope"], "no session nope below"),
        (["--match", "codx"], "did you mean codex"),
        (["--config", wrong], "wrong.toml:3"),
    ):
        result = check(root, *args)
        assert result.exit_code == 2, args
        assert said in result.stderr
    assert check(tmp_path / "nowhere").exit_code == 2
