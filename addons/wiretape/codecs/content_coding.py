"""Content codings: undoes gzip, deflate, br and zstd, piece by piece.

brotli and zstandard come with mitmproxy, which depends on both.
"""

import codecs
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import brotli
import zstandard

from wiretape.codecs.pieces import Pieces

LIMIT = 512 * 1024 * 1024
"""How many decoded bytes a body may have: otherwise a few kB of hostile input could fill the memory."""

_MOST = 4
"""How many content codings one body may have."""

_NOT = re.compile(r"q\s*=\s*0(?:\.0*)?")
"""The weight of a coding that a client does not accept."""


_KNOWN = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd"})
"""The codings that can be undone."""

_NO_CODINGS = frozenset({"", "identity", "none", "null", "binary", "utf-8", "utf8"})
"""What servers write where there is no coding. Some mean the transfer, or the characters."""


class CodingError(ValueError):
    """The body is not what its content coding says, or has more than LIMIT bytes when decoded."""


def decode(pieces: Iterable[bytes], coding: str, limit: int | None = None) -> Sequence[bytes]:
    """Return the pieces of a body without their content coding, as many; a piece is empty where nothing came of it.

    ``coding`` is the value of Content-Encoding. More than ``limit`` decoded bytes are an error; the default is LIMIT.
    An unknown coding is ignored where the body is text, as clients do. Raises CodingError where it is not, and for
    broken input. A body that was cut off is not an error here: as much as could be decoded is returned.
    """
    if not _names(coding):
        if isinstance(pieces, tuple | Pieces):
            return pieces
        return Pieces(pieces)
    decoder = ContentDecoder(coding, limit)
    return Pieces(b"".join(decoder.feed(piece)) for piece in pieces)


class TooLargeError(CodingError):
    """The body has more bytes than it may when decoded."""


class ContentDecoder:
    """Undoes the content coding of one body while it comes."""

    def __init__(self, coding: str, limit: int | None = None) -> None:
        """Takes what ``decode`` takes. Raises CodingError for an unknown coding."""
        names = _names(coding)
        if len(names) > _MOST:
            raise CodingError(f"more than {_MOST} content codings, one in another")
        self._steps = [_decoder(name) for name in reversed(names)]
        if limit is None:
            limit = LIMIT
        self._largest = limit
        self._room = self._largest

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield what becomes of a piece, in parts that are decoded as they are taken. Raises CodingError."""
        parts: Iterable[bytes] = (piece,)
        for step in self._steps:
            parts = _bounded(step, parts, self._room)
        try:
            for part in parts:
                self._room -= len(part)
                yield part
        except _NoRoomError as e:
            raise TooLargeError(f"the body is larger than {self._largest} bytes when decoded") from e


def _names(coding: str) -> list[str]:
    names = (name.strip().lower() for name in coding.split(","))
    return [name for name in names if name not in _NO_CODINGS]


def decoder_for(coding: str, accepted: str) -> ContentDecoder | None:
    """Return what a client with this Accept-Encoding needs to read a body with this Content-Encoding, or None.

    Raises CodingError where the coding is unknown.
    """
    if is_accepted(coding, accepted):
        return None
    unknown = [name for name in _names(coding) if name not in _KNOWN]
    if unknown:
        raise CodingError(f"unknown content coding {unknown[0]!r}")
    return ContentDecoder(coding)


def is_accepted(coding: str, accepted: str) -> bool:
    """Tell whether a client with this Accept-Encoding can read a body with this Content-Encoding.

    A client that sends none leaves the choice to the server (RFC 9110, 12.5.3). But most clients that send none can
    read no coding.
    """
    taken = {}
    for each in accepted.lower().split(","):
        name, _, weight = each.partition(";")
        taken[_plain_name(name)] = not _NOT.fullmatch(weight.strip())
    return all(taken.get(_plain_name(name), taken.get("*", False)) for name in _names(coding))


def _plain_name(name: str) -> str:
    return name.strip().removeprefix("x-")


def plain(body: bytes, coding: str, limit: int) -> bytes:
    """Return the body of a request without its content coding, or as it came where the coding is wrong.

    Some clients name a coding that they have not applied, or that does not exist (``utf-8``). Raises TooLargeError.
    """
    try:
        return b"".join(decode([body], coding, limit))
    except TooLargeError:
        raise
    except CodingError:
        return body


class _NoRoomError(Exception):
    """More has been decoded than is allowed."""


_GZIP = (b"\x1f\x8b\x08",)
_ZSTD = (b"\x28\xb5\x2f\xfd", *(bytes([0x50 + number]) + b"\x2a\x4d\x18" for number in range(16)))
"""How a frame begins: a frame of data, or one of those that are skipped."""

Step = Callable[[bytes], Iterable[bytes]]
"""Yields what becomes of some bytes, in parts that are decoded as they are taken."""

_SLICE = 1024
"""How many bytes are decoded at a time. Of so few, gzip, deflate and zstd make no more than some MB."""

_PART = 1 << 20
"""How many bytes of brotli are made at a time: it makes a gigabyte of some hundred bytes."""


def _bounded(step: Step, pieces: Iterable[bytes], room: int) -> Iterator[bytes]:
    left = room
    for piece in pieces:
        for start in range(0, len(piece), _SLICE):
            try:
                for out in step(piece[start : start + _SLICE]):
                    left -= len(out)
                    if left < 0:
                        raise _NoRoomError
                    yield out
            except (zlib.error, brotli.error, zstandard.ZstdError) as e:
                raise CodingError(f"the body is not what its content coding says: {e}") from e


def _decoder(name: str) -> Step:
    match name:
        case "gzip" | "x-gzip":
            return _members(lambda: zlib.decompressobj(zlib.MAX_WBITS | 16), _GZIP)
        case "deflate":
            return _deflate()
        case "br":
            return _brotli()
        case "zstd":
            return _members(lambda: zstandard.ZstdDecompressor().decompressobj(), _ZSTD)
        case _:
            return _text(name)


def _text(name: str) -> Step:
    decoder = codecs.getincrementaldecoder("utf-8")()

    def step(piece: bytes) -> Iterator[bytes]:
        try:
            text = decoder.decode(piece)
        except UnicodeDecodeError as e:
            raise CodingError(f"unknown content coding {name!r}") from e
        # No text contains these, but compressed bytes begin with them.
        if "\0" in text:
            raise CodingError(f"unknown content coding {name!r}")
        yield piece

    return step


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def _members(make: Callable[[], _Decompressor], beginnings: Sequence[bytes]) -> Step:
    """Return a step for gzip or zstd, which may have several members, or frames, one after the other.

    Bytes behind the last one that do not begin another one are left out, as clients do: some servers pad a body.
    """
    current = make()
    is_over = False
    rest = b""

    def step(piece: bytes) -> Iterator[bytes]:
        nonlocal current, is_over, rest
        if is_over:
            return
        piece = rest + piece
        rest = b""
        while piece:
            if current.eof:
                if not piece.startswith(tuple(beginnings)):
                    # It may be a part of the beginning of a member.
                    is_over = not any(beginning.startswith(piece) for beginning in beginnings)
                    rest = piece
                    return
                current = make()
            yield current.decompress(piece)
            piece = b""
            if current.eof:
                piece = current.unused_data

    return step


def _brotli() -> Step:
    decoder = brotli.Decompressor()

    def step(piece: bytes) -> Iterator[bytes]:
        yield decoder.process(piece, output_buffer_limit=_PART)
        while not decoder.can_accept_more_data():
            yield decoder.process(b"", output_buffer_limit=_PART)

    return step


def _deflate() -> Step:
    # Servers send "deflate" with and without the zlib header: the first byte tells.
    inflate: zlib._Decompress | None = None

    def step(piece: bytes) -> Iterator[bytes]:
        nonlocal inflate
        if inflate is None:
            window = -zlib.MAX_WBITS
            if piece[0] & 0x0F == 8:
                window = zlib.MAX_WBITS
            inflate = zlib.decompressobj(window)
        yield inflate.decompress(piece)

    return step
