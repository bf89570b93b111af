"""Content codings: gzip, deflate, br and zstd, undone piece by piece. Between the wire's bytes and the events.

brotli and zstandard come with mitmproxy, which depends on both.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import brotli
import zstandard

LIMIT = 512 * 1024 * 1024
"""Decoded bytes of one body: beyond it a few kB of hostile input could fill the memory."""


class CodingError(ValueError):
    """A body that is not what its content coding says, or larger than LIMIT when decoded."""


def decode(pieces: Iterable[bytes], coding: str) -> tuple[bytes, ...]:
    """The pieces of a body without their content coding, piece for piece; an empty one where a piece gave nothing.

    ``coding`` is the value of Content-Encoding. Raises CodingError for an unknown coding and for broken input;
    a cut-off body is not an error here: what could be decoded is given.
    """
    if coding.strip().lower() in ("", "identity"):
        return tuple(pieces)
    steps = [_decoder(name.strip().lower()) for name in reversed(coding.split(",")) if name.strip()]
    total, decoded = 0, []
    for piece in pieces:
        for step in steps:
            piece = b"".join(_bounded(step, piece, LIMIT - total))  # noqa: PLW2901  each works on what the last gave
        total += len(piece)
        decoded.append(piece)
    return tuple(decoded)


Step = Callable[[bytes], bytes]

_SLICE = 1024
"""Bytes decoded at a time: no coding makes more than some MB of so few, so that the limit is noticed in time."""


def _bounded(step: Step, piece: bytes, room: int) -> Iterator[bytes]:
    for start in range(0, len(piece), _SLICE):
        try:
            out = step(piece[start : start + _SLICE])
        except (zlib.error, brotli.error, zstandard.ZstdError) as e:
            raise CodingError(f"the body is not what its content coding says: {e}") from e
        room -= len(out)
        if room < 0:
            raise CodingError(f"the body is larger than {LIMIT} bytes when decoded")
        yield out


def _decoder(name: str) -> Step:
    match name:
        case "identity":
            return bytes
        case "gzip" | "x-gzip":
            return _members(lambda: zlib.decompressobj(zlib.MAX_WBITS | 16))
        case "deflate":
            return _deflate()
        case "br":
            brotli_decoder = brotli.Decompressor()
            return lambda piece: bytes(brotli_decoder.process(piece))
        case "zstd":
            return _members(lambda: zstandard.ZstdDecompressor().decompressobj())
        case _:
            raise CodingError(f"unknown content coding {name!r}")


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def _members(make: Callable[[], _Decompressor]) -> Step:
    """Both gzip and zstd may be several members, or frames, one after the other."""
    current = make()

    def step(piece: bytes) -> bytes:
        nonlocal current
        out = b""
        while piece:
            if current.eof:
                current = make()
            out += current.decompress(piece)
            piece = current.unused_data if current.eof else b""
        return out

    return step


def _deflate() -> Step:
    # Servers send "deflate" with and without the zlib header: the first byte tells.
    inflate: zlib._Decompress | None = None

    def step(piece: bytes) -> bytes:
        nonlocal inflate
        if inflate is None:
            inflate = zlib.decompressobj(zlib.MAX_WBITS if piece[0] & 0x0F == 8 else -zlib.MAX_WBITS)
        return inflate.decompress(piece)

    return step
