"""JSON text is read as json.loads reads it, whatever is in it."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiretape.codecs.json_text import DEEPEST, DEEPEST_ON_WIRE, indented, loads

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES, st.sampled_from([None, 2]), st.booleans())
def test_any_value_as_json_reads_it(value: object, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert repr(loads(text)) == repr(json.loads(text.decode("utf-8", "surrogatepass")))


@pytest.mark.parametrize(
    "text", ["18446744073709551616", "-9223372036854775809", "1" * 400, "[1e400]", "-0", "1.0", "1e5"]
)
def test_numbers_of_every_size(text: str) -> None:
    assert repr(loads(text.encode())) == repr(json.loads(text))


def test_what_orjson_refuses() -> None:
    assert math.isnan(loads(b"NaN"))
    assert loads(b'"\\ud800"') == "\ud800"
    assert loads(b'{"a": 1, "a": 2}') == {"a": 2}


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[1,]", b"<<<<<<< HEAD"])
def test_what_is_no_json(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        loads(text)


@pytest.mark.parametrize("depth", [DEEPEST + 1, 1000, 5000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
@pytest.mark.parametrize("inside", [b"1", b'"\\ud800"', b"123456789012345678901234567890", b"NaN"])
def test_what_is_nested_too_deeply_is_none(depth: int, opening: bytes, closing: bytes, inside: bytes) -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        loads(opening * depth + inside + closing * depth)
    with pytest.raises(ValueError, match=r"."):
        loads(opening * depth)


@pytest.mark.parametrize("deepest", [DEEPEST, DEEPEST_ON_WIRE, 3])
@pytest.mark.parametrize("inside", [b"1", b'"\\ud800"', b"123456789012345678901234567890"])
def test_the_depth_is_exact(deepest: int, inside: bytes) -> None:
    assert loads(b"[" * deepest + inside + b"]" * deepest, deepest)
    assert loads(b"[1,[2]," + b"[" * (deepest - 1) + inside + b"]" * deepest, deepest)
    with pytest.raises(ValueError, match="nested too deeply"):
        loads(b"[" * (deepest + 1) + inside + b"]" * (deepest + 1), deepest)


DEEP = {
    "a": {"b": [{"c": [1, {"d": "x\ny\u2028\x00", "é": "\ud800"}]}, [], {}, [[[]]], "text", None], "e": {}},
    "f": [],
    "g": 1e16,
    "h": [1.5, True, float("inf")],
    "": {"": ""},
}


@pytest.mark.parametrize("value", [DEEP, [DEEP, [DEEP]], {}, [], "text", 1, None, {1: {None: [{2.5: {True: []}}]}}])
def test_parts_of_a_text_are_what_json_writes(value: object) -> None:
    assert "".join(indented(value)) == json.dumps(value, indent=2)


@given(VALUES)
def test_parts_of_any_text_are_what_json_writes(value: object) -> None:
    assert "".join(indented(value)) == json.dumps(value, indent=2)
