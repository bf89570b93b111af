"""What a client sees with the lane and without it is the same, byte for byte: every case is asked both ways.

One proxy serves hits in its lane, the other as flows of mitmproxy's; each case is a conversation on a connection.
"""

import contextlib
import json
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from harness import Mitmdump, wait_until
from samples import CHAT, SAMPLES, load

HOST = "api.fireworks.ai"
PATH = "/inference/v1/chat/completions"
BODY = json.dumps(load(CHAT)["request"]["body"]).encode()
OTHER = json.dumps({**load(CHAT)["request"]["body"], "messages": [{"role": "user", "content": "never heard"}]}).encode()


def post(body: bytes = BODY, *headers: str, path: str = PATH, version: str = "HTTP/1.1", host: str = HOST) -> bytes:
    lines = [f"POST {path} {version}", f"Host: {host}", "Content-Type: application/json", *headers]
    if not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def chunked(body: bytes, size: int = 50) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def split(data: bytes) -> list[bytes]:
    # mitmproxy takes for HTTP what begins with a whole line of it.
    line = data.index(b"\n") + 1
    return [data[:line], *(data[at : at + 1] for at in range(line, len(data)))]


TE = "Transfer-Encoding: chunked"
CLOSE = "Connection: close"
LAST = post(BODY, CLOSE)
"""After the answer to this the proxy closes: so ends what a test waits for."""


ANSWER, LEAVE = b"(wait for an answer)", b"(send no more)"


@dataclass
class Case:
    """What a client sends: pieces, each in a segment of its own."""

    pieces: list[bytes]
    fast: bool = True
    """Whether the lane answers the first request itself."""


CASES = {
    "one request": Case([LAST]),
    "two, one after the other": Case([post(), ANSWER, LAST]),
    "two in one segment": Case([post() + LAST], fast=False),
    "three in one segment": Case([post() + post() + LAST], fast=False),
    "one and a half in one segment": Case([post() + LAST[:100], LAST[100:]], fast=False),
    "split at every byte": Case(split(LAST)),
    "two, split at every byte": Case([*split(post()), ANSWER, *split(LAST)]),
    "an empty line after": Case([post() + b"\r\n", ANSWER, LAST]),
    "Expect: 100-continue": Case([post(BODY, "Expect: 100-continue", CLOSE)], fast=False),
    "a chunked body": Case([post(b"", TE, CLOSE) + chunked(BODY)], fast=False),
    "a chunked body, split": Case([post(b"", TE, CLOSE), *split(chunked(BODY))], fast=False),
    "absolute-form inside the tunnel": Case([post(BODY, CLOSE, path=f"https://{HOST}{PATH}")], fast=False),
    "HTTP/1.0": Case([post(version="HTTP/1.0")], fast=False),
    "HTTP/1.0, kept alive": Case([post(BODY, "Connection: keep-alive", version="HTTP/1.0")], fast=False),
    "HTTP/1.1 asked to close, then more": Case([LAST + post()], fast=False),
    "Transfer-Encoding and Content-Length": Case([post(chunked(BODY), TE, f"Content-Length: {len(BODY)}")], fast=False),
    "Transfer-Encoding twice": Case([post(chunked(BODY), TE, TE, CLOSE)], fast=False),
    "another Transfer-Encoding": Case([post(BODY, "Transfer-Encoding: gzip")], fast=False),
    "two Content-Lengths, equal": Case([post(BODY, *[f"Content-Length: {len(BODY)}"] * 2, CLOSE)], fast=False),
    "two Content-Lengths": Case([post(BODY, f"Content-Length: {len(BODY)}", "Content-Length: 5", CLOSE)], fast=False),
    "Content-Length with a sign": Case([post(BODY, f"Content-Length: +{len(BODY)}", CLOSE)], fast=False),
    "Content-Length with a zero before": Case([post(BODY, f"Content-Length: 0{len(BODY)}", CLOSE)], fast=False),
    "Content-Length that is no number": Case([post(BODY, "Content-Length: many", CLOSE)], fast=False),
    "no Content-Length": Case([post(b"", "Content-Length: 0", CLOSE)], fast=False),
    "headers of 60 kB": Case([post(BODY, "X-Long: " + "x" * 60_000, CLOSE)]),
    "headers of 100 kB": Case([post(BODY, "X-Long: " + "x" * 100_000, CLOSE)], fast=False),
    "a thousand headers": Case([post(BODY, *(f"X-{number}: y" for number in range(1000)), CLOSE)]),
    "a header twice": Case([post(BODY, "Accept: a", "Accept: b", CLOSE)]),
    "two Hosts": Case([post(BODY, "Host: elsewhere.example", CLOSE)], fast=False),
    "another Host": Case([post(BODY, CLOSE, host="elsewhere.example")], fast=False),
    "Host with a port": Case([post(BODY, CLOSE, host=f"{HOST}:443")]),
    "a folded header": Case([post(BODY, "X-Folded: a\r\n b", CLOSE)], fast=False),
    "a space before the colon": Case([post(BODY, "X-Space : a", CLOSE)], fast=False),
    "a header without a colon": Case([post(BODY, "nothing", CLOSE)], fast=False),
    "a header's name in Latin": Case([post(BODY, "X-\xe9: a", CLOSE)], fast=False),
    "a header's value in Latin": Case([post(BODY, "X-Latin: \xe9", CLOSE)]),
    "a NUL in a header": Case([post(BODY, "X-Nul: \x00", CLOSE)], fast=False),
    "lines that end in LF": Case([LAST.replace(b"\r\n", b"\n")], fast=False),
    "an empty Authorization": Case([post(BODY, "Authorization: Bearer ", CLOSE)]),
    "Upgrade": Case([post(BODY, "Connection: upgrade, close", "Upgrade: h2c")], fast=False),
    "another method": Case([LAST.replace(b"POST", b"PUT", 1)], fast=False),
    "a method in small letters": Case([LAST.replace(b"POST", b"post", 1)], fast=False),
    "HEAD": Case([b"HEAD %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % PATH.encode()], fast=False),
    "no HTTP": Case([b"EHLO example.org\r\n\r\n"], fast=False),
    "another path": Case([post(BODY, CLOSE, path="/inference/v1/other")], fast=False),
    "a path with a query": Case([post(BODY, CLOSE, path=f"{PATH}?a=b")]),
    "a path with a fragment": Case([post(BODY, CLOSE, path=f"{PATH}#a")], fast=False),
    "a path with a space": Case([post(BODY, CLOSE, path=f"{PATH} a")], fast=False),
    "a miss": Case([post(OTHER, CLOSE)], fast=False),
    "a hit, a miss, a hit": Case([post(), ANSWER, post(OTHER), ANSWER, LAST]),
    "a body that is no JSON": Case([post(b"{", CLOSE)], fast=False),
    "half a request, then gone": Case([post()[:-10], LEAVE], fast=False),
    "half a head, then gone": Case([post()[:50], LEAVE], fast=False),
    "a request, then gone": Case([post(), ANSWER, LEAVE]),
    "CONNECT inside the tunnel": Case([b"CONNECT a.example:443 HTTP/1.1\r\n\r\n"], fast=False),
}


OPEN_END = ("Upgrade",)


@pytest.fixture(scope="module")
def proxies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Mitmdump]]:
    recordings = tmp_path_factory.mktemp("lane") / "recordings"
    folder = recordings / "default" / "responses"
    folder.mkdir(parents=True)
    for path in SAMPLES.values():
        (folder / path.name).write_bytes(path.read_bytes())
    with contextlib.ExitStack() as stack:
        yield {
            lane: stack.enter_context(
                Mitmdump(recordings, "replay", options={"wiretape_lane": lane, "termlog_verbosity": "debug"})
            )
            for lane in ("fast", "flows")
        }


def tunnel(proxy: Mitmdump) -> ssl.SSLSocket:
    raw = socket.create_connection(("127.0.0.1", proxy.port), timeout=60)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    raw.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += raw.recv(4096)
    context = ssl.create_default_context(cafile=str(proxy.ca_file))
    return context.wrap_socket(raw, server_hostname=HOST)


def whole_answers(data: bytes) -> int:
    """How many answers are here, each to its end, as far as that can be told of chunked ones and those of a length."""
    count = 0
    while match := re.match(rb"HTTP/1\.[01] (\d+)[^\r]*\r\n(.*?)\r\n\r\n", data, re.DOTALL):
        rest, headers = data[match.end() :], match[2].lower()
        if match[1] == b"100":
            data = rest
        elif b"transfer-encoding: chunked" in headers:
            end = rest.find(b"0\r\n\r\n")
            if end < 0:
                return count
            count, data = count + 1, rest[end + 5 :]
        elif length := re.search(rb"content-length: (\d+)", headers):
            if len(rest) < int(length[1]):
                return count
            count, data = count + 1, rest[int(length[1]) :]
        else:
            return count
    return count


def converse(connection: socket.socket, pieces: list[bytes]) -> bytes:
    """All that comes back until the proxy closes."""
    got, answers = b"", 0
    for piece in pieces:
        if piece is ANSWER:
            answers += 1
            while whole_answers(got) < answers:
                more = connection.recv(65536)
                assert more, got
                got += more
        elif piece is LEAVE:
            connection.close()
            return got
        else:
            connection.sendall(piece)
    with contextlib.suppress(ConnectionResetError, ssl.SSLEOFError, TimeoutError):
        while more := connection.recv(65536):
            got += more
    return got


@pytest.mark.parametrize("name", CASES)
def test_the_client_sees_the_same_with_the_lane_and_without(name: str, proxies: dict[str, Mitmdump]) -> None:
    case = CASES[name]
    seen = {}
    for lane, proxy in proxies.items():
        before = len(proxy.log())
        with tunnel(proxy) as connection:
            # Where nobody closes, there is nothing to come: only so can that be told.
            connection.settimeout(1 if name in OPEN_END else 60)
            seen[lane] = converse(connection, case.pieces)
        wait_until(lambda proxy=proxy, before=before: "client disconnect" in proxy.log()[before:])  # type: ignore[misc]
    assert seen["fast"] == seen["flows"]
    assert seen["fast"].startswith(b"HTTP/1.") or "half" in name


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.fast])
def test_these_need_no_flow(name: str, proxies: dict[str, Mitmdump]) -> None:
    proxy = proxies["fast"]
    before = len(proxy.log())
    with tunnel(proxy) as connection:
        pieces = CASES[name].pieces
        converse(connection, [*pieces[: pieces.index(post(OTHER))], LEAVE] if post(OTHER) in pieces else pieces)
    wait_until(lambda: f"hit {CHAT.stem}" in proxy.log()[before:] or "more hits" in proxy.log()[before:])
    assert "<<" not in proxy.log()[before:]
