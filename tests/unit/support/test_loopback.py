"""The provider itself, with nothing between it and its client: what the other tests take for granted."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import brotli
import h2.config
import h2.connection
import h2.events
import httpx
import pytest
import zstandard
from h11 import CLIENT, Connection, Data, EndOfMessage, RemoteProtocolError, Request, Response

from harness import Mitmdump, async_openai_client, client_env, openai_client, start_expecting_failure, wait_until
from loopback import (
    Answer,
    Close,
    EndEarly,
    Framing,
    Provider,
    Received,
    Reset,
    Sleep,
    Step,
    Wait,
    by_request,
    error_answer,
    from_recording,
    json_answer,
    ndjson,
    sse,
    wire_body,
    wire_path,
)
from places import SHIPPED

SEEDS = sorted((SHIPPED / "default" / "responses").glob("*.json"))
PATH = "/v1/chat/completions"
FRAMINGS: list[Framing] = ["chunked", "length", "close"]


class RawClient:
    """One connection by hand: sees each transfer chunk, and how the connection ended."""

    def __init__(self, provider: Provider, *, tls: bool = True, alpn: str = "http/1.1") -> None:
        self.socket: socket.socket = socket.create_connection(("127.0.0.1", provider.port), timeout=60)
        if tls:
            context = ssl.create_default_context(cafile=provider.ca_pem)
            context.set_alpn_protocols([alpn])
            # An end without close_notify is to show.
            self.socket = context.wrap_socket(self.socket, server_hostname="api.openai.com", suppress_ragged_eofs=False)
        self._h11 = Connection(CLIENT)

    def __enter__(self) -> "RawClient":
        return self

    def __exit__(self, *exc: object) -> None:
        self.socket.close()

    def post(self, path: str, body: bytes = b"{}") -> Response:
        headers = [("host", "api.openai.com"), ("content-length", str(len(body)))]
        request = Request(method="POST", target=path, headers=headers)
        self.socket.sendall(b"".join(self._h11.send(event) or b"" for event in (request, Data(body), EndOfMessage())))
        answer = self.event()
        assert isinstance(answer, Response)
        return answer

    def event(self) -> Any:
        while (event := self._h11.next_event()).__class__.__name__ == "NEED_DATA":
            self._h11.receive_data(self.socket.recv(65536))
        return event

    def chunks(self) -> Iterator[bytes]:
        """The transfer chunks, one by one, until the end of the message."""
        whole = b""
        while not isinstance(event := self.event(), EndOfMessage):
            assert isinstance(event, Data)
            whole += bytes(event.data)
            if event.chunk_end or not event.chunk_start:
                yield whole
                whole = b""


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


def http_client(provider: Provider) -> httpx.Client:
    context = ssl.create_default_context(cafile=provider.ca_pem)
    return httpx.Client(base_url=provider.url, verify=context, trust_env=False)


def test_each_step_is_a_chunk_that_arrives_before_the_next_is_sent(provider: Provider) -> None:
    first, second = Event(), Event()
    provider.on(PATH, Answer(steps=[b"one", Wait(first), b"two", Wait(second), b"three"]))
    with RawClient(provider) as client:
        assert client.post(PATH).status_code == 200
        chunks = client.chunks()
        assert next(chunks) == b"one"
        first.set()
        assert next(chunks) == b"two"
        second.set()
        assert list(chunks) == [b"three"]


def test_chunks_stay_apart_when_sent_at_once(provider: Provider) -> None:
    provider.on(PATH, Answer(steps=[b"one", b"", b"two", Sleep(0), b"three"]))
    with RawClient(provider) as client:
        client.post(PATH)
        assert list(client.chunks()) == [b"one", b"two", b"three"]


@pytest.mark.parametrize("framing", FRAMINGS)
def test_framings(provider: Provider, framing: Framing) -> None:
    provider.on(PATH, Answer(steps=[b"one", b"two"], framing=framing))
    with http_client(provider) as client:
        for _ in range(2):
            answer = client.post(PATH)
            assert answer.content == b"onetwo"
            assert answer.headers.get("content-length") == ("6" if framing == "length" else None)
            assert answer.headers.get("transfer-encoding") == ("chunked" if framing == "chunked" else None)
    assert provider.connections == (2 if framing == "close" else 1)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_each_chunk_can_be_decoded_as_it_comes(provider: Provider, coding: Any) -> None:
    decode = {
        "gzip": zlib.decompressobj(wbits=31).decompress,
        "br": brotli.Decompressor().process,
        "zstd": zstandard.ZstdDecompressor().decompressobj().decompress,
    }[coding]
    go_on = Event()
    events = sse([{"text": "one"}, {"text": "two"}])
    provider.on(PATH, Answer(steps=[events[0], Wait(go_on), *events[1:]], coding=coding))
    with RawClient(provider) as client:
        head = client.post(PATH)
        assert (b"content-encoding", coding.encode()) in head.headers
        chunks = client.chunks()
        assert decode(next(chunks)) == events[0]
        go_on.set()
        assert [decode(chunk) for chunk in chunks] == [*events[1:], b""]
    with http_client(provider) as client:
        assert client.post(PATH).content == b"".join(events)


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("tls", [True, False])
def test_reset_is_a_tcp_reset_after_what_was_sent(tls: bool, framing: Framing) -> None:
    with Provider(tls=tls) as provider:
        provider.on(PATH, Answer(steps=[b"one", Reset()], framing=framing))
        with RawClient(provider, tls=tls) as client:
            client.post(PATH)
            chunks = client.chunks()
            assert next(chunks) == b"one"
            # Python's ssl reports some resets as an end in violation of the protocol.
            with pytest.raises((ConnectionResetError, ssl.SSLEOFError) if tls else ConnectionResetError):
                next(chunks)
        assert not provider.left.is_set()


@pytest.mark.parametrize("framing", ["chunked", "length"])
def test_close_breaks_the_framing(provider: Provider, framing: Framing) -> None:
    provider.on(PATH, Answer(steps=[b"one", Close(), b"two"], framing=framing))
    with RawClient(provider) as client:
        client.post(PATH)
        chunks = client.chunks()
        assert next(chunks) == b"one"
        with pytest.raises(RemoteProtocolError, match=r"closed connection|peer closed"):
            next(chunks)


def test_close_without_framing_is_a_clean_end(provider: Provider) -> None:
    provider.on(PATH, Answer(steps=[b"one", Close(), b"two"], framing="close"))
    with http_client(provider) as client:
        assert client.post(PATH).content == b"one"


@pytest.mark.parametrize("framing", FRAMINGS)
def test_end_early_is_a_clean_end(provider: Provider, framing: Framing) -> None:
    provider.on(PATH, Answer(steps=[b"one", EndEarly(), b"two"], framing=framing, coding="gzip"))
    with http_client(provider) as client:
        assert client.post(PATH).content == b"one"


@pytest.mark.parametrize("http2", [False, True])
@pytest.mark.parametrize("step", [Wait(Event()), Sleep(1000), bytes(1 << 26)], ids=["wait", "sleep", "write"])
def test_a_client_that_leaves_is_noticed(http2: bool, step: Step) -> None:
    with Provider(http2=http2) as provider:
        provider.on(PATH, Answer(steps=[b"one", step, b"two"]))
        with RawClient(provider, alpn="h2" if http2 else "http/1.1") as client:
            if http2:
                h2_post(client)
            else:
                client.post(PATH)
                assert client.socket.recv(1)
            assert not provider.left.is_set()
        assert provider.left.wait(60)


def test_stops_while_a_client_waits() -> None:
    provider = Provider()
    with contextlib.ExitStack() as stack:
        with provider:
            provider.on(PATH, Answer(steps=[b"one", Wait(Event())]))
            client = stack.enter_context(RawClient(provider))
            client.post(PATH)
            idle = stack.enter_context(socket.create_connection(("127.0.0.1", provider.port)))
        with contextlib.suppress(ConnectionResetError):
            assert idle.recv(1) == b""


def test_requests_are_kept_as_they_came(provider: Provider) -> None:
    provider.on(PATH, json_answer({"ok": True}))
    with http_client(provider) as client:
        client.post(f"{PATH}?a=1", json={"model": "m"}, headers={"Authorization": "Bearer sk", "host": "api.groq.com"})
    (received,) = provider.wait_for_requests(1)
    assert (received.method, received.path, received.host) == ("POST", f"{PATH}?a=1", "api.groq.com")
    assert received.json() == {"model": "m"}
    assert received.header("authorization") == "Bearer sk"
    assert received.header("absent") is None


def test_the_name_of_the_handshake_is_kept(provider: Provider) -> None:
    with RawClient(provider) as client:
        client.post(PATH)
    assert provider.requests[0].sni == "api.openai.com"


def test_answers_queue_and_the_last_repeats(provider: Provider) -> None:
    provider.on(PATH, error_answer(429, "slow down", headers=[("retry-after", "1")]), json_answer(1))
    provider.on(PATH, lambda received: json_answer(len(received.body)))
    with http_client(provider) as client:
        first = client.post(PATH)
        assert (first.status_code, first.headers["retry-after"]) == (429, "1")
        assert first.json()["error"] == {
            "message": "slow down",
            "type": "invalid_request_error",
            "param": None,
            "code": None,
        }
        assert [client.post(PATH, content=b"abc").json() for _ in range(3)] == [1, 3, 3]
        assert client.post("/other").status_code == 404
        provider.on("*", json_answer("any"))
        assert client.get("/other").json() == "any"


def test_a_broken_answer_fails_the_test_and_not_only_the_client() -> None:
    def broken(received: Received) -> Answer:
        raise ZeroDivisionError

    provider = Provider().__enter__()
    provider.on(PATH, broken)
    with http_client(provider) as client, pytest.raises(httpx.TransportError):
        client.post(PATH)
    with pytest.raises(ZeroDivisionError):
        provider.__exit__(None, None, None)


def test_connections_count_whatever_comes_of_them(provider: Provider) -> None:
    with socket.create_connection(("127.0.0.1", provider.port), timeout=60) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            while client.recv(4096):
                pass
    assert provider.connections == 1
    assert provider.requests == []
    with pytest.raises(AssertionError, match="0 of 1 requests"):
        provider.wait_for_requests(1, timeout=0.01)


def test_plain_http_and_nonsense() -> None:
    with Provider(tls=False) as provider:
        provider.on(PATH, json_answer("plain"))
        with RawClient(provider, tls=False) as client:
            client.post(PATH)
            assert list(client.chunks()) == [b'"plain"']
        with RawClient(provider, tls=False) as client:
            client.socket.sendall(b"\x00nonsense\r\n\r\n")
            assert client.socket.recv(4096).startswith(b"HTTP/1.1 400 ")


def h2_post(client: RawClient) -> h2.connection.H2Connection:
    connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    connection.initiate_connection()
    headers = [(":method", "POST"), (":path", PATH), (":scheme", "https"), (":authority", "api.openai.com")]
    connection.send_headers(1, headers)
    connection.send_data(1, b"{}", end_stream=True)
    client.socket.sendall(connection.data_to_send())
    while not any(isinstance(event, h2.events.ResponseReceived) for event in h2_events(client, connection)):
        pass
    return connection


def h2_events(client: RawClient, connection: h2.connection.H2Connection) -> list[h2.events.Event]:
    events = connection.receive_data(client.socket.recv(65536))
    client.socket.sendall(connection.data_to_send())
    return events


def test_http2_chunks_arrive_one_by_one() -> None:
    go_on = Event()
    with Provider(http2=True) as provider:
        provider.on(PATH, Answer(steps=[Wait(go_on), b"one", b"two"]))
        with RawClient(provider, alpn="h2") as client:
            connection = h2_post(client)
            go_on.set()
            seen: list[h2.events.Event] = []
            while not any(isinstance(event, h2.events.StreamEnded) for event in seen):
                seen += h2_events(client, connection)
        assert [event.data for event in seen if isinstance(event, h2.events.DataReceived)] == [b"one", b"two", b""]
        assert (provider.requests[0].host, provider.requests[0].body) == ("api.openai.com", b"{}")


def test_http2_larger_than_its_windows() -> None:
    with Provider(http2=True) as provider:
        provider.on(PATH, Answer(steps=[b"x" * 1_000_000, b"y"], framing="length"))
        context = ssl.create_default_context(cafile=provider.ca_pem)
        with httpx.Client(base_url=provider.url, verify=context, trust_env=False, http1=False, http2=True) as client:
            for _ in range(2):
                answer = client.post(PATH, json={})
                assert answer.http_version == "HTTP/2"
                assert len(answer.content) == 1_000_001
        assert provider.connections == 1


def test_http2_reset_of_one_stream() -> None:
    go_on = Event()
    with Provider(http2=True) as provider:
        provider.on(PATH, Answer(steps=[Wait(go_on), b"one", Reset(stream_only=True)]))
        with RawClient(provider, alpn="h2") as client:
            connection = h2_post(client)
            go_on.set()
            seen: list[h2.events.Event] = []
            while not any(isinstance(event, h2.events.StreamReset) for event in seen):
                seen += h2_events(client, connection)
            assert not any(isinstance(event, h2.events.ConnectionTerminated) for event in seen)


def test_sse_and_ndjson() -> None:
    events: list[dict[str, Any] | bytes | str] = [{"a": "é"}, b": ping\n\n", "two\nlines"]
    assert sse(events, newline=b"\r\n") == [
        'data: {"a":"é"}\r\n\r\n'.encode(),
        b": ping\n\n",
        b"data: two\r\ndata: lines\r\n\r\n",
        b"data: [DONE]\r\n\r\n",
    ]
    assert sse([], done=False) == []
    assert ndjson([{"done": False}]) == [b'{"done":false}\n']


def test_a_recorded_chunk_as_its_provider_sent_it() -> None:
    recording = json.loads((SEEDS[0].parent / "e99f14805360.json").read_text())
    answer = from_recording(recording)
    start = (
        b'data: {"id":"d583f66e-de11-4210-8153-54be000a2783","object":"chat.completion.chunk","created":1758920391,'
        b'"model":"accounts/fireworks/models/llama-v3p1-8b-instruct","choices":[{"index":0,"delta":'
    )
    assert answer.steps[0] == start + b'{"role":"assistant"},"logprobs":null,"finish_reason":null}]}\n\n'
    assert answer.steps[1] == start + b'{"content":"Hello!"},"logprobs":null,"finish_reason":null}]}\n\n'
    assert answer.steps[-2] == (
        start + b'{},"logprobs":null,"finish_reason":"stop"}],'
        b'"usage":{"prompt_tokens":14,"completion_tokens":26,"total_tokens":40}}\n\n'
    )
    assert answer.steps[-1] == b"data: [DONE]\n\n"
    assert len(answer.steps) == len(recording["response"]["body"]) + 1


def test_extra_fields_of_a_recording_stay() -> None:
    last = from_recording(SEEDS[0].parent / "af6ca03dcbc3.json").steps[-2]
    assert isinstance(last, bytes)
    assert last.endswith(
        b'"usage":{"prompt_tokens":26,"completion_tokens":50,"total_tokens":76,"prompt_tokens_details":'
        b'{"cached_tokens":0}},"time_info":{"queue_time":0.000103421,"prompt_time":0.001700221,'
        b'"completion_time":0.050781803,"total_time":0.05472397804260254,"created":1758191353}}\n\n'
    )


def recording_of(kind: str, data: Any, body: dict[str, Any] | None = None) -> dict[str, Any]:
    recorded: Any = {"__type__": kind, "__data__": data} if isinstance(data, dict) else data
    request = {"url": "https://api.openai.com/v1/v1/x", "body": body or {}}
    return {"request": request, "response": {"body": recorded, "is_streaming": False}}


@pytest.mark.parametrize(("asked", "embedding"), [({}, "AACAPwAAAL8="), ({"encoding_format": "float"}, [1.0, -0.5])])
def test_embeddings_in_the_form_that_was_asked_for(asked: dict[str, Any], embedding: Any) -> None:
    data = {"data": [{"embedding": [1.0, -0.5], "index": 0, "object": "embedding"}], "model": "m", "object": "list"}
    recording = recording_of("openai.types.create_embedding_response.CreateEmbeddingResponse", data, asked)
    assert json.loads(from_recording(recording).body)["data"][0]["embedding"] == embedding


def test_model_lists_ollama_and_errors() -> None:
    model = {"id": "m", "created": 0, "object": "model", "owned_by": "o"}
    listed = from_recording(recording_of("", [{"__type__": "openai.types.model.Model", "__data__": model}]))
    assert json.loads(listed.body) == {"object": "list", "data": [model]}

    message = {"role": "assistant", "content": "x", "images": None}
    data = {"model": "m", "done": True, "done_reason": None, "message": message}
    element = {"__type__": "ollama._types.ChatResponse", "__data__": data}
    streamed = from_recording({"request": {}, "response": {"body": [element], "is_streaming": True}})
    assert streamed.steps == [b'{"model":"m","message":{"role":"assistant","content":"x"},"done":true}\n']
    assert ("content-type", "application/x-ndjson") in streamed.headers

    error = {"message": "Error code: 400 - {'error': {'message': 'm', 'code': None}}", "status_code": 400, "body": {}}
    refused = from_recording({"response": {"body": None, "is_exception": True, "exception_data": error}})
    assert (refused.status, json.loads(refused.body)) == (400, {"error": {"message": "m", "code": None}})
    refused = from_recording({"response": {"is_exception": True, "exception_data": error | {"message": "lost"}}})
    assert json.loads(refused.body) == {"error": {}}


def test_passthrough_recordings() -> None:
    lines = ["event: a", "data: {}", "", "event: b", "data: {}", ""]
    streamed = from_recording({"response": {"status": 200, "body": lines, "is_streaming": True}})
    assert streamed.steps == [b"event: a\ndata: {}\n\n", b"event: b\ndata: {}\n\n"]
    whole = from_recording({"response": {"status": 201, "body": {"a": None}, "is_streaming": False}})
    assert (whole.status, whole.body) == (201, b'{"a":null}')


def test_recorded_requests_get_their_recorded_answers(provider: Provider) -> None:
    for path in {wire_path(seed) for seed in SEEDS}:
        provider.on(path, by_request(*SEEDS))
    with http_client(provider) as client:
        for seed in SEEDS:
            assert client.post(wire_path(seed), json=wire_body(seed)).content == from_recording(seed).body
        assert client.post(wire_path(SEEDS[0]), json={}).status_code == 400


def test_insert_keeps_the_other_steps() -> None:
    wait = Wait(Event())
    assert Answer(steps=[b"a", b"b"]).insert(1, wait).steps == [b"a", wait, b"b"]


# The harness, without the addon: what a real mitmdump does with it.


def test_mitmdump_leads_to_the_provider_and_back(provider: Provider) -> None:
    chat = next(seed for seed in SEEDS if wire_path(seed).endswith("/chat/completions"))
    answer = from_recording(chat)
    provider.on(wire_path(chat), replace(answer, coding="gzip"))
    with Mitmdump(origin=provider, addon=None) as proxy, openai_client(proxy, max_retries=0) as client:
        for _ in range(2):
            chunks = list(client.chat.completions.create(**wire_body(chat)))
            assert len(chunks) == len(answer.steps) - 1
        # The SDK leaves at [DONE] without the end of the framing, so each request may have a connection of its own.
        assert proxy.connects() == ["api.fireworks.ai:443"] * provider.connections
        proxy.wait_for_log("POST https://api.fireworks.ai/inference/v1/chat/completions")
        assert proxy.stop() == 0
    assert [received.sni for received in provider.requests] == ["api.fireworks.ai"] * 2


def test_mitmdump_without_an_origin_goes_nowhere() -> None:
    with Mitmdump(addon=None) as proxy:
        context = ssl.create_default_context(cafile=proxy.ca_file)
        with httpx.Client(proxy=proxy.proxy_url, verify=context, trust_env=False) as client:
            assert client.get("http://api.openai.com/").status_code == 502
        assert proxy.connects() == ["api.openai.com:80"]


def test_mitmproxy_keeps_the_host_on_a_connection_used_again(provider: Provider) -> None:
    provider.on("*", json_answer({}))
    with Mitmdump(origin=provider, addon=None) as proxy:
        context = ssl.create_default_context(cafile=proxy.ca_file)
        with httpx.Client(proxy=proxy.proxy_url, verify=context, trust_env=False) as client:
            for path in ("one", "two"):
                client.get(f"https://api.openai.com/{path}")
        proxy.wait_for_log("GET https://api.openai.com/one")
        proxy.wait_for_log("GET https://api.openai.com/two")
        assert proxy.connects() == ["api.openai.com:443"]


def test_nothing_in_the_process_leaves_the_machine(tmp_path: Path) -> None:
    script = tmp_path / "leak.py"
    script.write_text(
        """  # noqa: E501
import contextlib, socket
with contextlib.suppress(OSError):
    socket.getaddrinfo("api.openai.invalid", 443)
with contextlib.suppress(OSError), socket.socket() as leak:
    leak.connect(("192.0.2.1", 443))
"""
    )
    with Mitmdump(addon=None, args=["-s", str(script)]) as proxy:
        assert proxy.connects() == ["resolve api.openai.invalid", "connect 192.0.2.1:443"]


def test_clients_take_the_proxy_from_the_environment_only(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://example.invalid")
    before = dict(os.environ)
    provider.on("/v1/models", json_answer({"object": "list", "data": []}))

    async def models(proxy: Mitmdump) -> list[Any]:
        async with async_openai_client(proxy, "https://api.openai.com/v1") as client:
            return (await client.models.list()).data

    with Mitmdump(origin=provider, addon=None) as proxy:
        assert asyncio.run(models(proxy)) == []
        assert proxy.connects() == ["api.openai.com:443"]
        code = "import httpx; print(httpx.get('https://api.openai.com/v1/models').json())"
        output = subprocess.run([sys.executable, "-c", code], env=client_env(proxy), capture_output=True, check=True)
        assert output.stdout == b"{'object': 'list', 'data': []}\n"
    assert dict(os.environ) == before


def test_wait_until_and_wait_for_log_say_what_did_not_come() -> None:
    assert wait_until(lambda: "value") == "value"
    with pytest.raises(AssertionError, match="not within"):
        wait_until(lambda: None, timeout=0.01)
    with Mitmdump(addon=None) as proxy:
        with pytest.raises(AssertionError, match="to_loopback is ready"):
            proxy.wait_for_log("no such line", timeout=0.01)
        assert proxy.stop(signal.SIGTERM) == proxy.stop() == 0
        with pytest.raises(AssertionError, match="the process ended"):
            proxy.wait_for_log("no such line")


def test_a_mitmdump_that_is_forked_is_as_one_that_is_started(tmp_path: Path) -> None:
    """What a program of its own has is its own: arguments, folder, environment, session, path, files, exit code."""
    script = tmp_path / "look.py"
    script.write_text(
        "import json, logging, os, sys\n"
        "def running():\n"
        "    files = len(os.listdir('/proc/self/fd')) if os.path.isdir('/proc/self/fd') else 0\n"
        "    own = [sys.argv, os.getcwd(), sys.path[0], dict(os.environ), os.getsid(0) == os.getpid(), files]\n"
        "    logging.warning('has ' + json.dumps(own))\n"
    )
    seen = []
    for fork in (True, False):
        with Mitmdump(tmp_path / "recordings", "live", args=["-s", str(script)], fork=fork) as proxy:
            own = json.loads(proxy.wait_for_log("has (.*)$")[1])
            assert own[3].pop("TO_LOOPBACK_CONNECTS") != own[3].pop("XDG_STATE_HOME")
            seen.append(own)
            assert proxy.process.poll() is None
            proxy.process.kill()
            assert proxy.process.wait() == proxy.process.poll() == -signal.SIGKILL
    assert seen[0] == seen[1]


def test_mitmdump_reverse(provider: Provider) -> None:
    provider.on("/v1/models", json_answer({"data": []}))
    with (
        Mitmdump(origin=provider, addon=None, proxy_mode="reverse:https://api.openai.com@0") as proxy,
        httpx.Client(base_url=proxy.proxy_url, trust_env=False) as client,
    ):
        assert client.get("/v1/models").json() == {"data": []}
        assert proxy.connects()[0] == "api.openai.com:443"
    assert provider.requests[0].sni == "api.openai.com"


def test_mitmdump_that_fails_shows_its_log() -> None:
    code, output = start_expecting_failure(["--mode", "nonsense"], addon=None)
    assert code == 1
    assert "nonsense" in output
    with pytest.raises(AssertionError, match="unknown mode"):
        Mitmdump(proxy_mode="nonsense", addon=None).__enter__()
