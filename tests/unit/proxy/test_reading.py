"""Which requests are read by the thread that carries the traffic, and which are read aside."""

import asyncio
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builders import tape_of
from wiretape.matching import request
from wiretape.policy import Mode
from wiretape.providers import table
from wiretape.proxy import reading
from wiretape.proxy.admission import Grant
from wiretape.proxy.calls import BodyState, EndpointRequest, IncomingRequest, RequestHead
from wiretape.proxy.threads import Threads
from wiretape.recording import RecordedRequest
from wiretape.store.directory import DirectoryStore

HEAD = RequestHead("POST", "https", ("api.openai.com",), 443, "/v1/embeddings", "")


def read(folder: Path, body: bytes, too_large: str = "") -> EndpointRequest:
    route = table.load({}).route("POST", "https", "api.openai.com", 443, "/v1/embeddings")
    assert route
    grant = Grant(tape_of(DirectoryStore(folder), "one", Mode.RECORD))
    threads = Threads()
    try:
        return asyncio.run(reading.read(IncomingRequest(HEAD, grant, body, 0.0, too_large), route, threads))
    finally:
        threads.close()


@pytest.mark.parametrize(("size", "aside"), [(10, False), (5000, True), (1 << 20, True)])
def test_a_long_request_is_read_by_a_thread_that_does_not_carry_the_traffic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, aside: bool
) -> None:
    threads: list[int] = []
    recorded, identity = request.recorded, request.identity

    def watching(*args: Any) -> RecordedRequest:
        threads.append(threading.get_ident())
        return recorded(*args)

    monkeypatch.setattr(request, "recorded", watching)
    made = read(tmp_path, json.dumps({"model": "m", "input": "x" * size}).encode())
    assert (threads != [threading.get_ident()]) is aside
    # What takes long of it was worked out there too.
    assert made.body is BodyState.READ
    assert made.recorded
    assert made.recorded.identity == identity(replace(made.recorded))


def test_what_no_recording_can_be_of_is_said(tmp_path: Path) -> None:
    made = read(tmp_path, b"no JSON")
    assert (made.body, made.recorded, made.is_unreadable) == (BodyState.NO_RECORDING, None, True)
    assert made.problem


def test_a_body_that_is_too_large_when_decoded_is_not_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(request, "recorded")
    made = read(tmp_path, b"\0" * 100, "it is too large")
    assert (made.body, made.problem) == (BodyState.TOO_LARGE, "it is too large")


@pytest.mark.parametrize(
    "body",
    [b'["a", "b"]' * 60, b"\\n" * 200, b"%41" * 200, b"a1B2" * 500 + b"c" * 99, b"eyJhIjoiYmNkZWZnaGlqa2xtbiJ9 " * 60],
)
def test_what_takes_long_to_read_is_read_aside(body: bytes) -> None:
    assert not reading.is_quick(body)
    assert reading.is_quick(b'{"model": "m", "messages": [{"role": "user", "content": "What is it?"}]}')
