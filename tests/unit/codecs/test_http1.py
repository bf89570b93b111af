"""Requests of HTTP/1.1. Source of the framing: RFC 9112; what is not usual is for the proxy's own parser."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiretape.codecs.http1 import LAST_CHUNK, Reader, Request, Unusual, chunk


def post(body: bytes = b"{}", *headers: str, target: str = "/v1/x", version: str = "HTTP/1.1") -> bytes:
    lines = [f"POST {target} {version}", "Host: a.example", *headers]
    if not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def values(asked: Request | None) -> tuple[str, bytes, dict[bytes, bytes], bytes, bool] | None:
    return (asked.method, asked.target, asked.headers, asked.body, asked.keep_alive) if asked else None


HOST = {b"host": b"a.example"}
USUAL = {
    "a body": (post(b'{"a": 1}'), ("POST", b"/v1/x", {**HOST, b"content-length": b"8"}, b'{"a": 1}', True)),
    "an empty body": (post(b""), ("POST", b"/v1/x", {**HOST, b"content-length": b"0"}, b"", True)),
    "no length": (b"GET /v1/models HTTP/1.1\r\nHost: a.example\r\n\r\n", ("GET", b"/v1/models", HOST, b"", True)),
    "a query": (post(target="/a?b=c&d"), ("POST", b"/a?b=c&d", {**HOST, b"content-length": b"2"}, b"{}", True)),
    "absolute form": (
        b"GET http://a.example:80/b?c HTTP/1.1\r\nHost: a.example\r\n\r\n",
        ("GET", b"http://a.example:80/b?c", HOST, b"", True),
    ),
    "asked to close": (
        post(b"{}", "Connection: close"),
        ("POST", b"/v1/x", {**HOST, b"connection": b"close", b"content-length": b"2"}, b"{}", False),
    ),
    "asked to be kept alive": (
        post(b"{}", "Connection: Keep-Alive"),
        ("POST", b"/v1/x", {**HOST, b"connection": b"Keep-Alive", b"content-length": b"2"}, b"{}", True),
    ),
    "a name in capitals, spaces before the value": (
        post(b"{}", "X-WIRETAPE-TEST-ID: \t one"),
        ("POST", b"/v1/x", {**HOST, b"x-wiretape-test-id": b"one", b"content-length": b"2"}, b"{}", True),
    ),
    "a header twice is its last": (
        post(b"{}", "Accept: a", "Accept: b"),
        ("POST", b"/v1/x", {**HOST, b"accept": b"b", b"content-length": b"2"}, b"{}", True),
    ),
    "an empty value": (
        post(b"{}", "Authorization:"),
        ("POST", b"/v1/x", {**HOST, b"authorization": b"", b"content-length": b"2"}, b"{}", True),
    ),
    "bytes beyond ASCII": (
        post("ä€😀".encode(), "X-Latin: \xe9"),
        ("POST", b"/v1/x", {**HOST, b"x-latin": b"\xe9", b"content-length": b"9"}, "ä€😀".encode(), True),
    ),
    "a body that looks like a request": (
        post(post()),
        ("POST", b"/v1/x", {**HOST, b"content-length": str(len(post())).encode()}, post(), True),
    ),
    "a large body": (
        post(b"x" * 300_000),
        ("POST", b"/v1/x", {**HOST, b"content-length": b"300000"}, b"x" * 300_000, True),
    ),
    "a head of 60 kB": (
        post(b"{}", "X-Long: " + "x" * 60_000),
        ("POST", b"/v1/x", {**HOST, b"x-long": b"x" * 60_000, b"content-length": b"2"}, b"{}", True),
    ),
}

CHUNKED = chunk(b"{}") + LAST_CHUNK
UNUSUAL = {
    "chunked": post(CHUNKED, "Transfer-Encoding: chunked"),
    "chunked, and a length": post(CHUNKED, "Transfer-Encoding: chunked", "Content-Length: 2"),
    "another coding": post(b"{}", "Transfer-Encoding: gzip", "Content-Length: 2"),
    "Expect": post(b"{}", "Expect: 100-continue"),
    "Upgrade": post(b"{}", "Connection: upgrade", "Upgrade: h2c"),
    "Upgrade without its Connection": post(b"{}", "Upgrade: h2c"),
    "HTTP2-Settings": post(b"{}", "HTTP2-Settings: AAMAAABk"),
    "TE": post(b"{}", "TE: trailers"),
    "Trailer": post(b"{}", "Trailer: X"),
    "two hosts": post(b"{}", "Host: b.example"),
    "two keys": post(b"{}", "Authorization: a", "Authorization: b"),
    "two media types": post(b"{}", "Content-Type: a/b", "content-type: a/c"),
    "two Connections": post(b"{}", "Connection: close", "Connection: keep-alive"),
    "two tests": post(b"{}", "X-Wiretape-Test-Id: a", "X-Wiretape-Test-Id: b"),
    "two lengths, equal": post(b"{}", "Content-Length: 2", "Content-Length: 2"),
    "two lengths": post(b"{}", "Content-Length: 2", "Content-Length: 3"),
    "a length with a sign": post(b"{}", "Content-Length: +2"),
    "a length with a zero before": post(b"{}", "Content-Length: 02"),
    "a length of two zeros": post(b"", "Content-Length: 00"),
    "a length that is no number": post(b"{}", "Content-Length: two"),
    "an empty length": post(b"", "Content-Length:"),
    "a list of lengths": post(b"{}", "Content-Length: 2, 2"),
    "HTTP/1.0": post(version="HTTP/1.0"),
    "HTTP/1.0, kept alive": post(b"{}", "Connection: keep-alive", version="HTTP/1.0"),
    "HTTP/1.2": post(version="HTTP/1.2"),
    "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "CONNECT": b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "a method in small letters": post().replace(b"POST", b"post"),
    "a folded header": post(b"{}", "X-Folded: a\r\n b"),
    "a space before the colon": post(b"{}", "X-Space : a"),
    "a header without a colon": post(b"{}", "nothing"),
    "a name that is none": post(b"{}", "X-\xe9: a"),
    "a NUL": post(b"{}", "X-Nul: \x00"),
    "lines that end in LF": post().replace(b"\r\n", b"\n"),
    "no HTTP": b"EHLO a.example\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}

usual = pytest.mark.parametrize(("data", "expected"), USUAL.values(), ids=USUAL)
unusual = pytest.mark.parametrize("data", UNUSUAL.values(), ids=UNUSUAL)


def by_byte(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def read(reader: Reader, pieces: list[bytes]) -> Request | None:
    """The request that the last piece ends; none may end before."""
    *before, last = pieces
    for piece in before:
        assert reader.feed(piece) is None
    return reader.feed(last)


def left_to_another(pieces: list[bytes]) -> bytes:
    """What the reader has for who reads instead, when it gives up."""
    reader = Reader()
    fed = b""
    for piece in pieces:
        fed += piece
        try:
            assert reader.feed(piece) is None
        except Unusual:
            assert reader.raw == fed
            return fed
    raise AssertionError("nothing unusual was seen")


# -- usual ones --------------------------------------------------------------------------------------------------------


@usual
def test_a_request_in_one_piece(data: bytes, expected: object) -> None:
    reader = Reader()
    assert values(reader.feed(data)) == expected
    assert reader.raw == data


@usual
def test_a_request_byte_by_byte(data: bytes, expected: object) -> None:
    reader = Reader()
    assert values(read(reader, by_byte(data))) == expected
    assert reader.raw == data


@usual
def test_what_follows_in_the_same_bytes_is_left_to_another(data: bytes, expected: object) -> None:
    assert left_to_another([data + post()]) == data + post()
    assert left_to_another([data + b"P"]) == data + b"P"


@usual
def test_half_a_request_is_none_and_is_kept(data: bytes, expected: object) -> None:
    reader = Reader()
    assert reader.feed(data[:-1]) is None
    assert reader.raw == data[:-1]


@given(st.data())
def test_any_split_is_the_same_request(drawn: st.DataObject) -> None:
    data, expected = drawn.draw(st.sampled_from([each for each in USUAL.values() if len(each[0]) < 1000]))
    cuts = sorted(drawn.draw(st.sets(st.integers(1, len(data) - 1))))
    pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    reader = Reader()
    assert values(read(reader, pieces)) == expected
    assert reader.raw == data


def test_requests_one_after_the_other() -> None:
    reader = Reader()
    kept = [each for each in USUAL.values() if each[1][-1]]
    for at_once in (True, False, True):
        for data, expected in kept:
            assert values(read(reader, [data] if at_once else by_byte(data))) == expected
            assert reader.raw == data
            reader.done()
            assert reader.raw == b""


def test_what_is_done_leaves_no_trace_in_the_next() -> None:
    reader = Reader()
    reader.feed(post(b"{}", "X-Wiretape-Test-Id: one", "Authorization: key"))
    reader.done()
    assert values(reader.feed(post(b""))) == USUAL["an empty body"][1]


def test_a_request_that_came_is_no_longer_changed_by_what_comes() -> None:
    reader = Reader()
    first = reader.feed(USUAL["a body"][0])
    reader.done()
    reader.feed(post(b"{}", "X-More: 1"))
    assert values(first) == USUAL["a body"][1]


def test_an_empty_line_between_two_requests_is_passed_over() -> None:
    reader = Reader()
    assert reader.feed(post() + b"\r\n")
    reader.done()
    assert values(reader.feed(b"\r\n" + USUAL["a body"][0])) == USUAL["a body"][1]


def test_a_header_by_its_name() -> None:
    asked = Reader().feed(post(b"{}", "X-Latin: \xe9"))
    assert asked
    assert [asked.header(name) for name in (b"host", b"x-latin", b"x-other")] == ["a.example", "é", ""]


def test_spaces_after_a_value_are_not_of_it() -> None:
    asked = Reader().feed(post(b"{}", "X-Wiretape-Test-Id: one \t", "Content-Type: application/json "))
    assert asked
    assert [asked.header(name) for name in (b"x-wiretape-test-id", b"content-type")] == ["one", "application/json"]


# -- unusual ones ------------------------------------------------------------------------------------------------------


@unusual
def test_what_is_unusual_is_left_to_another_with_its_bytes(data: bytes) -> None:
    assert left_to_another([data]) == data
    assert data.startswith(left_to_another(by_byte(data)))


@unusual
def test_what_is_unusual_after_a_request_is_left_without_that(data: bytes) -> None:
    reader = Reader()
    assert reader.feed(post())
    reader.done()
    with pytest.raises(Unusual):
        reader.feed(data)
    assert reader.raw == data


@unusual
def test_what_is_unusual_in_the_bytes_of_a_request_is_left_with_both(data: bytes) -> None:
    assert left_to_another([post() + data]) == post() + data


def test_a_request_that_comes_before_the_other_is_done_is_left_with_both() -> None:
    reader = Reader()
    assert reader.feed(post())
    with pytest.raises(Unusual):
        reader.feed(post(b"[]"))
    assert reader.raw == post() + post(b"[]")


def test_more_after_the_last_request_of_a_connection_is_left_to_another() -> None:
    reader = Reader()
    assert reader.feed(post(b"{}", "Connection: close"))
    reader.done()
    with pytest.raises(Unusual):
        reader.feed(post())
    assert reader.raw == post()


def test_a_head_of_more_than_64_kb_is_left_to_another_in_however_many_pieces() -> None:
    data = post(b"{}", "X-Long: " + "x" * 70_000)
    assert len(left_to_another([data[:60_000], data[60_000:65_600], data[65_600:]])) == 65_600
    assert left_to_another([data[:60_000], data[60_000:]]) == data
    assert left_to_another([data]) == data


def test_a_head_without_an_end_is_given_up_at_64_kb() -> None:
    reader = Reader()
    reader.feed(b"GET / HTTP/1.1\r\n")
    line = b"X-A: " + b"x" * 993 + b"\r\n"
    for _ in range(65):
        assert reader.feed(line) is None
    with pytest.raises(Unusual, match="too long"):
        reader.feed(line)
    assert 65_536 < len(reader.raw) < 66_600


# -- writing -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "framed"),
    [(b"a", b"1\r\na\r\n"), (b"x" * 26, b"1a\r\n" + b"x" * 26 + b"\r\n"), (b"\r\n", b"2\r\n\r\n\r\n"), (b"", b"")],
)
def test_a_chunk(data: bytes, framed: bytes) -> None:
    assert chunk(data) == framed


def test_the_last_chunk() -> None:
    assert LAST_CHUNK == b"0\r\n\r\n"


# -- a body is kept once -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [0, 1, 5000])
def test_of_a_body_in_pieces_each_byte_is_kept_once(cut: int) -> None:
    body = random.Random(cut).randbytes(1_000_000)
    data = post(body)
    start = len(data) - len(body) + cut
    pieces = [data[:start], *(data[at : at + 50_000] for at in range(start, len(data), 50_000))]
    reader = Reader()
    for piece in pieces[:-1]:
        assert reader.feed(piece) is None
        kept = {id(each): len(each) for each in (*reader._pieces, *reader._body)}
        assert sum(kept.values()) <= len(reader.raw) + cut
        assert reader.raw == b"".join(pieces[: pieces.index(piece) + 1])
    asked = reader.feed(pieces[-1])
    assert asked is not None
    assert asked.body == body
    assert any(each is asked.body for each in reader._pieces)
    assert reader.raw == data
    handed_over = [*reader.take()]
    assert b"".join(handed_over) == data
    assert max(map(len, handed_over)) < 300_000
    assert reader.is_empty


def test_what_comes_behind_a_body_is_among_what_is_handed_over() -> None:
    data = post(b"x" * 1000)
    reader = Reader()
    assert reader.feed(data[:-500]) is None
    assert reader.feed(data[-500:] + b"\r\n") is not None
    assert b"".join(reader.take()) == data + b"\r\n"


def test_a_head_is_told_before_its_body_has_come() -> None:
    data = post(b"x" * 1000)
    reader = Reader()
    assert reader.head() is None
    end = data.index(b"\r\n\r\n") + 4
    assert reader.feed(data[: end - 1]) is None
    assert reader.head() is None
    assert reader.feed(data[end - 1 : end]) is None
    told = reader.head()
    assert told is not None
    assert (told.method, told.body, reader.length) == ("POST", b"", 1000)
