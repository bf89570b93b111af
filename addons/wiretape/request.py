"""Wire request <-> recorded request, and when two are the same. After the providers, before the tape.

A recording holds the arguments of the SDK call. They are the JSON body of the wire, but for what the SDK's method does
not declare, which goes under ``extra_body``, and for the order of the keys, which the SDK changes on the way.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wiretape.providers import Endpoint, Route
from wiretape.recording import RecordedRequest

# Declared parameters, openai-python 1.107.
_CHAT = """audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens messages
metadata modalities model n parallel_tool_calls prediction presence_penalty prompt_cache_key reasoning_effort
response_format safety_identifier seed service_tier stop store stream stream_options temperature tool_choice tools
top_logprobs top_p user verbosity web_search_options"""
_COMPLETIONS = """best_of echo frequency_penalty logit_bias logprobs max_tokens model n presence_penalty prompt seed
stop stream stream_options suffix temperature top_p user"""
_EMBEDDINGS = "dimensions encoding_format input model user"


@dataclass(frozen=True, slots=True)
class _Call:
    """An SDK method: what it declares, and in which order its arguments are sent and recorded."""

    declared: frozenset[str]
    sent_first: tuple[tuple[str, ...], ...]
    """The keys that the SDK sends first, by its major versions; the others follow by name."""
    recorded_first: tuple[str, ...]
    recorded_last: tuple[str, ...] = ()
    always_extra_body: bool = False


_CALLS = {
    "chat": _Call(
        frozenset(_CHAT.split()),
        sent_first=(("messages", "model"), ("model", "stream", "service_tier", "messages")),
        recorded_first=("model", "messages"),
        recorded_last=("service_tier",),
    ),
    "completions": _Call(
        frozenset(_COMPLETIONS.split()),
        sent_first=(("model", "prompt"), ("model", "stream", "prompt")),
        recorded_first=("model", "prompt"),
        always_extra_body=True,
    ),
    "embeddings": _Call(
        frozenset(_EMBEDDINGS.split()),
        sent_first=(("input", "model"), ("model", "input")),
        recorded_first=("model", "input", "encoding_format"),
    ),
}

_ENDPOINTS = {"/chat/completions": "/v1/chat/completions"}
"""Endpoints under other names that recordings give them."""

# Arguments of an SDK call that shape the HTTP request and are no part of its body.
_NOT_SENT = ("extra_body", "extra_headers", "extra_query", "timeout")


def recorded(route: Route, body: bytes) -> RecordedRequest:
    """The recorded form of a wire request's body.

    Raises ValueError, saying why, where the body is not a JSON object: such a request cannot be recorded.
    """
    endpoint = route.endpoint
    if endpoint.method == "GET":
        return RecordedRequest(route.url, {}, endpoint.recorded)
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError) as e:
        raise ValueError(f"the request's body is not JSON: {e}") from e
    if not isinstance(sent, dict):
        raise ValueError("the request's body is not a JSON object")  # noqa: TRY004  a value from outside, not a type error
    return RecordedRequest(route.url, _arguments(endpoint, sent), endpoint.recorded)


def _arguments(endpoint: Endpoint, sent: Mapping[str, Any]) -> dict[str, Any]:
    call = _CALLS[endpoint.kind]
    arguments = {key: value for key, value in sent.items() if key in call.declared}
    if endpoint.kind == "embeddings" and arguments.get("encoding_format") == "base64":
        # The SDK asks for base64 on its own when the caller names no format.
        del arguments["encoding_format"]
    # The SDK's order says nothing about the caller's: it becomes the recorder's. Any other order is the client's own.
    if any(list(arguments) == _ordered(arguments, first) for first in call.sent_first):
        arguments = {key: arguments[key] for key in _ordered(arguments, call.recorded_first, call.recorded_last)}
    extra = {key: value for key, value in sent.items() if key not in call.declared}
    if extra or call.always_extra_body:
        arguments["extra_body"] = extra
    return arguments


def _ordered(keys: Mapping[str, Any], first: tuple[str, ...], last: tuple[str, ...] = ()) -> list[str]:
    middle = sorted(key for key in keys if key not in first and key not in last)
    return [*(key for key in first if key in keys), *middle, *(key for key in last if key in keys)]


def wire_body(request: RecordedRequest) -> dict[str, Any]:
    """The JSON body that the SDK sends for a recorded request, ``extra_body`` merged in, for comparing."""
    body = {key: value for key, value in request.body.items() if key not in _NOT_SENT}
    if isinstance(extra := request.body.get("extra_body"), dict):
        body.update(extra)
    if body.get("encoding_format") == "base64":
        del body["encoding_format"]
    return body


def endpoint(request: RecordedRequest) -> str:
    """The endpoint that a recording is of, where recordings name one endpoint in several ways."""
    if request.endpoint == "/v1/completions" and "messages" in request.body and "prompt" not in request.body:
        return "/v1/chat/completions"
    return _ENDPOINTS.get(request.endpoint, request.endpoint)


def base(request: RecordedRequest) -> str:
    """The provider's base URL of a recorded request."""
    return request.url.removesuffix(request.endpoint)


def identity(request: RecordedRequest) -> str:
    """Equal for two requests whose wire forms are the same, and for no others: a digest, 64 hex digits.

    Numbers are compared as JSON writes them: ``1`` and ``1.0`` differ, as the hash in a file's name has it.
    """
    form = [base(request), endpoint(request), wire_body(request)]
    return hashlib.sha256(json.dumps(form, sort_keys=True).encode()).hexdigest()
