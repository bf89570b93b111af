"""What a job of CI gets to see of a run: the script of our action, as GitHub's runner starts it."""

import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from ruamel.yaml import YAML

from forked import WIRETAPE
from places import CONFIG, SHIPPED
from shell_user import PLAIN, User


@pytest.fixture
def user(tmp_path: Path) -> User:
    home = tmp_path / "home"
    home.mkdir()
    return User(home, tmp_path)


def run_step() -> dict[str, Any]:
    """The step of the action that runs the command."""
    action = YAML(typ="safe").load(CONFIG / "action" / "action.yml")
    (step,) = [step for step in action["runs"]["steps"] if step["name"] == "Run the command"]
    assert step["shell"] == "bash"
    return dict(step)


def test_a_miss_in_a_job_is_an_annotation_a_row_of_the_summary_and_a_failed_case(user: User) -> None:
    temporary = user.folder / "runner's files"
    (temporary / "wiretape" / "bin").mkdir(parents=True)
    (temporary / "wiretape" / "bin" / "wiretape").symlink_to(WIRETAPE)
    summary = user.folder / "summary.md"
    hit = user.app(PLAIN)
    missed = user.folder / "missed.py"
    missed.write_text(PLAIN.replace("Hello, world!", "Hello, 100%\\n::error::world"))
    command = f"{hit[0]} {hit[1]}\n{hit[0]} {missed} 2>/dev/null || true\nfalse\necho 'not reached'"
    env = user.env | {
        "CI": "true",
        "COMMAND": command,
        "GITHUB_STEP_SUMMARY": str(summary),
        "RECORDINGS": str(SHIPPED),
        "RUNNER_TEMP": str(temporary),
        "SESSION": "default",
    }
    assert {*run_step()["env"]} <= {*env}
    result = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", run_step()["run"]],
        cwd=user.folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 3, result.stderr
    assert result.stdout.startswith("Hello!")
    assert "not reached" not in result.stdout
    (error,) = [line for line in result.stderr.splitlines() if line.startswith("::")]
    assert error.startswith("::error title=wiretape%3A No recording of a call::/v1/chat/completions ")
    assert "Hello, 100%25" in error
    assert "2 calls: 1 hit, 1 miss." in summary.read_text()
    suite = ElementTree.parse(temporary / "wiretape.xml").getroot()[0]
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("2", "1")
    assert len((temporary / "wiretape.jsonl").read_text().splitlines()) == 2
    assert [*user.temporary.iterdir()] == []
