"""A request as it is decided on: what is equal, and what becomes of a body with a content coding."""

from dataclasses import replace
from pathlib import Path

import brotli
import pytest

from builders import tape_of
from wiretape.policy import Mode
from wiretape.providers.routing import Endpoint, Route
from wiretape.proxy.admission import Grant
from wiretape.proxy.calls import BodyState, EndpointRequest, IncomingRequest, RequestHead
from wiretape.recording import RecordedRequest
from wiretape.store.directory import DirectoryStore

HEAD = RequestHead("POST", "https", ("api.openai.com",), 443, "/v1/embeddings", "application/json")
RECORDED = RecordedRequest("https://api.openai.com/v1/v1/embeddings", {"model": "m", "input": "x"}, "/v1/embeddings")
ROUTE = Route("openai", "https://api.openai.com/v1", Endpoint("openai", "POST", "/v1/embeddings"), "/embeddings")


def grant(folder: Path, session: str = "one") -> Grant:
    return Grant(tape_of(DirectoryStore(folder), session, Mode.RECORD_IF_MISSING))


def built(folder: Path, head: RequestHead, body: bytes, limit: int = 1000) -> IncomingRequest:
    return IncomingRequest.build(head, grant(folder), body, came_at=1.0, limit=limit)


def test_a_coded_body_is_plain_and_bounded(tmp_path: Path) -> None:
    coded = HEAD._replace(coding="br")
    made = built(tmp_path, coded, brotli.compress(bytes(1000)))
    assert (made.body, made.too_large) == (bytes(1000), "")
    bomb = brotli.compress(bytes(1001))
    made = built(tmp_path, coded, bomb)
    assert made.body == bomb
    assert "1000 bytes when decoded (wiretape_max_request)" in made.too_large


@pytest.mark.parametrize("coding", ["rot13", "utf-8", "none", "gzip", "zstd, br", ""])
def test_a_body_that_is_not_what_its_coding_says_is_as_it_came(tmp_path: Path, coding: str) -> None:
    assert built(tmp_path, HEAD._replace(coding=coding), b"{}").body == b"{}"


def test_requests_are_equal_byte_for_byte_however_they_were_coded(tmp_path: Path) -> None:
    plain = built(tmp_path, HEAD, b'{"input": "x"}')
    coded = built(tmp_path, HEAD._replace(coding="br", origin="https://a.example"), brotli.compress(plain.body))
    assert plain.key() == coded.key()
    others = [HEAD._replace(path="/v1/embeddings?a=b"), HEAD._replace(test_id="t"), HEAD._replace(content_type="")]
    keys = {
        plain.key(),
        *(built(tmp_path, each, plain.body).key() for each in others),
        built(tmp_path, HEAD, b"").key(),
    }
    assert len(keys) == 5


def test_nothing_of_a_request_can_be_changed(tmp_path: Path) -> None:
    made = built(tmp_path, HEAD, b"{}")
    with pytest.raises(AttributeError):
        made.body = b""  # type: ignore[misc]


def test_equal_ones_of_one_session_in_one_form_for_one_test_share_an_answer(tmp_path: Path) -> None:
    first = EndpointRequest(grant(tmp_path), ROUTE, 0.0, BodyState.READ, RECORDED)
    assert first.shared_key == replace(first, recorded=replace(RECORDED), came_at=1.0).shared_key
    others = [
        replace(RECORDED, base64_wanted=True),
        replace(RECORDED, test_id="t"),
        replace(RECORDED, body={"model": "n"}),
    ]
    keys = {first.shared_key, *(replace(first, recorded=each).shared_key for each in others)}
    assert len({*keys, replace(first, grant=grant(tmp_path, "two")).shared_key}) == 5


def test_what_was_not_read_shares_nothing(tmp_path: Path) -> None:
    assert EndpointRequest(grant(tmp_path), ROUTE, 0.0).shared_key is None
