"""A recording in a line."""

from dataclasses import replace
from typing import Any

import pytest

from samples import SAMPLES
from wiretape import recording
from wiretape.library.rows import Row, row_of, searchable
from wiretape.recording import RecordedRequest, RecordedResponse, Recording

CHAT = recording.loads(SAMPLES["fireworks chat"].read_bytes())


def test_a_row_tells_what_was_asked_and_answered() -> None:
    row = row_of("e99f", CHAT, None, 0.0)
    assert (row.name, row.when) == ("e99f", "1970-01-01T00:00:00Z")
    assert (row.endpoint, row.status) == ("/v1/chat/completions", 200)
    assert row.chunks
    assert row.question == "Hello, world!"
    assert row.as_json()["answer"] == row.answer


def test_where_neither_capture_nor_file_tells_when_nothing_does() -> None:
    assert row_of("e99f", CHAT, b"no capture", None).when == ""


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        ({"status": 429}, "error 429"),
        ({"tokens": 1}, "1 token"),
        ({"tokens": 1200}, "1,200 tokens"),
        ({"chunks": 3}, "3 chunks"),
        ({}, "one piece"),
    ],
)
def test_an_answer_is_told_in_a_word_or_two(values: dict[str, Any], answer: str) -> None:
    plain = Row("n", "", "", "", "", 200, None, 0, "", None, "2026")
    assert replace(plain, **values).answer == answer


def test_an_error_has_its_status() -> None:
    request = RecordedRequest("https://api.example/v1", {"model": "m", "messages": []}, "/v1/chat/completions")
    failed = Recording(request, RecordedResponse(None, is_streaming=False, error={"status_code": 404, "message": "no"}))
    assert row_of("n", failed, None, None).status == 404


def test_a_search_looks_at_question_and_answer() -> None:
    assert "hello, world" in searchable(CHAT)
    assert "nothing of the kind" not in searchable(CHAT)
