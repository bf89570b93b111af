"""A proxy that the environment names already: which way each connection goes, and a real one that is gone through."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mitmproxy.test import tflow

from bare_server import BareServer
from loopback import Provider, from_recording
from places import SHIPPED
from samples import CHAT
from shell_user import User
from wiretape.cli.upstream import upstream

NO_PROXY = {
    "corp.example": ["corp.example", "git.corp.example", "GIT.CORP.EXAMPLE."],
    ".corp.example": ["git.corp.example", "corp.example"],
    "*.corp.example": ["git.corp.example"],
    "git.corp.example:443": ["git.corp.example"],
    "10.0.0.0/8": ["10.1.2.3"],
    "192.0.2.7": ["192.0.2.7", "3221225991"],
    "[2001:db8::7]": ["[2001:db8::7]", "2001:db8:0::7"],
    "2001:db8::/32": ["2001:db8::7"],
    "*": ["anything.example", "192.0.2.9"],
    "a.example, ,b.example": ["a.example", "b.example"],
    "": ["localhost", "127.0.0.1", "[::1]", "app.localhost"],
}
NOT_PAST = {
    "corp.example": ["notcorp.example", "corp.example.org", "example"],
    "git.corp.example:8443": ["git.corp.example"],
    "10.0.0.0/8": ["11.0.0.1", "10.corp.example"],
    "192.0.2.7": ["192.0.2.8"],
    ".": ["corp.example"],
    "": ["api.openai.com"],
}
COMPANY = ("http", ("proxy.corp.example", 3128))


def way(host: str, environ: dict[str, str], *, tunnel: bool = True) -> Any:
    """By which proxy a flow goes, and with which credentials."""
    made = upstream(environ)
    flow = tflow.tflow()
    flow.server_conn.address = None
    flow.request.host, flow.request.port = host, 443
    if tunnel:
        made.http_connect(flow)
        if flow.server_conn.via:
            made.http_connect_upstream(flow)
    else:
        made.requestheaders(flow)
    return flow.server_conn.via, flow.request.headers.get("proxy-authorization")


@pytest.mark.parametrize("listed", NO_PROXY)
def test_past_it(listed: str) -> None:
    environ = {"HTTPS_PROXY": "http://proxy.corp.example:3128", "NO_PROXY": listed}
    for host in NO_PROXY[listed]:
        assert way(host, environ) == (None, None), host


@pytest.mark.parametrize("listed", NOT_PAST)
def test_by_way_of_it(listed: str) -> None:
    environ = {"HTTPS_PROXY": "http://proxy.corp.example:3128", "NO_PROXY": listed}
    for host in NOT_PAST[listed]:
        assert way(host, environ) == (COMPANY, None), host


PLAIN = {"HTTP_PROXY": "http://plain.example:1"}
ENVIRONMENTS: list[tuple[dict[str, str], str, Any, Any]] = [
    ({}, "", None, None),
    ({"HTTPS_PROXY": "proxy.corp.example:3128"}, "upstream:http://proxy.corp.example:3128", COMPANY, None),
    ({"https_proxy": "http://proxy.corp.example:3128/", "HTTPS_PROXY": "http://b:1"}, "", COMPANY, None),
    ({"ALL_PROXY": "http://proxy.corp.example:3128"}, "", COMPANY, COMPANY),
    (
        {"HTTPS_PROXY": "https://[2001:db8::1]:1"},
        "upstream:https://[2001:db8::1]:1",
        ("https", ("2001:db8::1", 1)),
        None,
    ),
    (PLAIN, "upstream:http://plain.example:1", None, ("http", ("plain.example", 1))),
    (PLAIN | {"HTTPS_PROXY": "http://proxy.corp.example:3128"}, "", COMPANY, ("http", ("plain.example", 1))),
    ({"HTTPS_PROXY": "http://proxy.corp.example:3128", "HTTP_PROXY": ""}, "", COMPANY, None),
]


@pytest.mark.parametrize(("environ", "mode", "secure", "plain"), ENVIRONMENTS)
def test_which_variable_is_for_what(environ: dict[str, str], mode: str, secure: Any, plain: Any) -> None:
    made = upstream(environ)
    assert bool(made.mode) == bool(environ)
    if mode:
        assert made.mode == mode
    assert way("api.openai.com", environ)[0] == secure
    assert way("api.openai.com", environ, tunnel=False)[0] == plain


def test_its_user_is_shown_to_it_and_to_nobody_else() -> None:
    environ = {"HTTPS_PROXY": "http://ann:p%40ss@proxy.corp.example:3128", "HTTP_PROXY": "http://bob:x@plain.example:1"}
    assert way("api.openai.com", environ)[1] == "Basic YW5uOnBAc3M="
    assert way("api.openai.com", environ, tunnel=False)[1] == "Basic Ym9iOng="
    assert way("localhost", environ) == way("localhost", environ, tunnel=False) == (None, None)
    assert "p%40ss" not in f"{upstream(environ)} {upstream(environ).mode}"
    assert "p@ss" not in f"{upstream(environ)}"


@pytest.mark.parametrize(
    "url", ["socks5://ann:secret@proxy:1080", "http://", "http://a b", "http://proxy:99999", "ftp://a"]
)
def test_one_that_cannot_be_used_is_said(url: str, caplog: pytest.LogCaptureFixture) -> None:
    assert upstream({"HTTPS_PROXY": url}).mode == ""
    assert "HTTPS_PROXY is not used, and what leaves this machine goes directly" in caplog.text
    assert "secret" not in caplog.text


class Relay(BareServer):
    """A company's proxy: what it was asked for, and where all of it leads."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.told: list[bytes] = []
        super().__init__()
        self.url = f"http://ann:secret@127.0.0.1:{self.port}"

    def serve(self, connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self._to)) as server:
            self.told.append(connection.recv(65536))
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            threading.Thread(target=self._pump, args=[server, connection], daemon=True).start()
            self._pump(connection, server)

    @staticmethod
    def _pump(from_: socket.socket, to: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := from_.recv(65536):
                to.sendall(data)
            to.shutdown(socket.SHUT_WR)


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User(tmp_path, tmp_path)


@pytest.fixture
def relayed() -> Iterator[tuple[Provider, Relay]]:
    with Provider() as origin:
        relay = Relay(origin.port)
        yield origin, relay
        relay.close()


APP = """
import json, os, ssl, sys, httpx
context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
# As a client that knows nothing of NO_PROXY.
with httpx.Client(proxy=os.environ["HTTPS_PROXY"], verify=context, trust_env=False) as client:
    for host in ("api.fireworks.ai", "api.openai.com"):
        answer = client.post(f"https://{host}/inference/v1/chat/completions", json=json.loads(sys.argv[1]))
        print(answer.status_code)
"""


def test_a_run_goes_out_by_way_of_it_and_past_it(user: User, relayed: tuple[Provider, Relay]) -> None:
    origin, relay = relayed
    origin.on("/inference/v1/chat/completions", from_recording(CHAT))
    flags = user.to(origin)
    env = {"HTTPS_PROXY": relay.url, "NO_PROXY": "openai.com"}
    asked = json.dumps(json.loads(CHAT.read_text("utf-8"))["request"]["body"])
    result = user.wiretape("run", "--mode", "record", *flags, "--", *user.app(APP), asked, env=env)
    assert result.stdout == "200\n200\n", result.stderr
    (told,) = relay.told
    assert told.startswith(b"CONNECT api.fireworks.ai:443 ")
    assert b"proxy-authorization: basic yw5uonnly3jlda==" in told.lower()
    assert len(origin.requests) == 2
    assert "goes by way of http://127.0.0.1:" in result.stderr
    assert "(HTTPS_PROXY), but directly to openai.com (NO_PROXY)" in result.stderr
    assert "secret" not in result.stderr
    assert "2 recordings made" in result.stderr
    # Nothing of it where nothing leaves.
    relay.told.clear()
    shown = user.wiretape("run", "--offline", "--recordings", str(SHIPPED), "--", *user.app(APP), asked, env=env)
    assert shown.stdout.startswith("200\n"), shown.stderr
    assert relay.told == []
    assert "by way of" not in shown.stderr
