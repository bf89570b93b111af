"""When an answer came, piece by piece."""

import json
from collections.abc import Sequence

import pytest

from wiretape.library.timeline import Moment, Timeline, timeline
from wiretape.recording.capture import Capture

EVENTS = (("content-type", "text/event-stream"),)
LINES = (("content-type", "application/x-ndjson"),)


def captured(chunks: Sequence[bytes] | None, headers: tuple[tuple[str, str], ...] = EVENTS) -> Capture:
    return Capture("sha256:0", 200, headers, chunks, [100.0 * number for number, _ in enumerate(chunks or (), 1)])


def event(**data: object) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()


def said(content: str) -> bytes:
    return event(choices=[{"delta": {"content": content}}])


def test_each_chunk_has_the_words_that_it_completed() -> None:
    whole = said("Hel") + said("lo")
    made = timeline(captured([said("Oh. "), whole[:30], whole[30:], b"data: [DONE]\n\n"]))
    assert made
    assert [moment.words for moment in made.moments] == ["Oh. ", "", "Hello", ""]
    assert [moment.at_ms for moment in made.moments] == [100, 200, 300, 400]
    assert sum(moment.size for moment in made.moments) == len(said("Oh. ") + whole) + 14


def test_of_several_choices_which_come_mixed_the_first_one_is_told() -> None:
    mixed = [event(choices=[{"index": each % 2, "delta": {"content": f"{each}"}}]) for each in range(6)]
    made = timeline(captured(mixed))
    assert made
    assert "".join(moment.words for moment in made.moments) == "024"


PIECES = {
    "OpenAI's Responses": [
        event(type="response.created", response={"output": []}),
        event(type="response.reasoning_summary_text.delta", delta="hm"),
        event(type="response.output_text.delta", delta="Hi"),
        event(
            type="response.completed",
            response={"output": [{"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}]},
        ),
    ],
    "Anthropic": [
        event(type="message_start", message={"content": []}),
        event(type="content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "hm"}),
        event(type="content_block_delta", index=1, delta={"type": "text_delta", "text": "Hi"}),
        event(type="message_stop"),
    ],
    "Gemini": [
        event(usageMetadata={}),
        event(candidates=[{"content": {"parts": [{"text": "hm", "thought": True}]}}]),
        event(candidates=[{"content": {"parts": [{"text": "Hi"}]}}]),
        event(candidates=[{"finishReason": "STOP"}]),
    ],
}


@pytest.mark.parametrize("name", PIECES)
def test_what_was_thought_is_told_apart_and_nothing_is_said_twice(name: str) -> None:
    made = timeline(captured(PIECES[name]))
    assert made
    assert [(moment.words, moment.is_thought) for moment in made.moments if moment.words] == [
        ("hm", True),
        ("Hi", False),
    ]


def test_lines_of_json_are_read_too() -> None:
    lines = [b'{"message": {"content": "Hi"}}\n{"mess', b'age": {"content": " you"}, "done": true}\n']
    made = timeline(captured(lines, LINES))
    assert made
    assert [moment.words for moment in made.moments] == ["Hi", " you"]


@pytest.mark.parametrize(
    "chunk", [b"\xff\xfe", b"data: {oh\n\n", b"data: [1]\n\n", b"data: " + b"[" * 100_000 + b"\n\n"]
)
def test_bytes_that_anybody_has_written_have_no_words(chunk: bytes) -> None:
    made = timeline(captured([chunk]))
    assert made
    assert [moment.words for moment in made.moments] == [""]


def test_without_chunks_there_is_none() -> None:
    assert timeline(captured(None)) is None


def test_first_word_and_gaps() -> None:
    made = Timeline(
        [Moment(50, 9, ""), Moment(100, 9, "a"), Moment(130, 9, "b"), Moment(135, 9, ""), Moment(150, 9, "c")]
    )
    assert (made.first_word_ms, made.total_ms) == (100, 150)
    assert (made.gaps_ms, made.median_gap_ms) == ([30, 20], 25)
    assert (Timeline([]).first_word_ms, Timeline([]).total_ms, Timeline([]).median_gap_ms) == (None, 0, None)
