"""The words of an answer."""

import pytest

from samples import SAMPLES
from wiretape import recording
from wiretape.library import transcript

STARTS = {
    "fireworks completions": " a type of __",
    "fireworks chat": "Hello!",
    "fireworks chat, two choices interleaved": "[0] The capital of the United States is Washington, D.C.",
    "cerebras completions": " __",
}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_chunks_become_words(name: str) -> None:
    assert transcript.text(recording.loads(SAMPLES[name].read_bytes())).startswith(STARTS[name])
