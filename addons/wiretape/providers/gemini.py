"""Gemini's API, which is passed on as it is sent: when a stream is whole, and what it says of its tokens."""

import re
from collections.abc import Mapping
from typing import Any

from wiretape.providers.dialects import Dialect
from wiretape.providers.stream_ends import End, FinishReasons
from wiretape.providers.usage import UsageReader
from wiretape.providers.usage_forms import GEMINI
from wiretape.recording import RecordedRequest


class Candidates:
    """Tells when a stream is whole: a finish reason for each candidate, or the reason why there is none.

    It has no other sign.
    """

    def __init__(self) -> None:
        self._reasons = FinishReasons("finishReason")
        self._is_blocked = False
        self._end = End.OPEN

    def see(self, data: Mapping[str, Any], _event: str = "", /) -> End:
        """Return how far the stream is after a chunk."""
        inner = data.get("response")
        data = inner if isinstance(inner, dict) else data  # Who has logged in gets it in an envelope.
        candidates = data.get("candidates")
        feedback = data.get("promptFeedback")
        if candidates or feedback:
            self._reasons.see(candidates)
            self._is_blocked = self._is_blocked or (isinstance(feedback, dict) and bool(feedback.get("blockReason")))
            has_all = self._reasons.count > 0 or (self._is_blocked and not self._reasons.is_open)
            self._end = End.OVER if has_all else End.OPEN
        return self._end


def watcher(_: RecordedRequest) -> Candidates:
    """Return who tells when a stream is whole."""
    return Candidates()


INTERACTION_ENDS = ("interaction.complete", "interaction.completed")


def own_error(status: int, message: str, code: str) -> dict[str, Any]:
    """Return an error of this proxy's own as Google's APIs write errors: the code there is the status."""
    return {"error": {"code": status, "message": message, "status": code}}


_URLS = re.compile(
    r"://[^/]*\.googleapis\.com(?::\d+)?/(?![^/]+/openai/)"
    r"|:(?:generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents)\Z"
)
"""Below ``/v1beta/openai`` it speaks OpenAI's."""

DIALECT = Dialect(
    watcher,
    UsageReader(GEMINI),
    last_events=INTERACTION_ENDS,
    urls=_URLS,
    own_error=own_error,
)
