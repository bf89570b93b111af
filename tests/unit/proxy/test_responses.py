"""Answers of ours in one piece: what they say, and what they never say."""

import pytest
from mitmproxy.test import tutils

from builders import route
from wiretape.providers import routing, wire
from wiretape.proxy import responses
from wiretape.sessions.access import AccessDeniedError

CODES = {403: "session_refused", 407: "session_refused", 413: "request_too_large", 503: "recordings_unavailable"}


@pytest.mark.parametrize(("status", "code"), CODES.items())
def test_a_refusal_says_why_and_closes(status: int, code: str) -> None:
    answer = responses.refusal(AccessDeniedError(status, "no"))
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert "wiretape: no" in answer.json()["error"]["message"]
    assert answer.headers["connection"] == "close"
    assert ("proxy-authenticate" in answer.headers) is (status == 407)
    assert answer.headers.get("x-should-retry") == (None if status == 503 else "false")


def test_in_http2_a_refusal_has_no_header_of_http1() -> None:
    assert "connection" not in responses.refusal(AccessDeniedError(403, "no"), "HTTP/2.0").headers


def test_a_failure_tells_nothing_but_that_there_was_one() -> None:
    answer = responses.failure()
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")
    assert "nothing is sent to a provider" in answer.json()["error"]["message"]


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_content_has_no_length(status: int) -> None:
    assert "content-length" not in responses.answer(wire.HttpResponse(status, (), (b"",))).headers


def test_what_no_recording_answers_is_refused_with_a_reason() -> None:
    answer = responses.no_recording("wiretape: it is a conversation", route())
    assert (answer.status_code, answer.headers["x-should-retry"]) == (400, "false")
    assert answer.json()["error"]["code"] == "recording_not_found"
    assert answer.json()["error"]["message"] == "wiretape: it is a conversation"


def test_a_refusal_has_the_form_of_the_api_that_was_asked() -> None:
    anthropic = routing.elsewhere("POST", "https", "api.anthropic.com", 443, "/v1/messages")
    error = responses.refusal(AccessDeniedError(403, "no"), route=anthropic).json()["error"]
    assert error == {"type": "session_refused", "message": "wiretape: no"}


def test_a_preflight_is_granted_what_it_asked_for() -> None:
    asked = {"origin": "https://app.example", "access-control-request-method": "POST"}
    request = tutils.treq(method=b"OPTIONS", headers=[(name.encode(), value.encode()) for name, value in asked.items()])
    answer = responses.preflight(request)
    assert (answer.status_code, "content-length" in answer.headers) == (204, False)
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert answer.headers["access-control-allow-methods"] == "POST"


@pytest.mark.parametrize(
    ("headers", "version", "coding"),
    [
        ((), "HTTP/1.1", "chunked"),
        ((), "HTTP/2.0", None),
        ((("Transfer-Encoding", "chunked"), ("Connection", "close")), "HTTP/2.0", None),
        ((("Content-Length", "3"),), "HTTP/1.1", None),
    ],
)
def test_a_shared_head_is_framed_for_who_follows(
    headers: tuple[tuple[str, str], ...], version: str, coding: str | None
) -> None:
    head = responses.shared(200, (("x-caf\udce9", "1"), *headers), version)
    assert head.headers.get("transfer-encoding") == coding
    assert "connection" not in head.headers
    assert (b"x-caf\xe9", b"1") in head.headers.fields
