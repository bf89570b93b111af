"""Lines of JSON, however the pieces fall."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiretape.codecs import ndjson

CASES = {
    b"": [],
    b'{"a":1}\n{"b":2}\n': [b'{"a":1}', b'{"b":2}'],
    b'{"a":1}\n\n \n{"b":2}': [b'{"a":1}', b'{"b":2}'],
    b'{"a":1}\r\n': [b'{"a":1}\r'],
    '{"a":"\u2028é"}\n'.encode(): ['{"a":"\u2028é"}'.encode()],
}


@pytest.mark.parametrize("text", CASES)
@pytest.mark.parametrize("size", [1, 2, 1000])
def test_lines(text: bytes, size: int) -> None:
    decoder = ndjson.NdjsonDecoder()
    lines = [line for start in range(0, len(text), size) for line in decoder.feed(text[start : start + size])]
    assert lines + decoder.flush() == CASES[text]


@given(st.lists(st.binary(min_size=1).filter(lambda line: line.strip() and b"\n" not in line)), st.integers(1, 50))
def test_what_is_encoded_is_decoded(lines: list[bytes], size: int) -> None:
    text = b"".join(map(ndjson.encode, lines))
    decoder = ndjson.NdjsonDecoder()
    assert [line for i in range(0, len(text), size) for line in decoder.feed(text[i : i + size])] == lines
    assert decoder.flush() == []
