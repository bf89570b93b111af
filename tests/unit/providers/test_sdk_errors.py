"""Recorded errors, against the real SDK: what it would have raised is what is written."""

import json

import httpx2
import openai
import pytest

from wiretape.providers import sdk_errors

ANSWERS = [
    b'{"error": {"message": "it\'s \\u00e9", "type": "invalid_request_error", "param": null, "code": true}}',
    b'{"error": "flat"}',
    b'{"detail": [1, 2.5, "x"]}',
    b'["a list"]',
    b"plain words",
]


def raised(status: int, body: bytes) -> openai.APIStatusError:
    transport = httpx2.MockTransport(lambda _: httpx2.Response(status, content=body))
    with (
        httpx2.Client(transport=transport) as http,
        openai.OpenAI(api_key="x", http_client=http, max_retries=0) as client,
        pytest.raises(openai.APIStatusError) as raised,
    ):
        client.models.list()
    return raised.value


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 503])
@pytest.mark.parametrize("body", ANSWERS)
def test_an_error_is_described_as_the_sdk_raises_it(status: int, body: bytes) -> None:
    error = raised(status, body)
    described = sdk_errors.describe(status, body)
    assert list(described) == ["category", "provider", "type", "message", "status_code", "body"]
    assert described["type"] == type(error).__name__
    assert described["status_code"] == error.status_code
    assert described["body"] == error.body


def test_the_message_is_that_of_the_recorders_sdk() -> None:
    # As in the public recordings, openai-python 1.107: newer ones word it otherwise.
    described = sdk_errors.describe(400, b'{"error": {"message": "No.", "param": null, "ok": true}}')
    assert described["message"] == "Error code: 400 - {'error': {'message': 'No.', 'param': None, 'ok': True}}"


@pytest.mark.parametrize("body", ANSWERS)
def test_what_was_recorded_is_answered_again(body: bytes) -> None:
    status, again = sdk_errors.answer(sdk_errors.describe(422, body))
    assert status == 422
    try:
        assert json.loads(again) == json.loads(body)
    except ValueError:
        assert again == body


@pytest.mark.parametrize(
    "error", [{}, {"status_code": "x", "body": None}, {"status_code": 200, "message": 5}, {"status_code": 400}]
)
def test_a_strange_error_is_still_an_error(error: dict[str, object]) -> None:
    status, body = sdk_errors.answer(error)
    assert status in (400, 500)
    json.loads(body)
