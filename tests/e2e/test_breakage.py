"""What goes wrong by itself, or is very large. Resets, early ends and clients that leave are in test_record.py."""

import base64
import json
import os
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness import Mitmdump, client_env, environment, openai_client, wait_until
from loopback import Answer, Close, Provider, Wait, from_recording, sse
from samples import BASES, CHAT, FIREWORKS_CHAT, MODEL, chunks_of, dumped, load

BODY: dict[str, Any] = load(CHAT)["request"]["body"]
URL = f"{BASES['api.fireworks.ai']}/chat/completions"
ALL = from_recording(CHAT)


def written(recordings: Path) -> list[Path]:
    return sorted(recordings.glob("*/responses/*"))


def post(proxy: Mitmdump, url: str = URL, body: Any = BODY) -> bytes:
    """The raw body of an answer, however it ended."""
    pieces: list[bytes] = []
    with environment(client_env(proxy)), httpx.Client(timeout=60) as client:
        try:
            with client.stream("POST", url, json=body) as answer:
                pieces.extend(answer.iter_raw())
        except httpx.TransportError:
            pass
    return b"".join(pieces)


def still_works(proxy: Mitmdump, provider: Provider) -> None:
    provider.on("/inference/v1/completions", from_recording(CHAT.parent / "f3cbd3f07e60.json"))
    content = load(CHAT.parent / "f3cbd3f07e60.json")
    with openai_client(proxy) as client:
        arguments = {key: value for key, value in content["request"]["body"].items() if value != {}}
        assert [dumped(chunk) for chunk in client.completions.create(**arguments)] == chunks_of(content)


ERROR_EVENTS = {
    "openai": (URL, b'data: {"error":{"message":"The server had an error","type":"server_error"}}\n\n'),
    "openrouter": (
        "https://openrouter.ai/api/v1/chat/completions",
        b'data: {"id":"1","object":"chat.completion.chunk","error":{"code":502,"message":"Provider disconnected"},'
        b'"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}\n\n',
    ),
    "anthropic": (
        "https://api.anthropic.com/v1/messages",
        b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
    ),
}


@pytest.mark.parametrize("style", ERROR_EVENTS)
def test_an_error_event_in_the_middle_reaches_the_client_and_is_not_recorded(
    style: str, provider: Provider, recordings: Path
) -> None:
    url, event = ERROR_EVENTS[style]
    steps = [*ALL.steps[:3], event]
    provider.on(httpx.URL(url).path, Answer(steps=steps))
    with Mitmdump(recordings, "record", origin=provider) as proxy:
        assert post(proxy, url) == b"".join(step for step in steps if isinstance(step, bytes))
        proxy.wait_for_log("not recorded: ")
    assert written(recordings) == []


def test_a_thousand_comments_before_the_first_chunk(provider: Provider, recordings: Path) -> None:
    # A minute of keep-alives, but for the minute.
    steps = [b": keep-alive\n\n"] * 1000 + [*ALL.steps]
    provider.on(FIREWORKS_CHAT, Answer(steps=steps))
    with Mitmdump(recordings, "record", origin=provider) as proxy:
        assert post(proxy) == Answer(steps=steps).body
        proxy.stop()
    assert written(recordings)[0].read_bytes() == CHAT.read_bytes()


def large(size: int) -> dict[str, Any]:
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
    return {**chunk, "choices": [{"index": 0, "delta": {"content": "x" * size}, "finish_reason": None}]}


@pytest.mark.parametrize(("count", "size"), [(1, 5_000_000), (500, 100_000)])
def test_large_answers_are_passed_on_and_recorded(count: int, size: int, provider: Provider, recordings: Path) -> None:
    steps = sse([large(size)] * count)
    provider.on(FIREWORKS_CHAT, Answer(steps=list(steps)))
    with Mitmdump(recordings, "record", origin=provider) as proxy:
        assert post(proxy) == b"".join(steps)
        proxy.wait_for_log("recorded e99f14805360", 60)
    with Mitmdump(recordings, "replay") as proxy:
        assert post(proxy) == b"".join(steps)


def test_a_request_of_thirty_megabytes(provider: Provider, recordings: Path) -> None:
    image = base64.b64encode(os.urandom(22_500_000)).decode()
    part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{image}"}}
    body = {"model": MODEL, "messages": [{"role": "user", "content": [part]}], "stream": True}
    provider.on(FIREWORKS_CHAT, ALL)
    with Mitmdump(recordings, "record-if-missing", origin=provider) as proxy:
        assert post(proxy, body=body) == ALL.body
        proxy.wait_for_log("recorded ", 60)
        assert post(proxy, body=body) == ALL.body
    assert len(provider.requests) == 1
    assert json.loads(provider.requests[0].body) == body


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_compressed_stream_that_is_cut_leaves_no_recording(coding: Any, provider: Provider, recordings: Path) -> None:
    provider.on(FIREWORKS_CHAT, from_recording(CHAT, coding=coding).insert(9, Close()))
    with Mitmdump(recordings, "record", origin=provider) as proxy:
        post(proxy)
        proxy.wait_for_log("not recorded: ")
        still_works(proxy, provider)
    assert [path.stem for path in written(recordings)] == ["f3cbd3f07e60"]


def test_expect_100_continue(provider: Provider, recordings: Path) -> None:
    provider.on(FIREWORKS_CHAT, ALL)
    content = json.dumps(BODY).encode()
    for mode in ("record", "replay"):
        with Mitmdump(recordings, mode, origin=provider) as proxy:
            context = ssl.create_default_context(cafile=str(proxy.ca_file))
            with socket.create_connection(("127.0.0.1", proxy.port), 10) as tunnel:
                tunnel.sendall(b"CONNECT api.fireworks.ai:443 HTTP/1.1\r\n\r\n")
                assert tunnel.recv(1000).startswith(b"HTTP/1.1 200")
                with context.wrap_socket(tunnel, server_hostname="api.fireworks.ai") as client:
                    head = (
                        f"POST {FIREWORKS_CHAT} HTTP/1.1\r\nhost: api.fireworks.ai\r\nexpect: 100-continue\r\n"
                        f"content-length: {len(content)}\r\nconnection: close\r\n\r\n"
                    )
                    client.sendall(head.encode())
                    with client.makefile("rb") as answer:
                        assert answer.readline().startswith(b"HTTP/1.1 100")
                        client.sendall(content)
                        assert b"[DONE]" in answer.read()
            proxy.stop()
    assert written(recordings)[0].read_bytes() == CHAT.read_bytes()


def curl(proxy: Mitmdump, version: str) -> bytes:
    if not shutil.which("curl"):
        pytest.skip("curl is not on this machine")
    command = ["curl", "-sS", version, URL, "-H", "content-type: application/json", "-d", json.dumps(BODY)]
    return subprocess.run(command, env=client_env(proxy), capture_output=True, check=True, timeout=30).stdout


@pytest.mark.parametrize(("upstream", "client"), [(True, "--http1.1"), (False, "--http2"), (True, "--http2")])
def test_http2_on_either_side(upstream: bool, client: str, recordings: Path) -> None:
    with Provider(http2=upstream) as provider:
        provider.on(FIREWORKS_CHAT, ALL)
        with Mitmdump(recordings, "record", origin=provider) as proxy:
            assert curl(proxy, client) == ALL.body
            proxy.stop()
    assert written(recordings)[0].read_bytes() == CHAT.read_bytes()
    with Mitmdump(recordings, "replay") as proxy:
        assert curl(proxy, client) == ALL.body


def test_the_folder_vanishes_while_it_runs(provider: Provider, recordings: Path) -> None:
    provider.on(FIREWORKS_CHAT, ALL)
    with Mitmdump(recordings, "record-if-missing", origin=provider) as proxy:
        assert post(proxy) == ALL.body
        wait_until(lambda: written(recordings))
        proxy.wait_for_log("recorded ")
        shutil.rmtree(recordings)
        assert post(proxy) == ALL.body
        wait_until(lambda: written(recordings))
    assert len(provider.requests) == 2
    assert written(recordings)[0].read_bytes() == CHAT.read_bytes()


def test_a_disk_that_is_full_is_loud_and_harms_no_client(provider: Provider, recordings: Path) -> None:
    provider.on(FIREWORKS_CHAT, ALL)
    with Mitmdump(recordings, "record-if-missing", origin=provider) as proxy:
        # No file of this process, nor of one that it starts, may grow beyond 100 bytes: as on a disk that has no more.
        resource.prlimit(proxy.process.pid, resource.RLIMIT_FSIZE, (100, 100))
        assert post(proxy) == ALL.body
        proxy.wait_for_log("RECORDING LOST: .*could not be written")
        assert post(proxy) == ALL.body
    assert written(recordings) == []


def test_killed_while_it_records_twenty_streams(provider: Provider, recordings: Path) -> None:
    provider.on(FIREWORKS_CHAT, ALL.insert(20, Wait(threading.Event())))
    with Mitmdump(recordings, "record", origin=provider) as proxy:
        bodies = [{**BODY, "messages": [{"role": "user", "content": str(number)}]} for number in range(20)]
        with ThreadPoolExecutor(20) as pool:
            asking = [pool.submit(subprocess_post, proxy, body) for body in bodies]
            provider.wait_for_requests(20)
            proxy.process.send_signal(signal.SIGKILL)
            proxy.process.wait()
            for each in asking:
                each.result()
    assert [path for path in written(recordings) if path.suffix == ".json"] == []
    # What a writer that is killed leaves behind is no recording, and gone with the next start.
    folder = recordings / "default" / "responses"
    folder.mkdir(parents=True, exist_ok=True)
    dead = subprocess.Popen(["true"])
    dead.wait()
    left = folder / f".wiretape-{dead.pid}-x.tmp"
    left.write_bytes(CHAT.read_bytes())
    mine = folder / f".wiretape-{os.getpid()}-x.tmp"
    mine.write_bytes(b"")
    with Mitmdump(recordings, "record-if-missing", origin=provider) as proxy:
        proxy.wait_for_log("its writer was killed")
        still_works(proxy, provider)
    assert not left.exists()
    assert mine.exists()


def subprocess_post(proxy: Mitmdump, body: Any) -> int:
    command = ["curl", "-sS", URL, "-H", "content-type: application/json", "-d", json.dumps(body)]
    return subprocess.run(command, env=client_env(proxy), capture_output=True, check=False, timeout=60).returncode


def test_sigterm_says_what_became_of_each_stream(provider: Provider, recordings: Path) -> None:
    provider.on(
        FIREWORKS_CHAT, ALL.insert(5, Wait(threading.Event())), Answer(steps=[*ALL.steps, Wait(threading.Event())])
    )
    with (
        Mitmdump(recordings, "record", origin=provider) as proxy,
        ThreadPoolExecutor(2) as pool,
    ):
        for number, words in enumerate(("cut", "whole"), 1):
            body = {**BODY, "messages": [{"role": "user", "content": words}]}
            pool.submit(subprocess_post, proxy, body)
            provider.wait_for_requests(number)
            proxy.wait_for_log(rf"(Streaming response[\s\S]*){{{number}}}")
        assert proxy.stop(signal.SIGTERM) == 0
        assert "broke off" in proxy.log()
