"""A real LLM provider on loopback: TLS, HTTP/1.1 and HTTP/2, and every way in which a stream can go wrong.

Read ``answers`` (what is sent), ``speech`` (how each provider says it), ``connection``, ``http1`` and ``http2`` (how it
goes out), ``provider`` (who sends it). Nothing here imports wiretape or mitmproxy: they are what the tests judge.
"""

from loopback.answers import (
    Answer,
    Close,
    Coding,
    EndEarly,
    Framing,
    Interim,
    Received,
    Reset,
    Sleep,
    Step,
    Wait,
    realistic_headers,
)
from loopback.provider import HOSTS, Provider
from loopback.speech import (
    by_request,
    error_answer,
    from_recording,
    json_answer,
    ndjson,
    sse,
    wire_body,
    wire_path,
)

__all__ = [
    "HOSTS",
    "Answer",
    "Close",
    "Coding",
    "EndEarly",
    "Framing",
    "Interim",
    "Provider",
    "Received",
    "Reset",
    "Sleep",
    "Step",
    "Wait",
    "by_request",
    "error_answer",
    "from_recording",
    "json_answer",
    "ndjson",
    "realistic_headers",
    "sse",
    "wire_body",
    "wire_path",
]
