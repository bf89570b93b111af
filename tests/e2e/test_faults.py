"""Faults on purpose, through a real mitmdump: on replays and on live streams, over HTTP/1.1 and HTTP/2."""

import asyncio
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import h2.config
import h2.connection
import h2.errors
import h2.events
import httpx2
import openai
import pytest

from harness import Mitmdump, connect_head, openai_client, wait_until
from loopback import Provider, Wait, from_recording, json_answer
from places import SHIPPED
from samples import CHAT, FIREWORKS_CHAT, MODEL, chunks_of, dumped, load, without_nulls
from wiretape.codecs.units import counted

BODY = load(CHAT)["request"]["body"]
ALL = chunks_of(load(CHAT))
WHERE = f"/v1/chat/completions {MODEL}"
CONTENT = json.dumps(BODY).encode()


def said(chunks: Iterable[bytes]) -> list[object]:
    """What events say, however they are written: a replay's are made anew from the recording."""
    texts = [chunk.decode().removeprefix("data: ").strip() for chunk in chunks]
    return [text if text == "[DONE]" else without_nulls(json.loads(text)) for text in texts]


SENT = [*ALL, "[DONE]"]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        provider.on(FIREWORKS_CHAT, from_recording(CHAT))
        yield provider


def stop(proxy: Mitmdump) -> None:
    assert proxy.stop() == 0
    # Not any traceback: a mitmproxy that stops with connections open logs that it cancelled them.
    assert not re.search("crashed|[Aa]ddon error|wiretape failed|LOST", proxy.log()), proxy.log()


class Rig:
    """One way to an answer that faults are injected into."""

    def __init__(self, mode: str, folder: Path, provider: Provider) -> None:
        self.mode = mode
        self.provider = provider
        self.recordings = SHIPPED if mode == "replay" else folder / "recordings"
        self._config = folder / "team.toml"

    def proxy(self, faults: str, **options: str) -> Mitmdump:
        self._config.write_text(faults)
        chosen = {"wiretape_config": str(self._config), **options}
        origin = None if self.mode == "replay" else self.provider
        return Mitmdump(self.recordings, self.mode, origin=origin, options=chosen)

    def check(self, proxy: Mitmdump, *faults: str) -> None:
        """Stop, and look whether all was said, and nothing was recorded."""
        stop(proxy)
        log = proxy.log()
        assert [line.partition("fault: ")[2] for line in log.splitlines() if "fault: " in line] == list(faults)
        assert f"{counted(len(faults), 'fault')} injected" in log
        if self.mode == "replay":
            assert not proxy.connects()
        else:
            assert not [*self.recordings.rglob("*.json")]
            assert "not recorded" not in log


@pytest.fixture(params=["replay", "live", "record", "record-if-missing"])
def rig(request: pytest.FixtureRequest, provider: Provider, tmp_path: Path) -> Rig:
    return Rig(request.param, tmp_path, provider)


@pytest.fixture(params=["replay", "record"])
def either(request: pytest.FixtureRequest, provider: Provider, tmp_path: Path) -> Rig:
    return Rig(request.param, tmp_path, provider)


def ask(client: openai.OpenAI, got: list[object] | None = None) -> list[object]:
    chunks = [] if got is None else got
    for chunk in client.chat.completions.create(**BODY):
        chunks.append(dumped(chunk))
    return chunks


class Raw:
    """A client of bare sockets, in a tunnel through the proxy. TLS is apart: Python's takes a reset for an end."""

    def __init__(self, proxy: Mitmdump) -> None:
        context = ssl.create_default_context(cafile=str(proxy.ca_file))
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname="api.fireworks.ai")
        self._buffer = b""
        self._proxy = proxy

    def __enter__(self) -> "Raw":
        self.socket = socket.create_connection(("127.0.0.1", self._proxy.port), 10)
        self.socket.sendall(connect_head(self._proxy))
        assert self.socket.recv(1000).startswith(b"HTTP/1.1 200")
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.socket.sendall(self._out.read())
                self._in.write(self.socket.recv(65536))
        head = f"POST {FIREWORKS_CHAT} HTTP/1.1\r\nhost: api.fireworks.ai\r\ncontent-length: {len(CONTENT)}\r\n\r\n"
        self._tls.write(head.encode() + CONTENT)
        self.socket.sendall(self._out.read())
        return self

    def __exit__(self, *exc: object) -> None:
        self.socket.close()

    def head(self) -> bytes:
        return self._until(b"\r\n\r\n").lower()

    def chunks(self, count: int) -> list[bytes]:
        """As many chunks, or fewer where the answer ends."""
        found: list[bytes] = []
        while len(found) < count:
            size = int(self._until(b"\r\n"), 16)
            while len(self._buffer) < size + 2:
                self._buffer += self.more()
            chunk, self._buffer = self._buffer[:size], self._buffer[size + 2 :]
            if not chunk:
                break
            found.append(chunk)
        return found

    def more(self) -> bytes:
        while True:
            try:
                data = self._tls.read(65536)
            except ssl.SSLWantReadError:
                received = self.socket.recv(65536)
                assert received, "the connection has ended"
                self._in.write(received)
            else:
                assert data, "TLS has ended"
                return data

    def _until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            self._buffer += self.more()
        found, _, self._buffer = self._buffer.partition(end)
        return found


def test_a_status_is_answered_at_once_and_nothing_is_sent(rig: Rig) -> None:
    faults = '[[fault]]\nnth = 1\nstatus = 429\nretry_after = "7"\nbody = { error = { message = "slow down" } }'
    with rig.proxy(faults) as proxy, openai_client(proxy, max_retries=0) as client:
        with pytest.raises(openai.RateLimitError, match="slow down") as raised:
            ask(client)
        assert raised.value.response.headers["retry-after"] == "7"
        rig.check(proxy, f"status 429: {WHERE}")
    assert not rig.provider.requests


def test_an_sdk_that_tries_again_gets_its_answer(provider: Provider, tmp_path: Path) -> None:
    rig = Rig("record-if-missing", tmp_path, provider)
    with (
        rig.proxy('[[fault]]\nnth = 1\nstatus = 503\nretry_after = 0\ndelay = "1ms"') as proxy,
        openai_client(proxy, max_retries=2) as client,
    ):
        assert ask(client) == ALL
        wait_until(lambda: [*rig.recordings.rglob("responses/*.json")])
        proxy.stop()
        assert "1 fault injected" in proxy.log()
    assert len(provider.requests) == 1


def test_a_cut_is_a_tcp_reset_after_what_was_sent(rig: Rig) -> None:
    with rig.proxy("[[fault]]\ncut = 5") as proxy:
        with Raw(proxy) as client:
            assert b"transfer-encoding: chunked" in client.head()
            assert said(client.chunks(5)) == SENT[:5]
            with pytest.raises(ConnectionResetError):
                client.more()
        with openai_client(proxy, max_retries=0) as sdk:
            got: list[object] = []
            with pytest.raises((openai.APIError, httpx2.TransportError)):
                ask(sdk, got)
            assert got == ALL[:5]
        rig.check(proxy, *[f"cut after chunk 5 (reset): {WHERE}"] * 2)


def test_a_cut_with_an_end_is_a_clean_end_without_done(either: Rig) -> None:
    with either.proxy('[[fault]]\ncut = 5\nhow = "end"') as proxy:
        with Raw(proxy) as client:
            client.head()
            assert said(client.chunks(100)) == SENT[:5]
        with openai_client(proxy, max_retries=0) as sdk:
            assert ask(sdk) == ALL[:5]
            assert ask(sdk) == ALL[:5]  # The connection can be used again.
        either.check(proxy, *[f"cut after chunk 5 (end): {WHERE}"] * 3)


def test_a_cut_after_the_head(either: Rig) -> None:
    faults = '[[fault]]\nnth = 1\ncut = 0\n[[fault]]\nnth = 2\ncut = 0\nhow = "end"'
    with either.proxy(faults) as proxy:
        with Raw(proxy) as client:
            assert client.head().startswith(b"http/1.1 200")
            with pytest.raises(ConnectionResetError):
                client.more()
        with Raw(proxy) as client:
            assert client.head().startswith(b"http/1.1 200")
            assert client.chunks(1) == []
        either.check(proxy, f"cut after chunk 0 (reset): {WHERE}", f"cut after chunk 0 (end): {WHERE}")


def test_a_stall_keeps_the_connection_open_and_lets_the_provider_go(either: Rig) -> None:
    with either.proxy("[[fault]]\nnth = 1\nstall = 5") as proxy:
        with Raw(proxy) as client:
            client.head()
            assert said(client.chunks(5)) == SENT[:5]
            if either.mode != "replay":
                proxy.wait_for_log("server disconnect")
            # Another request goes its way the while: so much later, and still nothing has come.
            with openai_client(proxy) as sdk:
                assert ask(sdk) == ALL
            client.socket.setblocking(False)
            with pytest.raises(BlockingIOError):
                client.socket.recv(1)
        stop(proxy)
        assert f"fault: stall after chunk 5: {WHERE}" in proxy.log()
        assert "1 fault injected" in proxy.log()


def test_a_stall_is_for_one_and_the_sdks_timeout_ends_it(provider: Provider, tmp_path: Path) -> None:
    rig = Rig("record", tmp_path, provider)
    with rig.proxy("[[fault]]\nnth = 1\nstall = 0") as proxy, openai_client(proxy, max_retries=0) as client:
        with pytest.raises((openai.APITimeoutError, httpx2.TimeoutException)):
            ask(client.with_options(timeout=2))
        assert ask(client) == ALL


def test_a_garbled_chunk_is_as_long_and_no_json(either: Rig) -> None:
    with either.proxy("[[fault]]\ngarble = 3") as proxy:
        with Raw(proxy) as client:
            client.head()
            chunks = client.chunks(100)
        assert said(chunks[:2] + chunks[3:]) == SENT[:2] + SENT[3:]
        assert len(chunks[2]) == len(chunks[3]) + len("today") - len("help")
        assert chunks[2].startswith(b"data: (")
        with openai_client(proxy, max_retries=0) as sdk:
            got: list[object] = []
            with pytest.raises((openai.APIError, ValueError)):
                ask(sdk, got)
            assert got == ALL[:2]
        either.check(proxy, *[f"garble chunk 3: {WHERE}"] * 2)


def test_delay_and_slow(either: Rig) -> None:
    with either.proxy('[[fault]]\ndelay = "300ms"\nslow = "20ms"') as proxy:
        with Raw(proxy) as client:
            start = time.monotonic()
            client.head()
            head = time.monotonic() - start
            assert said(client.chunks(100)) == SENT
            end = time.monotonic() - start
        assert head >= 0.29
        assert end - head >= 0.02 * (len(SENT) - 1)
        either.check(proxy, f"delay of 0.3 s, slow, 0.02 s before each chunk: {WHERE}")


def test_a_client_that_leaves_a_slow_answer_disturbs_nobody_and_a_short_one_is_said(
    provider: Provider, tmp_path: Path
) -> None:
    rig = Rig("live", tmp_path, provider)
    with rig.proxy('[[fault]]\nnth = 1\nslow = "50ms"\n[[fault]]\ncut = 100') as proxy:
        with Raw(proxy) as client:
            client.head()
            assert said(client.chunks(1)) == SENT[:1]
        proxy.wait_for_log("client disconnect")
        with openai_client(proxy) as sdk:
            assert ask(sdk) == ALL
        proxy.wait_for_log(rf"cut after chunk 100 \(reset\): was not all reached: the answer had {len(SENT)} chunks")
        stop(proxy)


def test_stopping_in_the_middle_of_a_stall_and_of_a_delay_is_clean(provider: Provider, tmp_path: Path) -> None:
    rig = Rig("record", tmp_path, provider)
    with (
        rig.proxy('[[fault]]\nnth = 1\nstall = 1\n[[fault]]\ndelay = "100s"') as proxy,
        Raw(proxy) as stalled,
        Raw(proxy),
    ):
        stalled.head()
        proxy.wait_for_log("fault: delay of 100 s")
        stop(proxy)


def test_an_answer_in_one_piece_is_one_chunk(provider: Provider, tmp_path: Path) -> None:
    whole = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": []}
    path = "/inference/v1/completions"
    provider.on(path, json_answer({**whole, "object": "text_completion"}))
    rig = Rig("record-if-missing", tmp_path, provider)
    faults = "[[fault]]\nnth = [2, 3]\ngarble = 1\n[[fault]]\nnth = [4, 5]\ncut = 1\n[[fault]]\nnth = 6\ncut = 2"
    with rig.proxy(faults) as proxy, openai_client(proxy, max_retries=0) as client:
        client.completions.create(model="m", prompt="recorded")
        wait_until(lambda: [*rig.recordings.rglob("responses/*.json")])
        for prompt in ("live", "recorded"):
            with pytest.raises((openai.APIError, ValueError)):
                client.completions.create(model="m", prompt=prompt)
        for prompt in ("live", "recorded"):
            with pytest.raises((openai.APIConnectionError, httpx2.TransportError)):
                client.completions.create(model="m", prompt=prompt)
        assert client.completions.create(model="m", prompt="recorded").id == "1"
        proxy.stop()
        assert "fault: cut after chunk 2 (reset): was not all reached: the answer had 1 chunks" in proxy.log()
        assert "5 faults injected" in proxy.log()
    assert len([*rig.recordings.rglob("responses/*.json")]) == 1


def test_a_miss_in_replay_stays_a_miss(tmp_path: Path, provider: Provider) -> None:
    rig = Rig("replay", tmp_path, provider)
    with rig.proxy("[[fault]]\ncut = 1") as proxy, openai_client(proxy) as client:
        with pytest.raises(openai.BadRequestError, match="To record it"):
            client.completions.create(model="none", prompt="none")
        proxy.stop()
        assert "fault: " not in proxy.log()
        assert "faults injected" not in proxy.log()


def test_a_request_with_a_fault_neither_leads_nor_follows(tmp_path: Path) -> None:
    go_on = threading.Event()
    with Provider() as provider:
        provider.on(FIREWORKS_CHAT, from_recording(CHAT).insert(2, Wait(go_on)))
        rig = Rig("record-if-missing", tmp_path, provider)
        with rig.proxy('[[fault]]\nnth = [1, 3]\ncut = 2\nhow = "end"') as proxy:
            with Raw(proxy) as first:  # It does not lead ...
                first.head()
                assert said(first.chunks(100)) == SENT[:2]
            with Raw(proxy) as healthy:  # ... so this one is sent for itself ...
                healthy.head()
                assert said(healthy.chunks(2)) == SENT[:2]
                with Raw(proxy) as third:  # ... and this one does not follow.
                    third.head()
                    assert said(third.chunks(100)) == SENT[:2]
                go_on.set()
                assert said(healthy.chunks(100)) == SENT[2:]
            stop(proxy)
            assert "following" not in proxy.log()
        assert len(provider.requests) == 3
    assert (rig.recordings / "default" / "responses" / CHAT.name).read_bytes() == CHAT.read_bytes()


def test_the_same_seed_gives_the_same_faults_and_another_others(tmp_path: Path, provider: Provider) -> None:
    def drawn(seed: int) -> list[bool]:
        rig = Rig("replay", tmp_path, provider)
        got = []
        with (
            rig.proxy(f"[[fault]]\nshare = 0.4\nseed = {seed}\nstatus = 500\n") as proxy,
            openai_client(proxy, max_retries=0) as client,
        ):
            for _ in range(12):
                try:
                    got.append(ask(client) == ALL)
                except openai.InternalServerError:
                    got.append(False)
        return got

    first = drawn(1)
    assert 1 < first.count(False) < 11
    assert drawn(1) == first
    assert drawn(2) != first


def test_a_cut_answer_announces_no_length(tmp_path: Path) -> None:
    with Provider() as provider:
        provider.on(FIREWORKS_CHAT, from_recording(CHAT, coding="gzip", framing="length"))
        rig = Rig("record", tmp_path, provider)
        with rig.proxy('[[fault]]\ncut = 1\nhow = "end"') as proxy, Raw(proxy) as client:
            head = client.head()
            assert b"content-length" not in head
            assert b"transfer-encoding: chunked" in head
            assert len(client.chunks(100)) == 1


# -- HTTP/2 ------------------------------------------------------------------------------------------------------------


class Http2:
    """One HTTP/2 connection through the proxy."""

    def __init__(self, proxy: Mitmdump) -> None:
        self._proxy = proxy
        self._connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.data: dict[int, list[bytes]] = {}

    async def connect(self) -> None:
        context = ssl.create_default_context(cafile=str(self._proxy.ca_file))
        context.set_alpn_protocols(["h2"])
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._proxy.port)
        self._writer.write(connect_head(self._proxy))
        await self._reader.readuntil(b"\r\n\r\n")
        await self._writer.start_tls(context, server_hostname="api.fireworks.ai")
        self._connection.initiate_connection()

    def ask(self) -> int:
        stream = self._connection.get_next_available_stream_id()
        names = {":method": "POST", ":scheme": "https", ":authority": "api.fireworks.ai", ":path": FIREWORKS_CHAT}
        self._connection.send_headers(stream, [*names.items(), ("content-length", str(len(CONTENT)))])
        self._connection.send_data(stream, CONTENT, end_stream=True)
        self.data[stream] = []
        self._writer.write(self._connection.data_to_send())
        return stream

    async def ended(self, wanted: int) -> h2.events.Event:
        """How the stream ended."""
        while True:
            for event in self._connection.receive_data(await self._reader.read(65536)):
                if isinstance(event, h2.events.DataReceived) and event.data:
                    self.data[event.stream_id].append(event.data)
                    self._connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                if isinstance(event, h2.events.StreamEnded | h2.events.StreamReset) and event.stream_id == wanted:
                    return event
            self._writer.write(self._connection.data_to_send())

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


def test_http2_stall_reset_and_end_each_for_one_stream_alone(either: Rig) -> None:
    faults = '[[fault]]\nnth = 1\nstall = 5\n[[fault]]\nnth = 2\ncut = 5\n[[fault]]\nnth = 3\ncut = 5\nhow = "end"'

    async def scene(proxy: Mitmdump) -> None:
        client = Http2(proxy)
        await client.connect()
        stalled = client.ask()
        reset = client.ask()
        event = await client.ended(reset)
        assert isinstance(event, h2.events.StreamReset)
        assert event.error_code == h2.errors.ErrorCodes.INTERNAL_ERROR
        cut = client.ask()
        assert isinstance(await client.ended(cut), h2.events.StreamEnded)
        whole = client.ask()
        assert isinstance(await client.ended(whole), h2.events.StreamEnded)
        # What is not timed may share a frame.
        got = {stream: said(filter(None, b"".join(data).split(b"\n\n"))) for stream, data in client.data.items()}
        assert got == {stalled: SENT[:5], reset: SENT[:5], cut: SENT[:5], whole: SENT}
        await client.close()

    with either.proxy(faults) as proxy:
        asyncio.run(scene(proxy))
        stop(proxy)
        assert "3 faults injected" in proxy.log()
