"""What answers at the address of a proxy: told apart by its answer, whatever bytes those are."""

import socket

import pytest

from authorities import Certificate
from bare_server import Answering
from wiretape.cli import proxy_answer, proxy_url
from wiretape.cli.proxy_answer import NoProxyError, ProxyAnswer

PEM = Certificate().pem


def head(status: int, **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} x", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "\r\n"]).encode()


def asked(answer: bytes, credentials: str = "", *, ends: bool = True) -> tuple[ProxyAnswer, bytes]:
    with Answering(answer, ends=ends) as server:
        url = proxy_url.parse(f"http://{credentials}127.0.0.1:{server.port}")
        return proxy_answer.ask(url, patience=60 if ends else 0.2), server.asked


@pytest.mark.parametrize(
    ("answer", "understood"),
    [
        (head(200, x_wiretape="0.1.0") + PEM, ProxyAnswer(200, is_ours=True, version="0.1.0", pem=PEM)),
        (head(200, x_wiretape="\x1b[2J") + PEM, ProxyAnswer(200, is_ours=True, pem=PEM)),
        (head(200) + PEM, ProxyAnswer(200, is_ours=False, pem=PEM)),
        (head(200) + b"<html>", ProxyAnswer(200, is_ours=False)),
        (head(404) + PEM, ProxyAnswer(404, is_ours=False)),
        (head(407, proxy_authenticate='Basic realm="wiretape"'), ProxyAnswer(407, is_ours=True)),
        (head(407, proxy_authenticate='Basic realm="house"'), ProxyAnswer(407, is_ours=False)),
    ],
)
def test_who_it_is(answer: bytes, understood: ProxyAnswer) -> None:
    assert asked(answer)[0] == understood


def test_it_is_asked_for_its_own_page_and_shown_who_comes() -> None:
    _, request = asked(head(200), "sky:wt_a@")
    assert request.startswith(b"GET http://mitm.it/cert/pem HTTP/1.1\r\n")
    assert b"\r\nProxy-Authorization: Basic c2t5Ond0X2E=\r\n" in request
    assert b"Proxy-Authorization" not in asked(head(200))[1]


@pytest.mark.parametrize(
    ("answer", "ends"), [(b"SSH-2.0-x\r\n", True), (b"", True), (b"", False), (b"HTTP/1.1", False)]
)
def test_what_is_no_proxy_is_told(answer: bytes, ends: bool) -> None:
    with pytest.raises(NoProxyError, match="nothing answers as a proxy at 127") as error:
        asked(answer, "sky:wt_secret@", ends=ends)
    assert "secret" not in str(error.value)


def test_nobody_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(NoProxyError, match="Connection refused"):
        proxy_answer.ask(proxy_url.parse(f"127.0.0.1:{port}"))


def test_an_answer_without_an_end_is_read_up_to_a_size() -> None:
    assert len(asked(head(200) + PEM + b"x" * 1_000_000)[0].pem) == 1 << 16
