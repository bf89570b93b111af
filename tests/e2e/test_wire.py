"""The provider's own bytes, and their time: recorded beside the recording, replayed chunk by chunk."""

import asyncio
import base64
import contextlib
import json
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h2.config
import h2.connection
import h2.events
import httpx
import pytest

from harness import Mitmdump, client_env, connect_head, environment, openai_client
from loopback import Answer, Provider, Sleep, from_recording, json_answer
from places import SHIPPED
from samples import BASES, CHAT, FIREWORKS_CHAT, chunks_of, dumped, load
from sharing import Shared

BODY = load(CHAT)["request"]["body"]
FLASH = "⚡".encode()
# All that a parser throws away: comments, an event name, fields in the provider's order, spaces, a cut character.
STEPS = [
    b": ping\n\n",
    b'event: chunk\ndata: {"object": "chat.completion.chunk",  "id":"1","choices":[]}\n\n',
    b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"' + FLASH[:1],
    FLASH[1:] + b'"}}]}\r\n\r\n',
    b"data: [DONE]\n\n",
]


def raw(proxy: Mitmdump, body: Any = BODY, path: str = FIREWORKS_CHAT) -> list[bytes]:
    """The transfer chunks of an HTTP/1.1 answer as they are on the wire."""
    context = ssl.create_default_context(cafile=str(proxy.ca_file))
    content = json.dumps(body).encode()
    with socket.create_connection(("127.0.0.1", proxy.port), 10) as tunnel:
        tunnel.sendall(connect_head(proxy))
        assert tunnel.recv(1000).startswith(b"HTTP/1.1 200")
        with context.wrap_socket(tunnel, server_hostname="api.fireworks.ai") as client:
            head = f"POST {path} HTTP/1.1\r\nhost: api.fireworks.ai\r\ncontent-length: {len(content)}\r\n\r\n"
            client.sendall(head.encode() + content)
            with client.makefile("rb") as answer:
                headers = b"".join(iter(answer.readline, b"\r\n"))
                assert headers.startswith(b"HTTP/1.1 200"), headers
                assert b"transfer-encoding: chunked" in headers.lower()
                chunks = []
                while size := int(answer.readline(), 16):
                    chunks.append(answer.read(size))
                    assert answer.readline() == b"\r\n"
                return chunks


@contextlib.contextmanager
def recorded(provider: Provider, shared: Shared, answer: Answer) -> Iterator[Shared]:
    """The proxy that has recorded an answer, for as long as the test needs its session."""
    provider.on(FIREWORKS_CHAT, answer)
    with shared.lent("record", provider) as proxy:
        record_again(proxy)
        yield proxy


@pytest.fixture(scope="module")
def paced() -> Iterator[Shared]:
    """One that replays in the provider's time."""
    with Shared({"wiretape_pace": "recorded"}) as proxy:
        yield proxy


def record_again(proxy: Shared) -> None:
    before = proxy.log().count(" recorded ")
    raw(proxy)
    proxy.wait_for_log(rf"( recorded [\s\S]*){{{before + 1}}}")


def wire_file(session: Path) -> Path:
    return session / "wire" / CHAT.name


@pytest.mark.parametrize("coding", [None, "gzip", "br", "zstd"])
def test_the_client_gets_the_providers_bytes_split_as_they_were(
    coding: Any, provider: Provider, shared: Shared
) -> None:
    with recorded(provider, shared, Answer(steps=STEPS, coding=coding)) as proxy:
        proxy.in_mode("replay")
        assert raw(proxy) == STEPS
    assert len(provider.requests) == 1


def test_the_file_says_what_came_and_nothing_of_who_asked(provider: Provider, shared: Shared) -> None:
    with recorded(provider, shared, Answer(steps=STEPS)) as proxy:
        text = wire_file(proxy.folder).read_text()
    content = json.loads(text)
    assert content["status"] == 200
    assert [name for name, _ in content["headers"]] == ["content-type", "x-ratelimit-remaining-requests"]
    assert content["chunks"][0]["text"] == ": ping\n\n"
    assert base64.b64decode(content["chunks"][2]["base64"]) == STEPS[2]
    times = [chunk["at"] for chunk in content["chunks"]]
    assert times == sorted(times)
    assert "secret" not in text


def test_without_it_the_stream_is_made_anew(provider: Provider, recordings: Path) -> None:
    provider.on(FIREWORKS_CHAT, Answer(steps=STEPS))
    with Mitmdump(recordings, "record", origin=provider, options={"wiretape_wire": "false"}) as proxy:
        raw(proxy)
        proxy.stop()
    assert not wire_file(recordings / "default").exists()
    with Mitmdump(recordings, "replay") as proxy:
        made = raw(proxy)
    assert made[-1] == b"data: [DONE]\n\n"
    assert len(made) == 3


def test_an_edited_recording_wins_and_keeps_the_time(provider: Provider, paced: Shared) -> None:
    with recorded(provider, paced, from_recording(CHAT)) as proxy:
        path = proxy.folder / "responses" / CHAT.name
        path.write_text(path.read_text().replace("Hello!", "Edited!"))
        proxy.in_mode("replay")
        with openai_client(proxy) as client:
            stream = client.chat.completions.create(**BODY)
            assert [chunk.choices[0].delta.content for chunk in stream][1] == "Edited!"


def test_an_embedding_goes_in_the_form_that_is_asked_for(provider: Provider, shared: Shared) -> None:
    item = {"object": "embedding", "index": 0, "embedding": base64.b64encode(b"\0\0\x80?\0\0\0?").decode()}
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    provider.on(
        "/inference/v1/embeddings", json_answer({"object": "list", "model": "m", "data": [item], "usage": usage})
    )
    url = f"{BASES['api.fireworks.ai']}/embeddings"
    asked = {"model": "m", "input": "x"}
    with (
        shared.lent("record-if-missing", provider) as proxy,
        environment(client_env(proxy)),
        httpx.Client() as client,
    ):
        live = client.post(url, json={**asked, "encoding_format": "base64"})
        proxy.wait_for_log(" recorded ")
        again = client.post(url, json={**asked, "encoding_format": "base64"})
        numbers = client.post(url, json=asked)
    assert again.content == live.content
    assert numbers.json()["data"][0]["embedding"] == [1.0, 0.5]
    assert len(provider.requests) == 1


def test_a_secret_in_an_answer_is_in_no_file_and_all_else_of_its_bytes_is(provider: Provider, shared: Shared) -> None:
    secret = "sk-" + "a1B2" * 10
    steps = [f'data: {{"id":"1","choices":[],"note":"{secret}"}}\n\n'.encode(), b"data: [DONE]\n\n"]
    with recorded(provider, shared, Answer(steps=steps)) as proxy:
        chunks = json.loads(wire_file(proxy.folder).read_bytes())["chunks"]
        assert [chunk["text"].encode() for chunk in chunks] == [
            steps[0].replace(secret.encode(), b"__redacted__"),
            steps[1],
        ]
        files = [*proxy.folder.rglob("*.json")]
        assert len(files) == 2
        assert not [path for path in files if secret in path.read_text()]
        proxy.in_mode("replay")
        made = raw(proxy)
    assert b"__redacted__" in made[0]
    assert made[-1] == b"data: [DONE]\n\n"


def test_the_same_answer_again_changes_no_file(provider: Provider, shared: Shared) -> None:
    with recorded(provider, shared, from_recording(CHAT)) as proxy:
        before = {path: path.read_bytes() for path in proxy.folder.rglob("*.json")}
        assert len(before) == 2
        record_again(proxy)
        assert {path: path.read_bytes() for path in proxy.folder.rglob("*.json")} == before
    assert len(provider.requests) == 2


def arrivals(proxy: Mitmdump) -> tuple[list[float], list[object]]:
    with openai_client(proxy) as client:
        start = time.monotonic()
        stream = client.chat.completions.create(**BODY)
        times, chunks = [], []
        for chunk in stream:
            times.append(time.monotonic() - start)
            chunks.append(dumped(chunk))
        return times, chunks


def test_a_recorded_pace_is_that_of_the_provider(provider: Provider, paced: Shared) -> None:
    slow = from_recording(CHAT).insert(0, Sleep(0.3)).insert(10, Sleep(0.4))
    with recorded(provider, paced, slow) as proxy:
        proxy.in_mode("replay")
        times, chunks = arrivals(proxy)
    assert chunks == chunks_of(load(CHAT))
    # No chunk leaves before its time, and the pauses are where they were: a slow machine may add others.
    assert times[0] >= 0.29
    assert times[9] - times[8] >= 0.35


@pytest.mark.parametrize("pace", ["40tps,ttft=200ms"])
def test_a_rate_needs_no_recorded_times(pace: str) -> None:
    with Mitmdump(SHIPPED, "replay", options={"wiretape_pace": pace}) as proxy:
        times, chunks = arrivals(proxy)
    assert chunks == chunks_of(load(CHAT))
    # 26 tokens over 27 events (one of them [DONE]) at 40 a second: about 24 ms each, after 200 ms.
    assert times[0] >= 0.19
    assert times[-1] >= 0.2 + 25 * 26 / 27 / 40 - 0.01


def test_a_client_that_leaves_ends_the_play_and_disturbs_nobody(tmp_path: Path) -> None:
    with Mitmdump(SHIPPED, "replay", options={"wiretape_pace": "5tps"}) as proxy:
        with openai_client(proxy) as client:
            stream = client.chat.completions.create(**BODY)
            next(iter(stream))
            stream.close()
        proxy.wait_for_log("client disconnect")
        assert "Traceback" not in proxy.log()
        assert "error" not in proxy.log().lower()
        with openai_client(proxy) as client:
            assert next(iter(client.chat.completions.create(**BODY)))


def test_stopping_the_proxy_in_the_middle_of_a_play_is_clean() -> None:
    with (
        Mitmdump(SHIPPED, "replay", options={"wiretape_pace": "5tps"}) as proxy,
        openai_client(proxy) as client,
    ):
        assert next(iter(client.chat.completions.create(**BODY)))
        assert proxy.stop() == 0


class Http2Client:
    """Streams at once over one HTTP/2 connection through the proxy."""

    def __init__(self, proxy: Mitmdump) -> None:
        self._proxy = proxy

    async def ask(self, count: int) -> tuple[dict[int, list[tuple[float, bytes]]], list[int]]:
        """The chunks of each stream with their times, and of which streams they came, in order."""
        context = ssl.create_default_context(cafile=str(self._proxy.ca_file))
        context.set_alpn_protocols(["h2"])
        reader, writer = await asyncio.open_connection("127.0.0.1", self._proxy.port)
        writer.write(connect_head(self._proxy))
        await reader.readuntil(b"\r\n\r\n")
        await writer.start_tls(context, server_hostname="api.fireworks.ai")
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        connection.initiate_connection()
        body = json.dumps(BODY).encode()
        head = [
            (":method", "POST"),
            (":scheme", "https"),
            (":authority", "api.fireworks.ai"),
            (":path", FIREWORKS_CHAT),
            ("content-length", str(len(body))),
        ]
        got: dict[int, list[tuple[float, bytes]]] = {}
        order: list[int] = []
        start = time.monotonic()
        for _ in range(count):
            stream = connection.get_next_available_stream_id()
            got[stream] = []
            connection.send_headers(stream, head)
            connection.send_data(stream, body, end_stream=True)
        writer.write(connection.data_to_send())
        open_streams = set(got)
        while open_streams:
            for event in connection.receive_data(await reader.read(65536)):
                if isinstance(event, h2.events.DataReceived) and event.data:
                    got[event.stream_id].append((time.monotonic() - start, event.data))
                    order.append(event.stream_id)
                    connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    open_streams.discard(event.stream_id)
            writer.write(connection.data_to_send())
        writer.close()
        await writer.wait_closed()
        return got, order


def test_streams_play_side_by_side_over_http2(provider: Provider, paced: Shared) -> None:
    slow = Answer(steps=[STEPS[0], Sleep(0.3), *STEPS[1:]])
    with recorded(provider, paced, slow) as proxy:
        proxy.in_mode("replay")
        got, order = asyncio.run(Http2Client(proxy).ask(10))
    assert len(got) == 10
    for chunks in got.values():
        assert [data for _, data in chunks] == STEPS
        assert chunks[1][0] >= 0.29  # Counted from the request, however late the first one was.
    # At the same time, not one after the other: all have begun before the first goes on.
    assert sorted(order[:10]) == sorted(got)


def test_http10_gets_its_stream_until_the_connections_end() -> None:
    with Mitmdump(SHIPPED, "replay", proxy_mode="reverse:https://api.fireworks.ai@0") as proxy:
        body = json.dumps(BODY).encode()
        with socket.create_connection(("127.0.0.1", proxy.port), 10) as client:
            client.sendall(
                b"POST %s HTTP/1.0\r\ncontent-length: %d\r\n\r\n" % (FIREWORKS_CHAT.encode(), len(body)) + body
            )
            with client.makefile("rb") as answer:
                text = answer.read()
    head, _, content = text.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.")
    assert b"chunked" not in head.lower()
    assert content.endswith(b"data: [DONE]\n\n")
