"""What a team deploys, checked by the tools that will read it. Where one is not installed its tests are skipped."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from places import CONFIG


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
