"""``wiretape env`` as a user meets it: a real proxy, and programs that have nothing but what it printed."""

import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import Mitmdump
from places import SHIPPED
from shell_user import User

SEED = SHIPPED / "default" / "responses" / "e99f14805360.json"


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A file of tokens, and the one token in it."""
    user = User(tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("admin"))
    made = user.wiretape("token", "create", "--session", "default", "--role", "read")
    return user.folder / "wiretape-tokens.toml", made.stdout.strip()


@pytest.fixture(scope="module")
def proxy(tokens: tuple[Path, str]) -> Iterator[Mitmdump]:
    """A proxy for other machines: it wants tokens."""
    options = {"wiretape_tokens": str(tokens[0])}
    with Mitmdump(SHIPPED, "replay", options=options, args=["--listen-host", "0.0.0.0"]) as proxy:
        yield proxy


@pytest.fixture
def user(tmp_path: Path) -> User:
    """A user of another home than the proxy's: there is no CA in it."""
    (tmp_path / "home").mkdir()
    user = User(tmp_path / "home", tmp_path)
    shutil.rmtree(tmp_path / "home" / ".mitmproxy")
    return user


def own_address() -> str:
    """An address of this machine that is not loopback, or an empty text."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))  # For UDP this chooses a route, and nothing is sent.
        except OSError:
            return ""
        return str(probe.getsockname()[0])


def curl(user: User, variables: str) -> str:
    """What curl gets from a recording in a shell that has run the lines."""
    body = json.dumps(json.loads(SEED.read_text("utf-8"))["request"]["body"])
    (user.folder / "body.json").write_text(body, "utf-8")
    url = "https://api.fireworks.ai/inference/v1/chat/completions"
    script = f"{variables}\nexec curl -sSf {url} -H content-type:application/json -d @body.json"
    done = subprocess.run(
        ["sh", "-euc", script], cwd=user.folder, env=user.env, capture_output=True, text=True, check=False
    )
    return done.stdout or done.stderr


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not on this machine")
def test_a_shell_on_another_machine_is_behind_the_proxy(user: User, proxy: Mitmdump, tokens: tuple[Path, str]) -> None:
    host = own_address()
    if not host:
        pytest.skip("this machine has no other address than loopback")
    url = f"http://default:{tokens[1]}@{host}:{proxy.port}"
    made = user.wiretape("env", "--proxy", url, "--session", "default+replay")
    assert made.returncode == 0, made.stderr
    assert curl(user, made.stdout).endswith("data: [DONE]\n\n")
    assert tokens[1] not in made.stderr
    assert "compare it with that on the proxy's machine" in made.stderr
    told = re.search("([0-9A-F]{2}:){31}[0-9A-F]{2}", made.stderr)
    there = user.wiretape("env", "--fingerprint", "--confdir", str(proxy.ca_file.parent))
    assert told
    assert there.stdout.strip() == told[0]
    again = user.wiretape("env", "--expect", told[0].lower(), env={"WIRETAPE_PROXY": url})
    assert again.stdout == made.stdout.replace("default+replay", "default")
    assert "compare it" not in again.stderr


def test_another_ca_than_the_expected_one_is_refused(user: User, proxy: Mitmdump, tokens: tuple[Path, str]) -> None:
    url = f"http://default:{tokens[1]}@127.0.0.1:{proxy.port}"
    made = user.wiretape("env", "--proxy", url, "--expect", "00:" * 31 + "00")
    assert (made.returncode, made.stdout) == (2, "")
    assert "is another one than --expect says" in made.stderr
    assert not (Path(user.env["HOME"]) / ".config").exists()


def test_without_a_token_there_is_no_ca(user: User, proxy: Mitmdump) -> None:
    made = user.wiretape("env", "--proxy", f"127.0.0.1:{proxy.port}")
    assert (made.returncode, made.stdout) == (2, "")
    assert "wants a session, or a token" in made.stderr


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not on this machine")
def test_without_tokens_and_offline_a_proxy_of_this_machine_gives_its_ca_too(user: User) -> None:
    with Mitmdump(SHIPPED, "replay", options={"wiretape_offline": "true"}) as proxy:
        # What is set already does not become more.
        before = {"NO_PROXY": "*", "NODE_OPTIONS": "--no-warnings", "JAVA_TOOL_OPTIONS": "-Xmx1g"}
        user.env |= before
        made = user.wiretape("env", "--proxy", proxy.proxy_url)
        assert curl(user, made.stdout).endswith("data: [DONE]\n\n")
        assert "unset NO_PROXY\n" in made.stdout
        files = Path(user.env["HOME"]) / ".config" / "wiretape" / "ca"
        assert [sorted(each.name for each in folder.iterdir()) for folder in files.iterdir()] == [
            ["ca.pem", "java.p12", "node-proxy.cjs", "php"]
        ]
        bundle = next(files.glob("*/ca.pem")).read_bytes()
        set_twice = f"{made.stdout}\n. ./again\nenv"
        user.env |= {"SSL_CERT_FILE": str(next(files.glob("*/ca.pem")))}
        again = user.wiretape("env", "--proxy", proxy.proxy_url)
        (user.folder / "again").write_text(again.stdout, "utf-8")
        done = subprocess.run(
            ["sh", "-euc", set_twice], cwd=user.folder, env=user.env, capture_output=True, text=True, check=True
        )
        assert done.stdout.count("node-proxy.cjs") == 1
        assert done.stdout.count("-Dhttps.proxyHost") == 1
        assert next(files.glob("*/ca.pem")).read_bytes() == bundle
    gone = user.wiretape("env", "--proxy", proxy.proxy_url)
    assert (gone.returncode, gone.stdout) == (2, "")
    assert "start it first" in gone.stderr


def test_a_dockerfile_gets_the_files_of_its_own_folder(user: User, proxy: Mitmdump, tokens: tuple[Path, str]) -> None:
    url = f"http://default:{tokens[1]}@127.0.0.1:{proxy.port}"
    made = user.wiretape("env", "--proxy", url, "--format", "docker", "--files", "docker/ca")
    lines = made.stdout.splitlines()
    assert lines[0] == 'COPY ["docker/ca/", "/etc/wiretape/"]'
    assert 'ENV SSL_CERT_FILE="/etc/wiretape/ca.pem"' in lines
    assert str(user.folder) not in made.stdout
    ini = (user.folder / "docker" / "ca" / "php" / "wiretape.ini").read_text("utf-8")
    assert ini.startswith('curl.cainfo = "/etc/wiretape/ca.pem"')
    assert "is the container itself" in made.stderr
    assert "an image keeps the token" in made.stderr
    outside = user.wiretape("env", "--proxy", url, "--format", "docker", "--files", "../ca")
    assert outside.returncode == 2
    assert not (user.folder.parent / "ca").exists()
