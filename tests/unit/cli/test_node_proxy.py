"""Node programs behind ``wiretape run``: the ``openai`` package, and the preload for a Node that knows no proxy."""

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness import TO_LOOPBACK
from loopback import Provider, Wait, from_recording
from places import SHIPPED, TESTS
from wiretape.cli.environment import NODE_PRELOAD

SEED = SHIPPED / "default" / "responses" / "e99f14805360.json"
APP = TESTS / "node" / "app.mjs"
HELLO = "Hello! It's nice to meet you. Is there something I can help you with, or would you like to chat?"
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not on this machine")
needs_openai = pytest.mark.skipif(
    not (APP.parent / "node_modules" / "openai").is_dir(),
    reason="the npm package openai is not there: npm install --no-package-lock in tests/node",
)


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A user's environment in which nothing of the test machine's settings is left."""
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path_factory.mktemp("home"))}


def command(*args: str) -> list[str]:
    script = shutil.which("wiretape", path=str(Path(sys.executable).parent)) or "wiretape"
    return [script, "run", *args]


def output(command: list[str], env: dict[str, str]) -> tuple[str, str]:
    """What a command that is to succeed wrote."""
    result = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout, result.stderr


@needs_openai
def test_the_openai_package_is_answered_from_the_recordings(env: dict[str, str]) -> None:
    text, errors = output(command("--mode", "replay", "--recordings", str(SHIPPED), "--", "node", str(APP)), env)
    assert text == HELLO
    assert "1 hit" in errors


@needs_openai
def test_a_stream_reaches_the_openai_package_piece_by_piece(env: dict[str, str], tmp_path: Path) -> None:
    first_arrived = threading.Event()
    with Provider() as origin:
        answer = from_recording(SEED)
        origin.on(
            "/inference/v1/chat/completions",
            replace(answer, steps=[*answer.steps[:3], Wait(first_arrived), *answer.steps[3:]]),
        )
        to_origin = {
            "TO_LOOPBACK_ORIGIN": f'{{"*": {origin.port}}}',
            "TO_LOOPBACK_CONNECTS": str(tmp_path / "connects"),
            "SSL_CERT_FILE": str(origin.ca_pem),
        }
        with subprocess.Popen(
            command("--mode", "record", "--set", f"scripts={TO_LOOPBACK}", "--", "node", str(APP)),
            cwd=tmp_path,
            env=env | to_origin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout
            shown = os.read(process.stdout.fileno(), 100)
            first_arrived.set()
            rest, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert HELLO.startswith(shown.decode()), shown
    assert 0 < len(shown) < len(HELLO)
    assert (shown + rest).decode() == HELLO
    assert b"1 recording made" in errors
    assert (tmp_path / "recordings" / "default" / "responses" / SEED.name).read_bytes() == SEED.read_bytes()


HTTPS_REQUEST = """
const https = require('https');
https.get('https://api.fireworks.ai/inference/v1/no-such-path', (response) => {
  response.setEncoding('utf8').on('data', (text) => console.log(response.statusCode, text));
});
"""


def test_https_request_goes_through_too(env: dict[str, str]) -> None:
    text, _ = output(command("--mode", "replay", "--", "node", "-e", HTTPS_REQUEST), env)
    assert text.startswith("400 ")
    assert "recording_not_found" in text


# -- the preload alone, against a proxy that refuses -------------------------------------------------


@pytest.fixture
def refusing() -> Iterator["Refusing"]:
    with Refusing() as proxy:
        yield proxy


class Refusing:
    """A proxy that answers each CONNECT with 407, keeps what it was asked, and sees whether the client hangs up."""

    def __enter__(self) -> "Refusing":
        self.asked: list[str] = []
        self.hung_up = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(60)
                self.asked.append(connection.recv(4096).decode())
                connection.sendall(b"HTTP/1.1 407 Who are you\r\ncontent-length: 0\r\n\r\n")
                self.hung_up += connection.recv(1) == b""


def preloaded(script: str, env: dict[str, str]) -> str:
    return output(["node", "--require", str(NODE_PRELOAD), "-e", script], env)[0]


def test_a_refusal_is_told_and_leaves_no_socket_open(env: dict[str, str], refusing: Refusing) -> None:
    if knows_proxies():
        pytest.skip("this Node has its own support for proxies: the preload does nothing")
    shown = preloaded(
        "fetch('https://example.test/a').catch((error) => console.log(error.cause.message))",
        env | {"HTTPS_PROXY": f"http://us%20er:p%40ss@127.0.0.1:{refusing.port}"},
    )
    assert shown == f"proxy 127.0.0.1:{refusing.port} refused example.test:443: 407 Who are you\n"
    (asked,) = refusing.asked
    assert asked.startswith("CONNECT example.test:443 HTTP/1.1\r\n")
    assert "proxy-authorization: Basic dXMgZXI6cEBzcw==\r\n" in asked
    assert refusing.hung_up == 1


def test_no_proxy_is_honoured(env: dict[str, str], refusing: Refusing) -> None:
    if knows_proxies():
        pytest.skip("this Node has its own support for proxies: the preload does nothing")
    proxy = f"http://127.0.0.1:{refusing.port}"
    script = """
        const get = (url) => fetch(url).then((r) => r.text(), (error) => error.cause.message.split(' ')[0]);
        (async () => { for (const url of process.argv.slice(1)) console.log(await get(url)); })();
    """
    with Provider(tls=False) as origin:
        origin.on("*", replace(from_recording(SEED), steps=[b"direct"]))
        urls = [f"{origin.url}/", f"http://localhost:{origin.port}/", "http://other.test/"]
        for exceptions, expected in (
            ("127.0.0.1,localhost", ["direct", "direct", "proxy"]),
            (f"127.0.0.1:{origin.port} localhost:1", ["direct", "proxy", "proxy"]),
        ):
            names = {"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy, "NO_PROXY": exceptions}
            shown, _ = output(["node", "--require", str(NODE_PRELOAD), "-e", script, *urls], env | names)
            assert shown.splitlines() == expected


def test_without_a_proxy_the_preload_does_nothing(env: dict[str, str]) -> None:
    script = "console.log(require('https').globalAgent.constructor.name, Reflect.ownKeys(globalThis).map(String))"
    assert preloaded(script, env) == output(["node", "-e", script], env)[0]


def knows_proxies() -> bool:
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    major, minor = map(int, re.findall(r"\d+", version)[:2])
    return major >= 24 or (major == 22 and minor >= 21)


def test_a_copy_that_is_preloaded_as_well_does_nothing_more(env: dict[str, str], tmp_path: Path) -> None:
    copy = tmp_path / "node-proxy.cjs"
    shutil.copyfile(NODE_PRELOAD, copy)
    program = (
        "const https = require('https'); const before = [fetch, https.globalAgent, https.request];"
        f"require({str(copy)!r}); console.log(before[0] === fetch && before[1] === https.globalAgent"
        " && before[2] === https.request);"
    )
    command = ["node", "--require", str(NODE_PRELOAD), "--eval", program]
    assert output(command, env | {"HTTPS_PROXY": "http://127.0.0.1:9"})[0] == "true\n"
