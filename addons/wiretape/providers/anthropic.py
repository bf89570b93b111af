"""Anthropic's Messages, which are passed on as they are sent: when a stream is whole, what it says of its tokens."""

import re
from collections.abc import Mapping
from typing import Any

from wiretape.providers.dialects import Dialect
from wiretape.providers.stream_ends import End
from wiretape.providers.usage import UsageReader
from wiretape.providers.usage_forms import ANTHROPIC
from wiretape.recording import RecordedRequest

_STOP = "message_stop"


class MessageEvents:
    """Tells when a stream is whole: the event for the end, or before it the reason why the message has stopped."""

    def __init__(self) -> None:
        self._end = End.OPEN

    def see(self, data: Mapping[str, Any], event: str = "", /) -> End:
        """Return how far the stream is after an event."""
        type_ = data.get("type")
        if _STOP in (type_, event):
            self._end = End.OVER
        elif type_ == "message_delta" and self._end is End.OPEN:
            delta = data.get("delta")
            if isinstance(delta, dict) and delta.get("stop_reason"):
                self._end = End.COMPLETE
        return self._end


def watcher(_: RecordedRequest) -> MessageEvents:
    """Return who tells when a stream is whole."""
    return MessageEvents()


def own_error(_: int, message: str, code: str) -> dict[str, Any]:
    """Return an error of this proxy's own as Anthropic writes errors."""
    return {"type": "error", "error": {"type": code, "message": message}}


_URLS = re.compile(r"://api\.anthropic\.com[:/]|/anthropic/|/v1/messages(?:/|\Z)")
"""OpenAI's threads have messages too, further down."""

DIALECT = Dialect(
    watcher,
    UsageReader(ANTHROPIC),
    urls=_URLS,
    own_error=own_error,
)
