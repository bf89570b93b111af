"""Which headers are kept, spelled out, and which statuses say something about the request."""

import pytest

from wiretape.codecs import http_fields

KEPT = """content-type retry-after retry-after-ms x-ms-retry-after-ms x-should-retry location
operation-location x-ratelimit-limit-requests anthropic-ratelimit-tokens-remaining ratelimit
ratelimit-policy x-ratelimit x-rate-limit-reset openai-processing-ms openai-version
fireworks-server-processing-time x-inference-cost x-groq-region server-timing
access-control-allow-origin content-disposition x-goog-upload-status"""

NOT_KEPT = """set-cookie cookie authorization www-authenticate x-request-id openai-organization openai-project
date server x-ratelimit-limit-user x-ratelimit-project-tokens anthropic-organization-id
fireworks-account-id fireworks-deployment-id x-api-key via content-length x-goog-upload-key"""


@pytest.mark.parametrize("name", KEPT.split())
def test_what_a_client_may_act_upon_is_kept(name: str) -> None:
    assert http_fields.is_kept(name)


@pytest.mark.parametrize("name", NOT_KEPT.split())
def test_who_asked_is_not_kept(name: str) -> None:
    assert not http_fields.is_kept(name)


@pytest.mark.parametrize(
    ("text", "is_value"),
    [("a b\tc~", True), ("", True), ("a\r\nx: y", False), ("a\0", False), ("ä", False), ("a\x7f", False)],
)
def test_a_value_is_one_line_of_ascii(text: str, is_value: bool) -> None:
    assert http_fields.is_value(text) is is_value


PASSING = {202, 206, 302, 303, 304, 307, 401, 402, 403, 407, 408, 409, 418, 425, 429, 500, 502, 503, 504, 511, 529}
LASTING = {200, 201, 204, 301, 308, 400, 404, 405, 410, 413, 415, 422, 451}
FOR_WHO_ASKS = {401, 402, 403, 407, 511}


@pytest.mark.parametrize("status", sorted(PASSING | LASTING))
def test_what_a_status_says(status: int) -> None:
    assert http_fields.is_passing(status) is (status in PASSING)
    assert http_fields.is_momentary(status) is (status in PASSING and status >= 400 and status not in FOR_WHO_ASKS)


@pytest.mark.parametrize(("value", "is_status"), [(200, True), (599, True), (199, False), (600, False), (True, False)])
def test_a_status_is_of_a_whole_answer(value: object, is_status: bool) -> None:
    assert http_fields.is_status(value) is is_status
