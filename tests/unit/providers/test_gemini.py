"""Gemini's API: when a stream is whole, and its tokens."""

from typing import Any

import pytest

from wiretape.providers.gemini import DIALECT, Candidates
from wiretape.providers.stream_ends import End
from wiretape.providers.usage import Usage


def candidate(index: int, reason: str | None = None) -> dict[str, Any]:
    return {"index": index, "content": {"parts": [{"text": "x"}]}, **({"finishReason": reason} if reason else {})}


@pytest.mark.parametrize(
    ("chunks", "end"),
    [
        ([{"candidates": [candidate(0)]}], End.OPEN),
        ([{"candidates": [candidate(0)]}, {"candidates": [candidate(0, "STOP")]}], End.OVER),
        ([{"candidates": [candidate(0), candidate(1)]}, {"candidates": [candidate(0, "STOP")]}], End.OPEN),
        ([{"candidates": [candidate(0, "STOP"), candidate(1, "MAX_TOKENS")]}], End.OVER),
        ([{"promptFeedback": {"blockReason": "SAFETY"}}], End.OVER),
        ([{"promptFeedback": {}}], End.OPEN),
        ([{"candidates": [candidate(0, "STOP")]}, {"usageMetadata": {}}], End.OVER),
        ([{}], End.OPEN),
        ([{"response": {"candidates": [candidate(0)]}}], End.OPEN),
        ([{"response": {"candidates": [candidate(0, "STOP")]}, "traceId": "t"}], End.OVER),
        ([{"type": "response.created", "response": {"id": "r"}}], End.OPEN),
    ],
)
def test_how_far_a_stream_is(chunks: list[Any], end: End) -> None:
    seen = Candidates()
    told = End.OPEN
    for chunk in chunks:
        told = seen.see(chunk)
    assert told is end


def test_the_tokens_of_the_last_chunk_count() -> None:
    assert DIALECT.usage
    usage = {"promptTokenCount": 5, "candidatesTokenCount": 2, "cachedContentTokenCount": 3, "thoughtsTokenCount": 4}
    chunks = [{"usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 1}}, {"usageMetadata": usage}]
    assert DIALECT.usage.read(chunks) == Usage(input=5, cached=3, output=6, reasoning=4)
    in_envelopes = [{"response": chunk} for chunk in chunks]
    assert DIALECT.usage.read(in_envelopes) == Usage(input=5, cached=3, output=6, reasoning=4)


def test_the_events_that_end_an_interaction() -> None:
    assert DIALECT.last_events == ("interaction.complete", "interaction.completed")
