"""Requests for a chat, and answers to them as they come: for tests of what finds and records, without a proxy."""

import json
from typing import Any

from wiretape.providers import routing, table, wire
from wiretape.recording import RecordedRequest

CHAT = "/v1/chat/completions"
TABLE = table.load({})


def route(path: str = CHAT, host: str = "api.openai.com") -> routing.Route:
    """Where a request to a provider of the builtin table goes."""
    found = TABLE.route("POST", "https", host, 443, path)
    assert found
    return found


def asks(content: Any, **more: Any) -> dict[str, Any]:
    """The body of a request."""
    return {"model": "m", "messages": [{"role": "user", "content": content}], **more}


def chat(content: Any, **more: Any) -> RecordedRequest:
    """The same as it is recorded."""
    return RecordedRequest(f"https://api.openai.com/v1{CHAT}", asks(content, **more), CHAT)


def came(text: str) -> wire.LiveResponse:
    """A live answer in one piece."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    body = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    return wire.LiveResponse(200, (("content-type", "application/json"),), (json.dumps(body).encode(),), (1.0,), True)
