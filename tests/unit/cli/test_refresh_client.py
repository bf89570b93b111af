"""What a client of the standard library makes of an answer: its pieces, its times, whether its end was seen."""

import http.client
import io
import socket
import warnings
from typing import Any, cast

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mitmproxy's, of pyparsing's new names.
    from wiretape.cli import refresh_client


class Line:
    """A connection from which bytes can be read."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, *_: Any) -> io.BytesIO:
        return io.BytesIO(self._data)


def answer(data: bytes) -> http.client.HTTPResponse:
    response = http.client.HTTPResponse(cast(socket.socket, Line(data)))
    response.begin()
    return response


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n"
SIZED = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "pieces", "ended", "is_framed"),
    [
        (CHUNKED + b"0\r\n\r\n", [b"abc", b"de"], True, True),
        (CHUNKED, [b"abc", b"de"], False, True),
        (SIZED + b"abcde", [b"abcde"], True, True),
        (SIZED + b"abc", [b"abc"], False, True),
        (b"HTTP/1.1 200 OK\r\n\r\nabc", [b"abc"], True, False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", [], True, True),
    ],
)
def test_an_answer(data: bytes, pieces: list[bytes], ended: bool, is_framed: bool) -> None:
    live = refresh_client._read(answer(data), 0.0, 1000)
    assert ([*live.pieces], live.ended, live.is_framed) == (pieces, ended, is_framed)
    assert len(live.at) == len(pieces)


def test_an_answer_that_is_too_long_is_none() -> None:
    with pytest.raises(ValueError, match="longer than 4 bytes"):
        refresh_client._read(answer(SIZED + b"abcde"), 0.0, 4)
