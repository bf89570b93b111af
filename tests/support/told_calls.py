"""Calls as the call log has them, for tests of what is made of them."""

from typing import Any

from wiretape.call_log.call import Call, MissTold, Outcome

HOSTILE = (
    'a | b <img src=x> **c** `d` [e](http://f)\n::error::g\r\n%0A & "h" \x1b[31m\x00 \ud800 \ufffe 日本 ]]> </pre>'
)
"""What others may have written, for a terminal, a log of a job, Markdown, HTML and XML."""


def call(outcome: Outcome = Outcome.HIT, **more: Any) -> Call:
    given: dict[str, Any] = {
        "at": 1_700_000_000.0,
        "session": "default",
        "mode": "replay",
        "outcome": outcome,
        "request": "/v1/chat/completions gpt-5",
        "total_ms": 250.0,
    }
    return Call(**given | more)


def miss(text: str = "All of it.\nIn lines.", **more: Any) -> Call:
    told = MissTold(hash="0123456789ab", nearest="e99f14805360", difference="messages[0].content: a here, b", text=text)
    return call(Outcome.MISS, miss=told, **more)
