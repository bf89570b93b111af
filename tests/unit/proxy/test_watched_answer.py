"""A live answer that is not recorded: counted as it passes, and read for its tokens afterwards."""

import gzip
import json
from pathlib import Path

import pytest
from mitmproxy import http
from mitmproxy.test import tflow, tutils

from builders import chat, chat_body, route, tape_of
from wiretape.policy import Mode
from wiretape.providers.usage import Usage
from wiretape.proxy import watched_answer
from wiretape.proxy.admission import Grant
from wiretape.proxy.open_call import OpenCall
from wiretape.proxy.watched_answer import WatchedAnswer
from wiretape.store.directory import DirectoryStore

USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
ANSWER = json.dumps(
    {
        "id": "a",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-5-2025",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
        "usage": USAGE,
    }
).encode()


class Watched:
    """One answer, on its way."""

    def __init__(
        self, status: int = 200, *, is_read: bool = False, body: bytes | None = None, coding: str = "identity"
    ) -> None:
        content = json.dumps(chat_body("Hello")).encode() if body is None else body
        request = tutils.treq(content=content, headers=http.Headers(content_type="application/json"))
        response = http.Response.make(status, b"", {"content-encoding": coding})
        flow = tflow.tflow(req=request, resp=response)
        self.call = OpenCall(Grant(tape_of(DirectoryStore(Path("nowhere")), "s", Mode.LIVE)), 0.0, lambda _: None)
        self.call.pass_on("the mode is live")
        self.answer = WatchedAnswer(self.call, route(), flow, chat("Hello") if is_read else None)

    def passed(self, *pieces: bytes) -> Usage:
        assert [self.answer.take(piece) for piece in (*pieces, b"")] == [*pieces, b""]
        self.call.end()
        return self.call.made().usage


@pytest.mark.parametrize("is_read", [True, False])
def test_its_tokens_are_told(is_read: bool) -> None:
    watched = Watched(is_read=is_read)
    assert watched.passed(ANSWER[:7], ANSWER[7:]).output == 5
    made = watched.call.made()
    assert (made.bytes, made.model) == (len(ANSWER), chat("Hello").model)
    assert made.request == chat("Hello").label


def test_its_coding_is_undone() -> None:
    packed = gzip.compress(ANSWER)
    watched = Watched(coding="gzip")
    assert watched.passed(packed).output == 5
    assert watched.call.size == len(packed)


def test_what_cannot_be_read_has_no_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(b" " * 20_000_000)
    assert Watched(coding="gzip").passed(bomb) == Usage()
    assert Watched().passed(b"no JSON") == Usage()
    assert Watched().passed() == Usage()
    assert Watched(500).passed(ANSWER) == Usage()
    assert Watched(body=b"no JSON").passed(ANSWER) == Usage()
    assert Watched().passed(b"[" * 100_000) == Usage()
    monkeypatch.setattr(watched_answer, "_MOST", 10)
    long = Watched()
    assert long.passed(ANSWER, ANSWER) == Usage()
    assert long.call.size == 2 * len(ANSWER), "it is counted all the same"
