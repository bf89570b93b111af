"""Which requests can share a live answer."""

import asyncio
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import brotli
import pytest

from taping import tape_of
from wiretape.codecs import content_coding
from wiretape.matching import request
from wiretape.metrics.counters import SessionCounters
from wiretape.policy import Mode
from wiretape.providers import routing
from wiretape.proxy import desk
from wiretape.proxy.desk import Desk, Grant, IncomingRequest, key_of
from wiretape.recording import RecordedRequest
from wiretape.store.directory import DirectoryStore

ASKED = RecordedRequest("https://api.openai.com/v1/v1/embeddings", {"model": "m", "input": "x"}, "/v1/embeddings")


def test_equal_ones_of_one_session_in_one_form_for_one_test(tmp_path: Path) -> None:
    one, two = (tape_of(DirectoryStore(tmp_path), name, Mode.RECORD_IF_MISSING) for name in ("one", "two"))
    assert key_of(one, ASKED) == key_of(one, replace(ASKED))
    others = [replace(ASKED, base64_wanted=True), replace(ASKED, test_id="t"), replace(ASKED, body={"model": "n"})]
    assert len({key_of(one, ASKED), key_of(two, ASKED), *(key_of(one, each) for each in others)}) == 5


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
    tape = tape_of(DirectoryStore(tmp_path), "one", Mode.RECORD)
    route = routing.parse([("p", routing.builtin())]).route("POST", "https", "api.openai.com", 443, "/v1/embeddings")
    assert route
    body = json.dumps({"model": "m", "input": "x" * size}).encode()
    call = IncomingRequest(
        "POST", "https", ("api.openai.com",), 443, "/v1/embeddings", "", None, body, 0.0, Grant(tape)
    )
    desk = Desk(SessionCounters())
    asked = asyncio.run(desk._read(call, route))
    assert (threads != [threading.get_ident()]) is aside
    # What takes long of it was worked out there too.
    assert asked.identity == identity(replace(asked))


def test_a_coded_request_is_unpacked_aside_and_bounded() -> None:
    desk = Desk(SessionCounters())
    desk.largest = 1000
    packed = brotli.compress(bytes(1000))
    bomb = brotli.compress(bytes(1001))
    assert asyncio.run(desk.plain(packed, "br")) == bytes(1000)
    with pytest.raises(content_coding.TooLargeError, match="1000 bytes when decoded"):
        asyncio.run(desk.plain(bomb, "br"))
    for none in ("rot13", "utf-8", "none", "gzip", "zstd, br"):
        assert asyncio.run(desk.plain(b"{}", none)) == b"{}"


@pytest.mark.parametrize(
    "body",
    [b'["a", "b"]' * 60, b"\\n" * 200, b"%41" * 200, b"a1B2" * 500 + b"c" * 99, b"eyJhIjoiYmNkZWZnaGlqa2xtbiJ9 " * 60],
)
def test_what_takes_long_to_read_is_read_aside(body: bytes) -> None:
    assert not desk._is_quick(body)
    assert desk._is_quick(b'{"model": "m", "messages": [{"role": "user", "content": "What is it?"}]}')
