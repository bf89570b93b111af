"""Bytes that are made while they are written: the same ones each time, whatever their size."""

import hashlib
from collections.abc import Iterator

import pytest

from wiretape.codecs import parts
from wiretape.codecs.parts import Parts, digest

SIZES = {
    "nothing": [],
    "small ones": [b"a" * 10] * 30,
    "many": [b"ab" * 40] * 60,
    "a large one between": [b"a", b"b" * 2000, b"c"],
    "a large one first": [b"b" * 1000, b"c"],
}


@pytest.mark.parametrize("case", SIZES)
def test_the_bytes_are_the_same_each_time(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_BLOCK", 100)
    monkeypatch.setattr(parts, "_HELD", 1000)
    whole = b"".join(SIZES[case])
    made: list[int] = []

    def make() -> Iterator[bytes]:
        made.append(1)
        yield from SIZES[case]

    file = Parts(make)
    assert file.digest == f"sha256:{hashlib.sha256(whole).hexdigest()}" == digest(whole)
    assert bytes(file) == whole
    assert b"".join(file) == whole
    # What is small is made once and kept.
    assert len(made) == (1 if len(whole) < 1000 else 3)
    assert all(len(each) < 1000 + 2000 for each in file)


def test_no_block_is_larger_than_it_has_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_BLOCK", 100)
    monkeypatch.setattr(parts, "_HELD", 300)
    sizes = [len(each) for each in Parts(lambda: iter([b"a" * 60] * 20))]
    assert sum(sizes) == 1200
    assert max(sizes[1:]) <= 120
