"""The variables that name a proxy, and what they lead past it."""

import socket

import pytest

from authorities import Certificate
from bare_server import Answering
from wiretape.cli.doctor.finding import State
from wiretape.cli.doctor.proxies import Way, look
from wiretape.providers import table

PROVIDERS = table.load({})
CA = Certificate().pem
OURS = b"HTTP/1.1 200 OK\r\nx-wiretape: 0.1.0\r\n\r\n" + CA


def bad(way: Way) -> list[tuple[State, str]]:
    assert not any("secret" in f"{each.said} {each.advice}" for each in way.findings)
    return [(each.state, each.said) for each in way.findings if each.state is not State.OK]


def behind(answer: bytes, user: str = "", **more: str) -> Way:
    """How it looks where HTTPS_PROXY and HTTP_PROXY name what answers so."""
    with Answering(answer) as server:
        url = f"http://{user}127.0.0.1:{server.port}"
        return look({"HTTPS_PROXY": url, "HTTP_PROXY": url} | more, PROVIDERS)


def test_a_wiretape_and_its_ca_are_known() -> None:
    way = behind(OURS, "sky:wt_secret@")
    assert bad(way) == []
    assert way.is_ours
    assert way.authority
    assert way.authority.pem == CA
    assert way.authority.fingerprint in way.findings[0].said


@pytest.mark.parametrize(
    ("answer", "state", "told"),
    [
        (b'HTTP/1.1 407 x\r\nproxy-authenticate: Basic realm="wiretape"\r\n\r\n', State.FAULT, "not take this token"),
        (b"HTTP/1.1 403 x\r\n\r\n", State.FAULT, "lets nobody of that session and mode in"),
        (b"HTTP/1.1 200 OK\r\nx-wiretape: 0.1.0\r\n\r\n" + CA + CA, State.FAULT, "CA is not to be trusted"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + CA, State.WARNING, "a mitmproxy without wiretape"),
        (b"HTTP/1.1 200 OK\r\n\r\n<html>", State.WARNING, "is no wiretape"),
        (b"", State.FAULT, "nothing answers as a proxy"),
    ],
)
def test_what_else_is_there_is_told(answer: bytes, state: State, told: str) -> None:
    [(found, said)] = bad(behind(answer, "sky:wt_secret@"))
    assert found is state
    assert told in said


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({}, []),
        ({"HTTPS_PROXY": "socks5://sky:secret@proxy"}, ["is not the URL of a wiretape"]),
        ({"ALL_PROXY": "http://secret @"}, ["ALL_PROXY is not the URL of a wiretape"]),
        ({"HTTP_PROXY": "http://sky:secret@proxy"}, ["HTTPS_PROXY is not: calls to providers go past it"]),
        ({"no_proxy": "a", "NO_PROXY": "b"}, ["NO_PROXY and no_proxy differ"]),
        ({"NO_PROXY": "localhost,.corp.example,10.0.0.0/8"}, []),
        ({"NO_PROXY": "*"}, []),
        ({"NO_PROXY": ".openai.com, api.anthropic.com:443"}, ["to api.anthropic.com, api.openai.com: calls there"]),
        ({"no_proxy": "com"}, ["and 1"]),
    ],
)
def test_variables_without_a_wiretape(environ: dict[str, str], told: list[str]) -> None:
    found = bad(look(environ, PROVIDERS))
    assert len(found) == len(told)
    for (_, said), words in zip(found, told, strict=True):
        assert words in said


def test_what_goes_past_a_wiretape_is_told() -> None:
    [(state, said)] = bad(behind(OURS, NO_PROXY="*"))
    assert state is State.FAULT
    assert "everything goes past the proxy" in said
    [(state, said)] = bad(behind(OURS, http_proxy="http://other:1", HTTP_PROXY="http://other:1"))
    assert state is State.WARNING
    assert "HTTP_PROXY does not lead there" in said


def test_nobody_there_is_a_fault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://sky:wt_secret@127.0.0.1:{free.getsockname()[1]}"
    [(state, said)] = bad(look({"https_proxy": url, "http_proxy": url}, PROVIDERS))
    assert state is State.FAULT
    assert "http://sky:***@" in said
