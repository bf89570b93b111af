"""While a proxy stops, whoever asks is told so at once: he neither waits for its end, nor does anything go out."""

import asyncio
import json
import socket
import threading
from pathlib import Path

import openai
import pytest

from harness import Mitmdump, openai_client, wait_until
from inside import Inside, free_port
from loopback import Provider
from places import SHIPPED
from wiretape.proxy.journaling import Journaling

REQUEST = b"POST %b HTTP/1.1\r\nhost: api.fireworks.ai\r\ncontent-length: 2\r\n\r\n{}"
DOORS = {
    "plain": REQUEST % b"http://api.fireworks.ai/inference/v1/chat/completions",
    "plain, no endpoint": REQUEST % b"http://api.fireworks.ai/x",
    "tunnel": b"CONNECT api.fireworks.ai:443 HTTP/1.1\r\n\r\n",
    "tunnel elsewhere": b"CONNECT other.example:443 HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("mode", ["replay", "record"])
@pytest.mark.parametrize("lane", ["fast", "flows"])
def test_new_requests_are_told_at_once(mode: str, lane: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    may_end, ending = threading.Event(), threading.Event()
    stop = Journaling.stop

    async def stopping(journaling: Journaling, patience: float) -> None:
        ending.set()
        assert await asyncio.to_thread(may_end.wait, 60)
        await stop(journaling, patience)

    monkeypatch.setattr(Journaling, "stop", stopping)
    reverse = free_port()
    chosen = {"wiretape_mode": mode, "wiretape_lane": lane}
    chosen["wiretape_recordings"] = str(SHIPPED if mode == "replay" else tmp_path)
    modes = [f"reverse:https://api.fireworks.ai@{reverse}"]
    with Provider() as provider, Inside(chosen, modes=modes, ports={443: provider.port, 80: provider.port}) as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as kept:
            proxy.begin_to_stop()
            assert ending.wait(60)
            try:
                answers = {name: ask(proxy.port, data) for name, data in DOORS.items()}
                answers["reverse"] = ask(reverse, REQUEST % b"/inference/v1/chat/completions")
                kept.sendall(DOORS["plain"])  # A connection from before.
                answers["kept"] = kept.makefile("rb").read()
            finally:
                may_end.set()
        wait_until(lambda: not proxy.is_alive)
        for name, answer in answers.items():
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503 "), name
            assert b"x-should-retry" not in head, name
            assert json.loads(body)["error"]["code"] == "recordings_unavailable", name
        assert proxy.opened == []


def ask(port: int, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(data)
        return client.makefile("rb").read()


def test_streams_that_are_under_way_end_without_a_traceback() -> None:
    with Mitmdump(SHIPPED, "replay", options={"wiretape_pace": "5tps"}) as proxy:
        with openai_client(proxy, max_retries=0) as client:
            stream = client.chat.completions.create(
                model="accounts/fireworks/models/llama-v3p1-8b-instruct",
                messages=[{"role": "user", "content": "Hello, world!"}],
                stream=True,
            )
            next(iter(stream))
            assert proxy.stop() == 0
            with pytest.raises(openai.APIError):
                list(stream)
        assert "Traceback" not in proxy.log()
        assert "1 hit (26 tokens served from recordings)" in proxy.log()
