"""Who asks comes before what is asked: a body is read for those alone who have a seat, and kept up to a limit."""

import contextlib
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness import Mitmdump, environment, wait_until
from inside import Inside, free_port
from loopback import Provider, json_answer
from places import ROOT, SHIPPED
from talk import _Http2Alone
from wiretape.sessions import token_file
from wiretape.sessions.model import Role
from wiretape.sessions.tokens import Tokens

HOST = "api.fireworks.ai"
PATH = "/inference/v1/chat/completions"
LIMIT = 100_000


def chat(size: int) -> bytes:
    """A request for a chat completion of so many bytes."""
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": ""}]}).encode()
    return body.replace(b'"content": ""', b'"content": "%s"' % (b"x" * (size - len(body))))


def head(target: str, *headers: str) -> bytes:
    lines = [f"POST {target} HTTP/1.1", f"host: {HOST}", "content-type: application/json", *headers, "", ""]
    return "\r\n".join(lines).encode()


def chunked(body: bytes, piece: int = 30_000) -> bytes:
    pieces = [body[start : start + piece] for start in range(0, len(body), piece)]
    return b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in pieces) + b"0\r\n\r\n"


def answer_of(client: socket.socket) -> bytes:
    """All that comes until the proxy ends the connection."""
    got = b""
    with contextlib.suppress(ConnectionError):
        while data := client.recv(65536):
            got += data
    return got


def status_and_error(answer: bytes) -> tuple[int, Any]:
    first, _, body = answer.partition(b"\r\n\r\n")
    return int(first.split()[1]), json.loads(body)["error"]


# -- who has no seat ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", name="closed")
def _closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mitmdump]:
    folder = tmp_path_factory.mktemp("closed")
    token_file.write(folder / "tokens.toml", Tokens().create("*", Role.WRITE)[1])
    options = {"wiretape_tokens": str(folder / "tokens.toml")}
    with Mitmdump(folder / "recordings", "record-if-missing", options=options) as proxy:
        yield proxy


FRAMINGS = {
    "length": head(f"http://{HOST}{PATH}", "content-length: 9000000000"),
    "Expect": head(f"http://{HOST}{PATH}", "content-length: 9000000000", "expect: 100-continue"),
    "chunked": head(f"http://{HOST}{PATH}", "transfer-encoding: chunked") + b"3b9aca00\r\n",
    "no endpoint": head(f"http://{HOST}/v1/files", "content-length: 9000000000"),
    "wrong token": head(f"http://{HOST}{PATH}", "content-length: 9000000000", "proxy-authorization: Basic eDp5"),
}


@pytest.mark.parametrize("framing", FRAMINGS)
def test_who_has_no_seat_is_answered_after_the_head(framing: str, closed: Mitmdump) -> None:
    """With nothing of the body sent, which a proxy that waits for it would never answer; and then with much of it."""
    with socket.create_connection(("127.0.0.1", closed.port), timeout=60) as client:
        client.sendall(FRAMINGS[framing])
        answer = answer_of(client)
    assert status_and_error(answer)[0] == 407
    assert b"connection: close" in answer.lower()
    assert closed.connects() == []


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_nothing_is_kept_of_a_body_that_nobody_may_send(closed: Mitmdump) -> None:
    before = memory(closed)
    for framing in FRAMINGS.values():
        with socket.create_connection(("127.0.0.1", closed.port), timeout=60) as client, contextlib.suppress(OSError):
            client.sendall(framing)
            for _ in range(60):
                client.sendall(b"x" * 1_000_000)
    with socket.create_connection(("127.0.0.1", closed.port), timeout=60) as client, contextlib.suppress(OSError):
        client.sendall(b"GET / HTTP/1.1\r\n")
        for number in range(600):
            client.sendall(b"x-%d: %s\r\n" % (number, b"x" * 100_000))
    assert memory(closed) - before < 25_000_000


def memory(proxy: Mitmdump) -> int:
    """The most that a process has had, in bytes."""
    status = Path(f"/proc/{proxy.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


# -- what is too large -------------------------------------------------------------------------------------------------


class Place:
    """A proxy that keeps bodies of 100 kB, and the providers behind it."""

    def __init__(self, proxy: Inside, reverse: int, provider: Provider) -> None:
        self.proxy = proxy
        self.reverse = reverse
        self.provider = provider

    def send(self, data: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.reverse), timeout=60) as client:
            with contextlib.suppress(ConnectionError):
                client.sendall(data)
            return answer_of(client)

    @property
    def unrecorded(self) -> int:
        return self.proxy.addon.counters.unrecorded


@contextlib.contextmanager
def place(folder: Path, **chosen: str) -> Iterator[Place]:
    reverse = free_port()
    chosen = {"wiretape_max_request": "100kB", "wiretape_recordings": str(folder), **chosen}
    with Provider() as provider:
        provider.on("*", json_answer({"choices": []}))
        chosen["ssl_verify_upstream_trusted_ca"] = str(provider.ca_pem)
        modes = [f"reverse:https://{HOST}@{reverse}"]
        with Inside(chosen, modes=modes, ports={443: provider.port, 80: provider.port}) as proxy:
            yield Place(proxy, reverse, provider)


def requests_of(body: bytes) -> dict[str, bytes]:
    return {
        "length": head(PATH, f"content-length: {len(body)}", "connection: close") + body,
        "chunked": head(PATH, "transfer-encoding: chunked", "connection: close") + chunked(body),
    }


@pytest.mark.parametrize("lane", ["fast", "flows"])
@pytest.mark.parametrize("mode", ["replay", "record-if-missing", "record"])
def test_a_larger_body_is_refused(mode: str, lane: str, tmp_path: Path) -> None:
    with place(tmp_path, wiretape_mode=mode, wiretape_lane=lane) as at:
        for name, data in requests_of(chat(LIMIT + 1)).items():
            status, error = status_and_error(at.send(data))
            assert (status, error["code"]) == (413, "request_too_large"), name
            assert "wiretape_max_request=100kB" in error["message"]
        assert at.provider.requests == []
        before = at.unrecorded
        for name, data in requests_of(chat(LIMIT)).items():
            status = int(at.send(data).split()[1])
            assert status == (400 if mode == "replay" else 200), name
        assert at.unrecorded == before


def test_a_larger_body_is_refused_by_its_head_alone(tmp_path: Path) -> None:
    with place(tmp_path, wiretape_mode="replay") as at:
        for more in ([], ["expect: 100-continue"]):
            answer = at.send(head(PATH, f"content-length: {LIMIT + 1}", *more))
            assert status_and_error(answer)[0] == 413


def test_over_http2_too(tmp_path: Path) -> None:
    with place(tmp_path, wiretape_mode="replay") as at, environment({}):
        context = _Http2Alone(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(at.proxy.ca_file)
        body = chat(LIMIT + 50_000)
        for with_length in (True, False):
            # A client that reads nothing while it writes may meet the end of the connection before the answer.
            statuses: list[int] = []
            while not statuses:
                with contextlib.suppress(httpx.WriteError):
                    statuses.append(_post(at.proxy.port, context, body, with_length=with_length))
            assert statuses == [413]
        assert at.proxy.opened == []


def _post(port: int, context: ssl.SSLContext, body: bytes, *, with_length: bool) -> int:
    proxy = f"http://127.0.0.1:{port}"
    with httpx.Client(http2=True, verify=context, proxy=proxy, trust_env=False) as client:
        pieces = (body[start : start + 30_000] for start in range(0, len(body), 30_000))
        content: Any = body if with_length else pieces
        headers = {"content-type": "application/json"}
        return client.post(f"https://{HOST}{PATH}", content=content, headers=headers).status_code


@pytest.mark.parametrize("lane", ["fast", "flows"])
@pytest.mark.parametrize("mode", ["record-if-missing", "record", "live"])
def test_a_larger_body_passes_where_the_team_wants_it(
    mode: str, lane: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    body = chat(3_000_000)
    with place(tmp_path, wiretape_mode=mode, wiretape_lane=lane, wiretape_large_requests="pass") as at:
        for count, (name, data) in enumerate(requests_of(body).items(), 1):
            answer = at.send(data)
            assert answer.startswith(b"HTTP/1.1 200 "), name
            assert at.provider.requests[-1].body == body, name
            assert at.unrecorded == (0 if mode == "live" else count)
            assert len([line for line in caplog.messages if line.startswith("not recorded: ")]) == at.unrecorded
        at.proxy.stop()
    assert not [*tmp_path.rglob("*.json")]


def test_live_has_no_limit(tmp_path: Path) -> None:
    body = chat(LIMIT * 3)
    with place(tmp_path, wiretape_mode="live") as at:
        for data in requests_of(body).values():
            assert at.send(data).startswith(b"HTTP/1.1 200 ")
        assert [each.body for each in at.provider.requests] == [body, body]


def test_nothing_larger_passes_in_replay(tmp_path: Path) -> None:
    with place(tmp_path, wiretape_mode="replay", wiretape_large_requests="pass") as at:
        for data in requests_of(chat(LIMIT + 1)).values():
            assert status_and_error(at.send(data))[0] == 413
        assert at.proxy.opened == []


# -- what comes ahead of its time --------------------------------------------------------------------------------------


@pytest.mark.parametrize("lane", ["fast", "flows"])
def test_who_sends_on_and_on_while_an_answer_is_paced_is_cut_off(lane: str) -> None:
    body = json.loads((ROOT / "recordings/default/responses/e99f14805360.json").read_bytes())["request"]["body"]
    asked = json.dumps(body).encode()
    with place(SHIPPED, wiretape_mode="replay", wiretape_lane=lane, wiretape_pace="1tps") as at:
        request = head(PATH, f"content-length: {len(asked)}") + asked
        with socket.create_connection(("127.0.0.1", at.reverse), timeout=60) as client:
            client.sendall(request)
            assert client.recv(100).startswith(b"HTTP/1.1 200 ")
            with contextlib.suppress(ConnectionError):
                for _ in range(40):
                    client.sendall(b"x" * 1_000_000)
            answer_of(client)  # It ends, long before the answer would.
        assert wait_until(lambda: not at.proxy.master.addons.get("proxyserver").connections)
