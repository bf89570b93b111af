"""What records fails, at any place: its client gets the whole answer, nobody waits, what comes later is recorded."""

import inspect
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from harness import wait_until
from inside import Inside
from knocking import HOST, read, status
from loopback import Provider, json_answer
from samples import FIREWORKS_CHAT
from wiretape.journal.exchange_file import JournalEntry
from wiretape.journal.folder import Journal
from wiretape.journal.writer_process import WriterProcess
from wiretape.proxy.journaling import Journaling
from wiretape.proxy.live_answers import LiveAnswers
from wiretape.proxy.recorder import LiveRecording
from wiretape.replay.single_flight import SharedResponse

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")

CHOICE = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}
ANSWER = json_answer({"id": "1", "object": "chat.completion", "choices": [CHOICE], "said": "whole"})
WHOLE = b'"whole"}'

PLACES: list[tuple[type, str]] = [
    *((Journaling, name) for name in ("open", "look", "_make")),
    *((LiveRecording, name) for name in ("open", "tap", "_add", "_append", "finish", "written")),
    *((Journal, name) for name in ("begin", "grown", "hand_over", "written")),
    (JournalEntry, "append"),
    *((SharedResponse, name) for name in ("changed", "close")),
    (LiveAnswers, "_finish"),
    (LiveAnswers, "open"),
    *((WriterProcess, name) for name in ("look", "_hear")),
]


@pytest.fixture(scope="module")
def origin() -> Iterator[Provider]:
    with Provider() as provider:
        provider.on("*", ANSWER)
        yield provider


@pytest.fixture(scope="module")
def proxy(origin: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    folder = tmp_path_factory.mktemp("failing")
    chosen = {
        "wiretape_mode": "record-if-missing",
        "wiretape_recordings": str(folder),
        "ssl_verify_upstream_trusted_ca": str(origin.ca_pem),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        with Inside(chosen, ports={443: origin.port}) as proxy:
            yield proxy


def ask(proxy: Inside, said: str) -> bytes:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": said}]})
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as connection:
        connection.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode())
        assert status(read(connection)) == 200
        context = ssl.create_default_context(cafile=str(proxy.ca_file))
        with context.wrap_socket(connection, server_hostname=HOST) as secure:
            head = f"POST {FIREWORKS_CHAT} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
            secure.sendall(f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
            answer = b""
            while data := secure.recv(65536):
                answer += data
            return answer


@pytest.mark.parametrize(("owner", "name"), PLACES, ids=[f"{owner.__name__}.{name}" for owner, name in PLACES])
def test_nobody_waits(owner: type, name: str, proxy: Inside) -> None:
    failed = threading.Event()

    def fail(*_: Any, **__: Any) -> None:
        failed.set()
        raise RuntimeError("made to fail")

    async def fail_later(*_: Any, **__: Any) -> None:
        fail()

    said = f"{owner.__name__}.{name}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, fail_later if inspect.iscoroutinefunction(getattr(owner, name)) else fail)
        for _ in range(2):
            answer = ask(proxy, said)
            assert status(answer) == 200
            assert answer.endswith(WHOLE)
        assert failed.wait(60)
    counters = proxy.addon.counters
    assert ask(proxy, said).endswith(WHOLE)
    before = counters.recorded
    assert ask(proxy, f"after {said}").endswith(WHOLE)
    wait_until(partial(more_than, before, proxy))


def more_than(before: int, proxy: Inside) -> bool:
    """Whether more was recorded since."""
    return proxy.addon.counters.recorded > before
