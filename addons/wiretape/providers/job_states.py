"""Whether an answer tells of something that has come to its end: a batch, a job, a response in the background.

Of such a thing nothing else will ever be told, so a recording of it answers whoever asks again. Under ``finding``;
values in, values out. A word that is not known here is taken for one of something that is still under way: then the
provider is asked, which is never wrong.
"""

from typing import Any

_MEMBERS = ("status", "state", "processing_status")
"""Members that say how far a thing is, at the top of its object."""

_ENDS = ("completed", "succeeded", "failed", "cancelled", "canceled", "expired", "ended", "incomplete")
"""What they say at the end, or end in: ``JOB_STATE_SUCCEEDED``, ``BATCH_STATE_FAILED``."""


def is_over(answer: Any) -> bool:
    """Return whether the JSON body of an answer is of a thing that has come to its end."""
    if not isinstance(answer, dict):
        return False
    if answer.get("done") is True:  # Google's operations.
        return True
    said = [value.lower() for member in _MEMBERS if isinstance(value := answer.get(member), str)]
    return bool(said) and all(_is_end(word) for word in said)


def _is_end(word: str) -> bool:
    return word in _ENDS or word.endswith(tuple(f"_state_{end}" for end in _ENDS))
