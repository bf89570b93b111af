"""``wiretape doctor`` as a user meets it: a real process, and a real proxy."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import drawn
from harness import Mitmdump
from places import SHIPPED
from shell_user import User


@pytest.fixture(scope="module")
def proxy() -> Iterator[Mitmdump]:
    """A proxy of this machine."""
    with Mitmdump(SHIPPED, "replay") as proxy:
        yield proxy


@pytest.fixture
def user(tmp_path: Path) -> User:
    """A user of an empty folder and an empty home."""
    (tmp_path / "home").mkdir()
    return User(tmp_path / "home", tmp_path)


def test_all_is_right_behind_a_proxy_that_is_up(user: User, proxy: Mitmdump) -> None:
    lines = user.wiretape("env", "--proxy", proxy.proxy_url, "--format", "github").stdout.splitlines()
    user.env |= dict(line.split("=", 1) for line in lines)
    user.env["NODE_OPTIONS"] = "--require node-proxy.cjs"
    where = ["--listen", str(proxy.port), "--recordings", str(SHIPPED)]
    seen = user.wiretape("doctor", *where, "--confdir", str(proxy.ca_file.parent))
    assert seen.returncode == 0, seen.stdout + seen.stderr
    assert f"ok        port: a wiretape listens at 127.0.0.1:{proxy.port}" in seen.stdout
    assert f"ok        proxy: HTTPS_PROXY leads to {proxy.proxy_url}, a wiretape" in seen.stdout
    assert "4 recordings looked at, and no fault\n" in seen.stdout
    assert "0 faults" in seen.stdout.splitlines()[-1]
    if shutil.which("curl"):
        assert "ok        curl: trusts the proxy, by CURL_CA_BUNDLE\n" in seen.stdout
    assert proxy.connects() == []


def test_faults_are_told_for_people_and_for_programs_and_no_secret_is(user: User, proxy: Mitmdump) -> None:
    user.env |= {"HTTPS_PROXY": f"http://sky:wt_secret@127.0.0.1:{proxy.port}", "NO_PROXY": "api.openai.com"}
    token = drawn.draw("wt_{s43}")
    user.env |= {"WIRETAPE_TOKENS": token, "OPENAI_API_KEY": "sk-secret"}
    (user.folder / "recordings" / "default" / "responses").mkdir(parents=True)
    (user.folder / "recordings" / "default" / "responses" / "000000000000.json").write_text("{", "utf-8")
    seen = user.wiretape("doctor", "--json", "--listen", str(proxy.port))
    assert seen.returncode == 1, seen.stderr
    told = json.loads(seen.stdout)
    faults = {each["check"]: each for each in told["findings"] if each["state"] == "fault"}
    assert faults.keys() >= {"options", "no proxy", "recordings"}
    assert told["faults"] == len(faults)
    assert all(each["advice"] for each in faults.values())
    assert faults["options"]["said"].startswith("wiretape_tokens: ")
    assert "secret" not in seen.stdout + seen.stderr
    assert token not in seen.stdout + seen.stderr
    assert sorted(user.folder.rglob("*"))[-1].name == "000000000000.json"
