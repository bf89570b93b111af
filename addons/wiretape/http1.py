"""Bytes of an HTTP/1.1 connection -> its requests, one at a time; chunks -> bytes. Sans-IO, around httptools.

For what is usual. Whatever is not, in the least, is left to the proxy's own parser, with all its bytes: ``Unusual``.
Source of the framing: RFC 9112.
"""

import httptools

_LARGEST_HEAD = 65536
"""Bytes of a request's head; more is left to the proxy."""

_ONCE = frozenset(
    (
        b"host",
        b"content-length",
        b"content-type",
        b"authorization",
        b"connection",
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
    """Reads requests. After one has come, ``done`` makes ready for the next."""

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
        self._body: list[bytes] = []
        self._in_body = False
        self._keep_alive = True
        self._odd = ""
        self._whole = False

    @property
    def raw(self) -> bytes:
        """Every byte that was fed since the last request was done."""
        return b"".join(self._pieces)

    def feed(self, data: bytes) -> Request | None:
        """The request that ends with these bytes, if it does.

        Raises Unusual, after which nothing more can be fed.
        """
        self._pieces.append(data)
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as e:
            raise Unusual(str(e)) from e
        if self._odd:
            raise Unusual(self._odd)
        if not self._in_body and self._size > _LARGEST_HEAD:
            raise Unusual("the head is too long")
        if not self._whole:
            return None
        if self._begun > 1:
            raise Unusual("another request follows in the same bytes")
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        return Request(
            self._parser.get_method().decode("latin-1"),
            b"".join(self._target),
            self._headers,
            body,
            self._keep_alive,
        )

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
    return b"%x\r\n%s\r\n" % (len(data), data) if data else b""
