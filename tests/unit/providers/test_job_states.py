"""Whether an answer tells of something that has come to its end: then nothing else will ever be told of it."""

from typing import Any

import pytest

from wiretape.providers.job_states import is_over


@pytest.mark.parametrize(
    "answer",
    [
        *(
            {"status": word}
            for word in ["completed", "succeeded", "failed", "cancelled", "canceled", "expired", "ended", "incomplete"]
        ),
        {"status": "Completed"},
        {"state": "JOB_STATE_SUCCEEDED"},
        {"state": "BATCH_STATE_FAILED"},
        {"processing_status": "ended"},
        {"done": True},
        {"done": True, "status": "running"},
    ],
)
def test_it_is_over(answer: Any) -> None:
    assert is_over(answer)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": "in_progress"},
        {"status": "a word of tomorrow"},
        {"status": "completed", "state": "running"},
        {"state": "NOT_SUCCEEDED"},
        {"done": False},
        {"done": 1},
        {"status": 200},
        {"result": {"status": "completed"}},
        {},
        ["completed"],
        "completed",
        None,
    ],
)
def test_it_goes_on_as_far_as_is_known(answer: Any) -> None:
    assert not is_over(answer)
