"""Tens of thousands of inputs by chance, and none ends in an error that is not ours; ``fuzzing`` tries more of them."""

import pytest

import fuzzing

INPUTS = 15_000


@pytest.mark.timeout(900)
def test_no_input_ends_in_another_error_nor_takes_long() -> None:
    found = fuzzing.run(INPUTS, seed=20260131)
    assert sum(each.inputs for each in found.values()) == INPUTS


def test_each_reader_takes_its_samples_as_they_are() -> None:
    for read, samples in fuzzing.READERS.values():
        for sample in fuzzing.SAMPLES[samples]:
            read(sample)


def test_an_error_that_is_not_ours_is_told_with_its_input(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(data: bytes) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr(fuzzing, "READERS", {"one": (fail, "words")})
    with pytest.raises(AssertionError, match=r"one: KeyError: 'surprise': b'"):
        fuzzing.run(1, seed=1)
