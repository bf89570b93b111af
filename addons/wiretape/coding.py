"""Content codings: gzip, deflate, br and zstd, undone piece by piece. Between the wire's bytes and the events.

brotli and zstandard come with mitmproxy, which depends on both.
"""

import zlib
from collections.abc import Callable, Iterable

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
    decoders = [_decoder(name.strip().lower()) for name in reversed(coding.split(",")) if name.strip()]
    total, decoded = 0, []
    for piece in pieces:
        try:
            for step in decoders:
                piece = step(piece)  # noqa: PLW2901  each step works on what the last one gave
        except (zlib.error, brotli.error, zstandard.ZstdError) as e:
            raise CodingError(f"the body is not {coding}: {e}") from e
        total += len(piece)
        if total > LIMIT:
            raise CodingError(f"the body is larger than {LIMIT} bytes when decoded")
        decoded.append(piece)
    return tuple(decoded)


def _decoder(name: str) -> Callable[[bytes], bytes]:
    match name:
        case "identity":
            return bytes
        case "gzip" | "x-gzip":
            return _bounded(zlib.decompressobj(zlib.MAX_WBITS | 16))
        case "deflate":
            return _deflate()
        case "br":
            brotli_decoder = brotli.Decompressor()
            return lambda piece: bytes(brotli_decoder.process(piece))
        case "zstd":
            return zstandard.ZstdDecompressor().decompressobj().decompress
        case _:
            raise CodingError(f"unknown content coding {name!r}")


def _bounded(inflate: "zlib._Decompress") -> Callable[[bytes], bytes]:
    def step(piece: bytes) -> bytes:
        out = inflate.decompress(piece, LIMIT + 1)
        if inflate.unconsumed_tail:
            raise CodingError(f"the body is larger than {LIMIT} bytes when decoded")
        return out

    return step


def _deflate() -> Callable[[bytes], bytes]:
    # Servers send "deflate" with and without the zlib header: the first byte tells.
    inflate: Callable[[bytes], bytes] | None = None

    def step(piece: bytes) -> bytes:
        nonlocal inflate
        if not piece:
            return b""
        if inflate is None:
            inflate = _bounded(zlib.decompressobj(zlib.MAX_WBITS if piece[0] & 0x0F == 8 else -zlib.MAX_WBITS))
        return inflate(piece)

    return step
