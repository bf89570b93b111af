"""The control API that a variable names, as the doctor sees it."""

import json
import socket

import pytest

from bare_server import Answering
from wiretape.cli.doctor.control_api import findings
from wiretape.cli.doctor.finding import Finding, State


def answered(status: int, body: object) -> Finding:
    text = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {len(text)}\r\n\r\n"
    with Answering(head.encode() + text) as server:
        [only] = findings({"WIRETAPE_CONTROL": f"http://127.0.0.1:{server.port}"})
        assert server.asked.startswith(b"GET /v1/status ")
    return only


def test_none_is_named() -> None:
    assert [*findings({})] == []


@pytest.mark.parametrize(
    ("status", "body", "state", "told"),
    [
        (200, {"mode": "replay", "session": "main"}, State.OK, "mode replay, session main"),
        (401, {"error": {"code": "unauthorized", "message": "secret"}}, State.OK, "wants a token"),
        (404, {"error": {"code": "not_found", "message": "secret"}}, State.WARNING, "is no control API (status 404)"),
    ],
)
def test_what_answers(status: int, body: object, state: State, told: str) -> None:
    finding = answered(status, body)
    assert finding.state is state
    assert told in finding.said
    assert "secret" not in finding.said


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}", "ftp://secret@x", "http://[secret"])
def test_nothing_there_is_a_fault(url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    [finding] = findings({"WIRETAPE_CONTROL": url.format(port=port)})
    assert finding.state is State.FAULT
    assert "secret" not in f"{finding.said} {finding.advice}"
