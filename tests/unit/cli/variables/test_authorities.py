"""Whose CA it is: the proxy's that is asked, or that of this machine."""

import socket
from pathlib import Path

import pytest

from authorities import Certificate
from bare_server import Answering
from wiretape.cli import proxy_url
from wiretape.cli.variables.authorities import NoAuthorityError, of_machine, of_proxy

PEM = Certificate().pem
HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "user", "told"),
    [
        (HEAD + b"<html>", "", "gives no CA (status 200): it is no mitmproxy"),
        (HEAD + PEM + PEM, "", "is not trusted: it holds 2 certificates"),
        (HEAD + Certificate(is_authority=False).pem, "", "is not trusted: it is the certificate of no authority"),
        (b"HTTP/1.1 407 x\r\n\r\n", "", "wants a session, or a token: --proxy http://SESSION:TOKEN@HOST:PORT"),
        (b"HTTP/1.1 407 x\r\n\r\n", "sky:wt_secret@", "does not take this token"),
        (b"HTTP/1.1 403 x\r\n\r\n", "sky+record:wt_secret@", "does not let sky+record in"),
        (b"", "sky:wt_secret@", "nothing answers as a proxy"),
    ],
)
def test_what_gives_none_that_can_be_trusted_is_told(answer: bytes, user: str, told: str, tmp_path: Path) -> None:
    with Answering(answer) as server, pytest.raises(NoAuthorityError) as error:
        of_proxy(proxy_url.parse(f"{user}127.0.0.1:{server.port}"), tmp_path)
    assert told in str(error.value)
    assert "secret" not in str(error.value)


def test_a_proxy_of_this_machine_that_is_not_up_has_the_ca_of_its_folder(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = proxy_url.parse(f"127.0.0.1:{free.getsockname()[1]}")
    with pytest.raises(NoAuthorityError, match="start it first"):
        of_proxy(url, tmp_path)
    (tmp_path / "mitmproxy-ca-cert.pem").write_bytes(PEM)
    assert of_proxy(url, tmp_path).authority.pem == PEM


def test_a_machine_without_one_says_who_makes_it(tmp_path: Path) -> None:
    with pytest.raises(NoAuthorityError, match="the first proxy that is started makes it"):
        of_machine(tmp_path)
    (tmp_path / "mitmproxy-ca-cert.pem").write_bytes(b"no")
    with pytest.raises(NoAuthorityError, match="it holds 0 certificates"):
        of_machine(tmp_path)
