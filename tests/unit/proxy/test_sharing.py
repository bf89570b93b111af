"""Whose requests share an answer that depends on who asks, and what of a live answer is for whom."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from mitmproxy import http
from mitmproxy.test import tflow

from builders import tape_of
from wiretape.journal.exchange_file import EntryKind, JournalEntry
from wiretape.policy import Mode
from wiretape.proxy import flow_state, sharing
from wiretape.proxy.admission import Grant
from wiretape.proxy.calls import IncomingRequest
from wiretape.replay.single_flight import FlightEnd, SharedResponse
from wiretape.store.directory import DirectoryStore

HEADERS = {"content-type": "application/json", "authorization": "Bearer a", "user-agent": "sdk", "accept": "*/*"}

SAME = {
    "another SDK": {"user-agent": "curl", "x-stainless-retry-count": "1", "accept": "application/json"},
    "another trace": {"traceparent": "00-1", "x-request-id": "7"},
    "another coding": {"accept-encoding": "br", "te": "trailers"},
}
OTHER = {
    "key": {"authorization": "Bearer b"},
    "Anthropic's key": {"x-api-key": "b"},
    "Azure's key": {"api-key": "b"},
    "Gemini's key": {"x-goog-api-key": "b"},
    "organization": {"openai-organization": "org-b"},
    "project": {"OpenAI-Project": "proj_b"},
    "account": {"chatgpt-account-id": "b"},
    "cookie": {"cookie": "session=b"},
    "signature": {"x-amz-security-token": "b"},
    "one that nobody has heard of": {"x-next-year": "b"},
    "path": {":path": "/v1/x?key=b"},
    "body": {":body": '{"api_key": "b"}'},
}


def flow(headers: dict[str, str]) -> http.HTTPFlow:
    made = tflow.tflow()
    told = HEADERS | headers
    made.request.path = told.pop(":path", "/v1/x?key=a")
    made.request.text = told.pop(":body", "{}")
    made.request.headers.clear()
    for name, value in told.items():
        made.request.headers[name] = value
    grant = Grant(tape_of(DirectoryStore(Path("nowhere")), "one", Mode.RECORD_IF_MISSING))
    head, body = flow_state.head_of(made), made.request.raw_content or b""
    flow_state.of(made).request = IncomingRequest.build(head, grant, body, came_at=0.0)
    return made


@pytest.mark.parametrize("headers", [*SAME.values(), *OTHER.values()], ids=[*SAME, *OTHER])
def test_all_is_compared_that_may_be_a_credential(headers: dict[str, str]) -> None:
    assert (sharing._asker(flow({})) == sharing._asker(flow(headers))) is (headers in SAME.values())


def test_a_body_that_takes_long_to_compare_is_nobody_elses() -> None:
    large = flow({":body": "x" * 300_000})
    assert sharing._asker(large) != sharing._asker(large)


PASSING = (206, 304, 401, 403, 408, 409, 425, 429, 500, 529)
WAITED = {"is_alike": True, "has_waited": True}
LATE = {"is_alike": True, "has_waited": False}
STRANGER = {"is_alike": False, "has_waited": True}


@pytest.mark.parametrize(
    ("status", "headers", "verdicts"),
    [
        (200, {}, "SHARED SHARED SHARED"),
        (201, {}, "SHARED SHARED SHARED"),
        (400, {}, "SHARED SHARED FOR_OTHERS"),
        (422, {}, "SHARED SHARED FOR_OTHERS"),
        *((status, {}, "SHARED FOR_OTHERS FOR_OTHERS") for status in PASSING),
        (200, {"content-encoding": "gzip"}, "SHARED SHARED SHARED"),
        (200, {"content-encoding": "utf-8"}, "SHARED SHARED SHARED"),
        (200, {"content-encoding": "gzip, gzip, gzip, gzip, gzip"}, "UNREADABLE UNREADABLE UNREADABLE"),
        (200, {"content-encoding": "gzip, dcb"}, "UNREADABLE UNREADABLE UNREADABLE"),
        (429, {"content-encoding": "dcb"}, "UNREADABLE FOR_OTHERS FOR_OTHERS"),
    ],
)
def test_what_an_answer_is_to_one_that_asks_for_the_same(
    tmp_path: Path, status: int, headers: dict[str, str], verdicts: str
) -> None:
    entry = JournalEntry(AESGCM(bytes(32)), tmp_path, 1)
    entry.append(EntryKind.PIECE, 1, b"piece")
    flight = SharedResponse()
    flight.begin(status, (*headers.items(),), entry)
    told = [sharing._judge(flight, flow({}), **who).name for who in (WAITED, LATE, STRANGER)]
    assert told == verdicts.split()


@pytest.mark.parametrize(
    ("ending", "verdicts"),
    [
        (FlightEnd.BROKE_OFF, "SHARED SHARED FOR_OTHERS"),
        (FlightEnd.LEFT, "GONE GONE GONE"),
        (FlightEnd.UNSHARED, "GONE GONE GONE"),
    ],
)
def test_what_its_failure_is(ending: FlightEnd, verdicts: str) -> None:
    flight = SharedResponse()
    flight.end(ending)
    told = [sharing._judge(flight, flow({}), **who).name for who in (WAITED, LATE, STRANGER)]
    assert told == verdicts.split()


def test_nothing_of_a_request_is_marked_that_follows_nobody() -> None:
    flight, asking = SharedResponse(), flow({})
    flight.end(FlightEnd.LEFT)
    sharing._judge(flight, asking, **WAITED)
    assert (flow_state.of(asking).follow, asking.response) == (None, None)
