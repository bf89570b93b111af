"""Content codings: whole, in pieces, cut off, broken, hostile."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import brotli
import pytest
import zstandard

from wiretape.codecs import content_coding
from wiretape.codecs.content_coding import CodingError, decode

PLAIN = b"".join(b'data: {"choices":[{"index":0,"delta":{"content":"%d"}}]}\n\n' % number for number in range(200))


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


ENCODERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "none": ("", bytes),
    "identity": ("identity", bytes),
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "deflate with a zlib header": ("deflate", zlib.compress),
    "deflate without one": ("deflate", raw_deflate),
    "br": ("br", brotli.compress),
    "zstd": ("zstd", zstandard.compress),
    "upper case": ("GZIP", gzip.compress),
    "two, the last one applied last": ("gzip, br", lambda data: brotli.compress(gzip.compress(data))),
    "three": ("deflate,zstd , gzip", lambda data: gzip.compress(zstandard.compress(zlib.compress(data)))),
    "identity among others": ("identity, gzip", gzip.compress),
}
CODED = {key: value for key, value in ENCODERS.items() if value[1] is not bytes}

each = pytest.mark.parametrize(("name", "encode"), ENCODERS.values(), ids=ENCODERS)
each_coded = pytest.mark.parametrize(("name", "encode"), CODED.values(), ids=CODED)


def pieces_of(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@each
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_a_body_in_pieces_of_any_size(name: str, encode: Callable[[bytes], bytes], size: int) -> None:
    pieces = pieces_of(encode(PLAIN), size)
    decoded = decode(pieces, name)
    assert b"".join(decoded) == PLAIN
    assert len(decoded) == len(pieces)


@each
def test_an_empty_body(name: str, encode: Callable[[bytes], bytes]) -> None:
    assert b"".join(decode([encode(b"")], name)) == b""
    assert not decode([], name)
    assert decode([b"", b""], name) == (b"", b"")


@each
def test_empty_pieces_change_nothing(name: str, encode: Callable[[bytes], bytes]) -> None:
    body = encode(PLAIN)
    assert b"".join(decode([b"", body[:10], b"", body[10:], b""], name)) == PLAIN


@each_coded
def test_of_a_body_that_was_cut_off_what_arrived_is_given(name: str, encode: Callable[[bytes], bytes]) -> None:
    body = encode(PLAIN)
    for end in range(0, len(body), 9):
        assert PLAIN.startswith(b"".join(decode([body[:end]], name)))


def flushed_gzip(events: list[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    for event in events:
        yield compressor.compress(event) + compressor.flush(zlib.Z_SYNC_FLUSH)
    yield compressor.flush()


def flushed_brotli(events: list[bytes]) -> Iterator[bytes]:
    compressor = brotli.Compressor()
    for event in events:
        yield compressor.process(event) + compressor.flush()
    yield compressor.finish()


def flushed_zstd(events: list[bytes]) -> Iterator[bytes]:
    compressor = zstandard.ZstdCompressor().compressobj()
    for event in events:
        yield compressor.compress(event) + compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    yield compressor.flush()


@pytest.mark.parametrize(
    ("name", "flushed"),
    [("gzip", flushed_gzip), ("br", flushed_brotli), ("zstd", flushed_zstd)],
    ids=["gzip", "br", "zstd"],
)
def test_a_stream_flushed_after_each_event_keeps_its_events_apart(
    name: str, flushed: Callable[[list[bytes]], Iterator[bytes]]
) -> None:
    events = [b"data: one\n\n", b"data: two\n\n", b"data: three\n\n"]
    assert decode(flushed(events), name) == (*events, b"")


@pytest.mark.parametrize(
    ("name", "encode"), [("gzip", gzip.compress), ("zstd", zstandard.compress)], ids=["gzip", "zstd"]
)
@pytest.mark.parametrize("size", [5, 1 << 20])
def test_a_body_of_several_members_is_read_to_its_end(name: str, encode: Callable[[bytes], bytes], size: int) -> None:
    """RFC 1952, 2.2 (members) and RFC 8878, 3.1 (frames) allow several, one after the other."""
    body = encode(b"data: one\n\n") + encode(b"data: [DONE]\n\n")
    assert b"".join(decode(pieces_of(body, size), name)) == b"data: one\n\ndata: [DONE]\n\n"


@pytest.mark.parametrize("name", ["gzip", "zstd"])
@pytest.mark.parametrize("behind", [bytes(9), b"\r\n", b"\x1f\x8b", b"\x28\xb5 and more"])
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_what_stands_behind_a_body_is_none_of_it(name: str, behind: bytes, size: int) -> None:
    """Some servers pad what they send; clients read it all the same."""
    assert b"".join(decode(pieces_of(ENCODERS[name][1](PLAIN) + behind, size), name)) == PLAIN


def test_a_frame_that_is_skipped_stands_anywhere() -> None:
    skipped = b"\x5a\x2a\x4d\x18\x04\0\0\0abcd"
    body = skipped + zstandard.compress(b"one ") + skipped + zstandard.compress(b"two") + skipped
    for size in (1, 1 << 20):
        assert b"".join(decode(pieces_of(body, size), "zstd")) == b"one two"


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize(
    "garbage",
    [b'{"id": "plain JSON"}' * 9, b"\xff" * 99, b"\x1f\x8b\x08 and then not" * 20],
    ids=["JSON", "0xff", "begins well"],
)
def test_garbage_is_an_error(name: str, garbage: bytes) -> None:
    with pytest.raises(CodingError, match="the body is not "):
        decode([garbage], name)


@pytest.mark.parametrize("name", ["gzip", "br", "zstd"])
def test_damage_in_the_middle_is_an_error_or_shows(name: str) -> None:
    body = bytearray(ENCODERS[name][1](PLAIN))
    body[len(body) // 2] ^= 0xFF
    try:
        decoded = b"".join(decode([bytes(body)], name))
    except CodingError:
        return
    assert decoded != PLAIN


@pytest.mark.parametrize("name", ["compress", "gzip, snappy", "snappy, gzip", "aws-chunked"])
def test_an_unknown_coding_is_an_error_that_names_it(name: str) -> None:
    unknown = next(part for part in name.split(", ") if part != "gzip")
    for opaque in (b"\x1f\x9d\x90", b"\0text"):
        body = gzip.compress(opaque) if name.endswith("gzip") else opaque
        with pytest.raises(CodingError, match=f"unknown content coding '{unknown}'"):
            decode([body], name)


@pytest.mark.parametrize(
    "name",
    ["none", "identity", "UTF-8", "utf8", "binary", "null", "", " , ", "application/json", "charset=utf-8", "8bit"],
)
@pytest.mark.parametrize("outer", ["", ", gzip"])
def test_what_is_called_a_coding_and_is_none(name: str, outer: str) -> None:
    # As every client takes it: requests, httpx, fetch.
    text = '{"id": "é\u2028"}'.encode()
    body = gzip.compress(text) if outer else text
    assert b"".join(decode(pieces_of(body, 1), name + outer)) == text


@pytest.mark.parametrize("name", ["none", "binary", "identity"])
def test_where_no_coding_is_said_the_body_may_be_anything(name: str) -> None:
    assert b"".join(decode([b"ID3\0\xff"], name)) == b"ID3\0\xff"


def test_a_coding_error_is_a_value_error() -> None:
    assert issubclass(CodingError, ValueError)


@each_coded
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_a_body_above_the_limit_is_an_error(
    monkeypatch: pytest.MonkeyPatch, name: str, encode: Callable[[bytes], bytes], size: int
) -> None:
    monkeypatch.setattr(content_coding, "LIMIT", 5000)
    assert b"".join(decode(pieces_of(encode(bytes(4900)), size), name)) == bytes(4900)
    with pytest.raises(CodingError, match="larger than 5000 bytes when decoded"):
        decode(pieces_of(encode(bytes(5001)), size), name)


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_a_bomb_in_one_piece_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(content_coding, "LIMIT", 1 << 20)
    size = 64 << 20
    compress: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "br": lambda data: brotli.compress(data, quality=1),
        "zstd": zstandard.compress,
    }
    bomb = compress[name](bytes(size))
    tracemalloc.start()
    try:
        with pytest.raises(CodingError):
            decode([bomb], name)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size * 3 // 4


@pytest.mark.parametrize(
    ("named", "accepted", "expected"),
    [
        ("", "", True),
        ("identity", "", True),
        ("gzip", "", False),
        ("gzip", "gzip", True),
        ("gzip", "deflate, GZIP ;q=1.0", True),
        ("x-gzip", "gzip", True),
        ("gzip", "x-gzip", True),
        ("gzip", "*", True),
        ("gzip", "*;q=0", False),
        ("gzip", "*;q=0, gzip;q=0.001", True),
        ("gzip", "gzip; q = 0.000", False),
        ("gzip", "gzip;q=0, *", False),
        ("gzip", "gzipped", False),
        ("gzip, br", "gzip", False),
        ("gzip, br", "br, gzip", True),
        ("br", "gzip, deflate, br, zstd", True),
        ("zstd", "gzip, deflate, br", False),
        ("gzip", ",;,;;q=0,", False),
    ],
)
def test_what_a_client_can_read(named: str, accepted: str, expected: bool) -> None:
    assert content_coding.is_accepted(named, accepted) is expected
