"""Embeddings as numbers and as base64: nothing is lost on the way, and what is something else stays."""

import base64
import math
import struct
from typing import Any

import pytest

from wiretape.codecs.embeddings import to_numbers, to_wire

FLOATS = [0.5, -1.25, 0.0]
PACKED = base64.b64encode(struct.pack("<3f", *FLOATS)).decode()
BYTES = base64.b64encode(struct.pack("<3b", 1, -2, 127)).decode()

TYPES = {
    "float32 where nothing is said": ({}, PACKED, FLOATS),
    "float": ({"output_dtype": "float"}, PACKED, FLOATS),
    "int8": ({"output_dtype": "int8"}, BYTES, [1, -2, 127]),
    "binary": ({"output_dtype": "binary"}, BYTES, [1, -2, 127]),
    "uint8": ({"output_dtype": "uint8"}, base64.b64encode(b"\x00\xff").decode(), [0, 255]),
    "ubinary": ({"output_dtype": "ubinary"}, base64.b64encode(b"\x00\xff").decode(), [0, 255]),
}


@pytest.mark.parametrize("case", TYPES)
def test_base64_becomes_numbers_and_base64_again(case: str) -> None:
    sent, text, numbers = TYPES[case]
    item = {"index": 0, "embedding": text}
    recorded = to_numbers(item, sent)
    assert recorded == {"index": 0, "embedding": numbers}
    assert to_wire(recorded, sent, base64_wanted=True) == item


STAYS: dict[str, tuple[Any, dict[str, Any]]] = {
    "a text that is no base64": ({"embedding": "%%%"}, {}),
    "base64 of half a number": ({"embedding": base64.b64encode(b"123").decode()}, {}),
    "a type that nobody knows": ({"embedding": PACKED}, {"output_dtype": "float16"}),
    "a type that is none": ({"embedding": PACKED}, {"output_dtype": ["float"]}),
    "numbers": ({"embedding": FLOATS}, {}),
    "no item": ("text", {}),
}


@pytest.mark.parametrize("case", STAYS)
def test_what_is_no_base64_of_numbers_stays(case: str) -> None:
    item, sent = STAYS[case]
    assert to_numbers(item, sent) == item


@pytest.mark.parametrize("numbers", [[0.1], [1e300], [2**200], ["1"], [None]])
def test_numbers_that_base64_would_change_go_as_they_are(numbers: list[Any]) -> None:
    item = {"embedding": numbers}
    assert to_wire(item, {}, base64_wanted=True) == item


def test_not_a_number_is_one_that_base64_has() -> None:
    wire = to_wire({"embedding": [math.nan, 1.0]}, {}, base64_wanted=True)
    assert isinstance(wire["embedding"], str)


def test_bytes_that_the_sdk_made_numbers_with_a_fraction_are_whole_again() -> None:
    item = {"embedding": [1.0, -2.0, 0.5]}
    assert repr(to_wire(item, {"output_dtype": "int8"}, base64_wanted=False)["embedding"]) == "[1, -2, 0.5]"
    assert to_wire(item, {}, base64_wanted=False) is item
