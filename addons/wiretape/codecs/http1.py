"""The requests of an HTTP/1.1 connection, one at a time, and the chunks of an answer. Sans-IO, around httptools.

It reads what is usual. Anything that is unusual, in the least, is left to the proxy's own parser, with all its bytes:
``Unusual``. A request goes through these states:

    HEAD     its head has not come whole                 ``head`` is None
    BODY     its head has come, its body has not         ``head`` gives the request without its body
    WHOLE    all of it has come                          ``feed`` returns it; ``done`` begins the next

Source of the framing: RFC 9112.
"""

from collections.abc import Iterator
from enum import Enum, auto

import httptools

_LARGEST_HEAD = 65536
"""How many bytes the head of a request may have; a larger one is left to the proxy."""

_PIECE = 256 * 1024
"""How many bytes of a body are handed over at a time."""

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


class _State(Enum):
    HEAD = auto()
    BODY = auto()
    WHOLE = auto()


class Unusual(Exception):  # noqa: N818  not an error
    """The request is left to the proxy. Its bytes are in ``Reader.raw``."""


class Request:
    """A request that has come whole."""

    __slots__ = ("body", "headers", "keep_alive", "method", "target")

    def __init__(self, method: str, target: bytes, headers: dict[bytes, bytes], body: bytes, keep_alive: bool) -> None:
        self.method = method
        self.target = target
        """The target as it was sent: in origin form, or absolute."""
        self.headers = headers
        """The headers by their names in lower case."""
        self.body = body
        self.keep_alive = keep_alive
        """Whether another request may follow on this connection."""

    def header(self, name: bytes) -> str:
        """Return the value of a header, or an empty text."""
        return self.headers.get(name, b"").decode("latin-1")


class Reader:
    """Reads requests. After one has come, ``done`` makes it ready for the next.

    It holds a body once: its pieces as they were fed while it comes, and one of them, the whole body, afterwards.
    """

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._begun = 0
        self.done()

    def done(self) -> None:
        """Forget the request, which was answered."""
        self._begun = 0
        self._pieces: list[bytes] = []
        self._size = 0
        self._head = 0
        self._target: list[bytes] = []
        self._headers: dict[bytes, bytes] = {}
        self._head_pieces = 0
        """How many pieces contain the head. The last of them may also have the beginning of the body."""
        self._body: list[bytes] = []
        self._state = _State.HEAD
        self._keep_alive = True
        self._odd = ""

    @property
    def raw(self) -> bytes:
        """All bytes that were fed since the last request was done."""
        return b"".join(self._pieces)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was fed since the last request was done."""
        return not self._pieces

    def take(self) -> Iterator[bytes]:
        """Yield the bytes of ``raw``, in pieces of a size that costs little to copy, and keep none of them."""
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
        """Return the request that ends with these bytes, or None.

        Raises Unusual, after which nothing more can be fed.
        """
        self._pieces.append(data)
        self._size += len(data)
        before = self._state
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as e:
            raise Unusual(str(e)) from e
        if self._odd:
            raise Unusual(self._odd)
        if self._state is _State.HEAD and self._size > _LARGEST_HEAD:
            raise Unusual("the head is too long")
        if self._state is not _State.WHOLE:
            if before is _State.BODY and data:
                self._body[-1] = data  # All of it is body: it is kept instead of the copy that the parser made.
            elif self._state is _State.BODY:
                self._head_pieces = len(self._pieces)
            return None
        if self._begun > 1:
            raise Unusual("another request follows in the same bytes")
        body = b"".join(self._body)
        if self._head_pieces:
            self._keep_once(body, data)
        return self._request(body)

    def head(self) -> Request | None:
        """Return the request without its body, where its head has come and its body has not come whole."""
        if not self._head_pieces:
            return None
        return self._request(b"")

    @property
    def length(self) -> int:
        """The length of the body as the head tells it; 0 where the head has not come."""
        return int(self._headers.get(b"content-length", b"0"))

    def _keep_once(self, body: bytes, last: bytes) -> None:
        """Hold the body, which has come in pieces, as one piece."""
        behind = len(last) - len(self._body[-1])  # As a rule this is nothing; it may be an empty line.
        head = self._size - len(body) - behind
        self._pieces = [b"".join(self._pieces[: self._head_pieces])[:head], body, last[len(last) - behind :]]
        self._body = []

    def _request(self, body: bytes) -> Request:
        method = self._parser.get_method().decode("latin-1")
        return Request(method, b"".join(self._target), self._headers, body, self._keep_alive)

    # -- called by the parser --------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Called by httptools."""
        self._begun += 1

    def on_url(self, url: bytes) -> None:
        """Called by httptools, perhaps several times for one URL."""
        if self._begun == 1:
            self._target.append(url)
            self._head += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by httptools."""
        self._head += len(name) + len(value)
        name = name.lower()
        if name in _UNUSUAL or (name in _ONCE and name in self._headers):
            self._odd = "a header that is not for us"
        self._headers[name] = value.rstrip(b" \t")  # RFC 9112, 5: such blanks are no part of the value.

    def on_headers_complete(self) -> None:
        """Called by httptools."""
        self._state = _State.BODY
        self._keep_alive = self._parser.should_keep_alive()  # The parser can tell only now.
        length = self._headers.get(b"content-length", b"0")
        if self._head > _LARGEST_HEAD:
            self._odd = "the head is too long"
        elif self._parser.get_http_version() != "1.1":
            self._odd = "not HTTP/1.1"
        elif not length.isdigit() or (length != b"0" and length.startswith(b"0")):
            self._odd = "a Content-Length that is not plain"

    def on_body(self, piece: bytes) -> None:
        """Called by httptools."""
        if self._begun == 1:
            self._body.append(piece)

    def on_message_complete(self) -> None:
        """Called by httptools."""
        self._state = _State.WHOLE


def chunk(data: bytes) -> bytes:
    """Return a piece of a body in the chunked transfer coding; nothing for an empty one, which would end the body."""
    if not data:
        return b""
    return b"%x\r\n%s\r\n" % (len(data), data)
