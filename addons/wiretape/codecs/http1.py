"""Bytes of an HTTP/1.1 connection -> its requests, one at a time; chunks -> bytes. Sans-IO, around httptools.

For what is usual. Whatever is not, in the least, is left to the proxy's own parser, with all its bytes: ``Unusual``.
Source of the framing: RFC 9112.
"""

from collections.abc import Iterator

import httptools

_LARGEST_HEAD = 65536
"""Bytes of a request's head; more is left to the proxy."""

_PIECE = 256 * 1024
"""Bytes in which a body is handed over."""

_ONCE = frozenset(
    (
        b"host",
        b"content-length",
        b"content-type",
        b"authorization",
        b"connection",
        b"origin",
        b"proxy-authorization",
        b"x-wiretape-session",
        b"x-wiretape-test-id",
    )
)
_UNUSUAL = frozenset((b"expect", b"transfer-encoding", b"upgrade", b"trailer", b"te", b"http2-settings"))

LAST_CHUNK = b"0\r\n\r\n"


class Unusual(Exception):  # noqa: N818  not an error
    """A request that is not for us: its bytes are in ``Reader.raw``."""


class Request:
    """A request that has come whole."""

    __slots__ = ("body", "headers", "keep_alive", "method", "target")

    def __init__(self, method: str, target: bytes, headers: dict[bytes, bytes], body: bytes, keep_alive: bool) -> None:
        self.method = method
        self.target = target
        """As it was sent: in origin form, or absolute."""
        self.headers = headers
        """By their names in lower case."""
        self.body = body
        self.keep_alive = keep_alive
        """Whether another request may follow on this connection."""

    def header(self, name: bytes) -> str:
        """A header's value, or empty."""
        return self.headers.get(name, b"").decode("latin-1")


class Reader:
    """Reads requests. After one has come, ``done`` makes ready for the next.

    A body is kept once: while it comes, its pieces are those that were fed, and when it is whole it is one of them.
    """

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._begun = 0
        self.done()

    def done(self) -> None:
        """The request was answered: its bytes are of no further use."""
        self._begun = 0
        self._pieces: list[bytes] = []
        self._size = 0
        self._head = 0
        self._target: list[bytes] = []
        self._headers: dict[bytes, bytes] = {}
        self._head_pieces = 0
        """How many pieces have the head, the last of them with the beginning of the body."""
        self._body: list[bytes] = []
        self._in_body = False
        self._keep_alive = True
        self._odd = ""
        self._whole = False

    @property
    def raw(self) -> bytes:
        """Every byte that was fed since the last request was done."""
        return b"".join(self._pieces)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was fed since the last request was done."""
        return not self._pieces

    def take(self) -> Iterator[bytes]:
        """Give what ``raw`` is in pieces of a size that costs little to copy, and keep none of it."""
        pieces = self._pieces
        self.done()
        for piece in pieces:
            if len(piece) <= _PIECE:
                yield piece
                continue
            with memoryview(piece) as view:
                for start in range(0, len(piece), _PIECE):
                    yield bytes(view[start : start + _PIECE])

    def feed(self, data: bytes) -> Request | None:
        """The request that ends with these bytes, if it does.

        Raises Unusual, after which nothing more can be fed.
        """
        self._pieces.append(data)
        self._size += len(data)
        was_in_body = self._in_body
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as e:
            raise Unusual(str(e)) from e
        if self._odd:
            raise Unusual(self._odd)
        if not self._in_body and self._size > _LARGEST_HEAD:
            raise Unusual("the head is too long")
        if not self._whole:
            if was_in_body and data:
                self._body[-1] = data  # All of it is body: the parser's copy is not kept beside it.
            elif self._in_body:
                self._head_pieces = len(self._pieces)
            return None
        if self._begun > 1:
            raise Unusual("another request follows in the same bytes")
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        if self._head_pieces:
            self._keep_once(body, data)
        return self._request(body)

    def head(self) -> Request | None:
        """The request without its body, where its head has come and its body has not all."""
        if not self._head_pieces:
            return None
        return self._request(b"")

    @property
    def length(self) -> int:
        """The length of the body, by the head, when that has come."""
        return int(self._headers.get(b"content-length", b"0"))

    def _keep_once(self, body: bytes, last: bytes) -> None:
        """Keep the body, which has come in pieces, in one."""
        behind = len(last) - len(self._body[-1])  # Nothing as a rule, or an empty line.
        head = self._size - len(body) - behind
        self._pieces = [b"".join(self._pieces[: self._head_pieces])[:head], body, last[len(last) - behind :]]
        self._body = []

    def _request(self, body: bytes) -> Request:
        method = self._parser.get_method().decode("latin-1")
        return Request(method, b"".join(self._target), self._headers, body, self._keep_alive)

    # -- called by the parser --------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Of httptools' protocol."""
        self._begun += 1

    def on_url(self, url: bytes) -> None:
        """Of httptools' protocol; may come in parts."""
        if self._begun == 1:
            self._target.append(url)
            self._head += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Of httptools' protocol."""
        self._head += len(name) + len(value)
        name = name.lower()
        if name in _UNUSUAL or (name in _ONCE and name in self._headers):
            self._odd = "a header that is not for us"
        self._headers[name] = value.rstrip(b" \t")  # RFC 9112, 5: such space is no part of it.

    def on_headers_complete(self) -> None:
        """Of httptools' protocol."""
        self._in_body = True
        self._keep_alive = self._parser.should_keep_alive()  # Only now can the parser tell.
        length = self._headers.get(b"content-length", b"0")
        if self._head > _LARGEST_HEAD:
            self._odd = "the head is too long"
        elif self._parser.get_http_version() != "1.1":
            self._odd = "not HTTP/1.1"
        elif not length.isdigit() or (length != b"0" and length.startswith(b"0")):
            self._odd = "a Content-Length that is not plain"

    def on_body(self, piece: bytes) -> None:
        """Of httptools' protocol."""
        if self._begun == 1:
            self._body.append(piece)

    def on_message_complete(self) -> None:
        """Of httptools' protocol."""
        self._whole = True


def chunk(data: bytes) -> bytes:
    """A piece of a body in the chunked transfer coding; nothing for an empty one, which would end it."""
    if not data:
        return b""
    return b"%x\r\n%s\r\n" % (len(data), data)
