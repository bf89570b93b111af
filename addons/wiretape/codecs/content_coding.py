"""Content codings: gzip, deflate, br and zstd, undone piece by piece. Between the wire's bytes and the events.

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
"""Decoded bytes of one body: beyond it a few kB of hostile input could fill the memory."""

_MOST = 4
"""Content codings of one body."""

_NOT = re.compile(r"q\s*=\s*0(?:\.0*)?")
"""The weight of a coding that a client does not take."""


_KNOWN = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd"})
"""The codings that can be undone."""

_NO_CODINGS = frozenset({"", "identity", "none", "null", "binary", "utf-8", "utf8"})
"""What is said where there is no coding: by those who mean the transfer or the characters, too."""


class CodingError(ValueError):
    """A body that is not what its content coding says, or larger than LIMIT when decoded."""


def decode(pieces: Iterable[bytes], coding: str, limit: int | None = None) -> Sequence[bytes]:
    """The pieces of a body without their content coding, piece for piece; an empty one where a piece gave nothing.

    ``coding`` is the value of Content-Encoding, ``limit`` the decoded bytes that are too many, by default LIMIT. One
    that nobody knows is none where the body is text: clients take it so. Raises CodingError where it is not, and for
    broken input; a cut-off body is not an error here: what could be decoded is given.
    """
    if not _names(coding):
        if isinstance(pieces, tuple | Pieces):
            return pieces
        return Pieces(pieces)
    decoder = ContentDecoder(coding, limit)
    return Pieces(b"".join(decoder.feed(piece)) for piece in pieces)


class TooLargeError(CodingError):
    """A body that is larger than it may be when decoded."""


class ContentDecoder:
    """Undoes the content coding of one body while it comes."""

    def __init__(self, coding: str, limit: int | None = None) -> None:
        """As ``decode``. Raises CodingError for an unknown coding."""
        names = _names(coding)
        if len(names) > _MOST:
            raise CodingError(f"more than {_MOST} content codings, one in another")
        self._steps = [_decoder(name) for name in reversed(names)]
        self._largest = LIMIT if limit is None else limit
        self._room = self._largest

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """What a piece becomes, in parts that are made as they are taken. Raises CodingError."""
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
    """What a client that sends this Accept-Encoding needs to read a body of this Content-Encoding; None where it can.

    Raises CodingError where nobody knows how it is undone.
    """
    if is_accepted(coding, accepted):
        return None
    unknown = [name for name in _names(coding) if name not in _KNOWN]
    if unknown:
        raise CodingError(f"unknown content coding {unknown[0]!r}")
    return ContentDecoder(coding)


def is_accepted(coding: str, accepted: str) -> bool:
    """Whether a client that sends this Accept-Encoding can read a body of this Content-Encoding.

    One that sends none leaves the choice to the server (RFC 9110, 12.5.3), but most that do could read none.
    """
    taken = {}
    for each in accepted.lower().split(","):
        name, _, weight = each.partition(";")
        taken[_plain_name(name)] = not _NOT.fullmatch(weight.strip())
    return all(taken.get(_plain_name(name), taken.get("*", False)) for name in _names(coding))


def _plain_name(name: str) -> str:
    return name.strip().removeprefix("x-")


def plain(body: bytes, coding: str, limit: int) -> bytes:
    """A request's body without its content coding; as it came where it is not what that says.

    Some clients name one that they have not applied, or what is none (``utf-8``). Raises TooLargeError.
    """
    try:
        return b"".join(decode([body], coding, limit))
    except TooLargeError:
        raise
    except CodingError:
        return body


class _NoRoomError(Exception):
    """More is decoded than there may be."""


_GZIP = (b"\x1f\x8b\x08",)
_ZSTD = (b"\x28\xb5\x2f\xfd", *(bytes([0x50 + number]) + b"\x2a\x4d\x18" for number in range(16)))
"""How a member begins, and a frame: one of data, or of those that are skipped."""

Step = Callable[[bytes], Iterable[bytes]]
"""Gives what some bytes become, in parts that are made as they are taken."""

_SLICE = 1024
"""Bytes decoded at a time: gzip, deflate and zstd make no more than some MB of so few."""

_PART = 1 << 20
"""Bytes that are made at a time of brotli, which makes a gigabyte of some hundred."""


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
        # Nobody writes these into a text: compressed bytes begin with them.
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
    """Both gzip and zstd may be several members, or frames, one after the other.

    What follows the last one and begins as none is left out, as clients do: some servers pad a body.
    """
    current = make()
    is_over = False
    rest = b""

    def step(piece: bytes) -> Iterator[bytes]:
        nonlocal current, is_over, rest
        if is_over:
            return
        piece, rest = rest + piece, b""
        while piece:
            if current.eof:
                if not piece.startswith(tuple(beginnings)):
                    # It may be a part of a beginning.
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
            inflate = zlib.decompressobj(zlib.MAX_WBITS if piece[0] & 0x0F == 8 else -zlib.MAX_WBITS)
        yield inflate.decompress(piece)

    return step
