"""A client of HTTP/2 and a provider of HTTP/1.1: each request starts when it comes, and connections are used again."""

import json
import socket
import ssl
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Self

import h2.config
import h2.connection
import h2.events
import pytest

from harness import Mitmdump, connect_head
from loopback import Answer, Close, Provider, Reset, Wait, json_answer
from samples import FIREWORKS_CHAT
from sharing import Shared
from talk import body

HOST = "api.fireworks.ai"
CHOICE = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
WHOLE = json_answer({"id": "x-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [CHOICE]})


class Client:
    """One connection of HTTP/2 through a tunnel, on which many requests are under way."""

    def __init__(self, proxy: Mitmdump) -> None:
        plain = socket.create_connection(("127.0.0.1", proxy.port), timeout=60)
        plain.sendall(connect_head(proxy))
        plain.recv(4096)
        context = ssl.create_default_context(cafile=str(proxy.ca_file))
        context.set_alpn_protocols(["h2"])
        self._socket = context.wrap_socket(plain, server_hostname=HOST)
        assert self._socket.selected_alpn_protocol() == "h2"
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.statuses: dict[int, str] = {}
        self.bodies: dict[int, bytes] = defaultdict(bytes)
        self._ended: set[int] = set()
        self._h2.initiate_connection()
        self._socket.sendall(self._h2.data_to_send())
        self._receive()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.close()

    @property
    def most(self) -> int:
        """How many may be under way."""
        return self._h2.remote_settings.max_concurrent_streams

    def ask(self, text: str, *headers: tuple[str, str], length: bool = True, trailers: bool = False) -> int:
        """Send a request, and return its stream."""
        content, stream = json.dumps(body(text, stream=False)).encode(), self._h2.get_next_available_stream_id()
        head = [(":method", "POST"), (":scheme", "https"), (":authority", HOST), (":path", FIREWORKS_CHAT), *headers]
        if length:
            head.append(("content-length", str(len(content))))
        self._h2.send_headers(stream, head)
        self._h2.send_data(stream, content, end_stream=not trailers)
        if trailers:
            self._h2.send_headers(stream, [("x-checksum", "1")], end_stream=True)
        self._socket.sendall(self._h2.data_to_send())
        return stream

    def cancel(self, stream: int) -> None:
        self._h2.reset_stream(stream, 8)
        self._socket.sendall(self._h2.data_to_send())

    def wait(self, streams: Iterable[int]) -> list[str]:
        """The statuses of these, when all have ended; ``reset`` for one that broke off."""
        streams = [*streams]
        while not self._ended.issuperset(streams):
            self._receive()
        return [self.statuses[stream] for stream in streams]

    def _receive(self) -> None:
        data = self._socket.recv(65536)
        assert data, "the proxy has closed the connection"
        for event in self._h2.receive_data(data):
            match event:
                case h2.events.ResponseReceived():
                    self.statuses[event.stream_id] = dict(event.headers)[b":status"].decode()
                case h2.events.DataReceived():
                    self.bodies[event.stream_id] += event.data
                    self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                case h2.events.StreamEnded():
                    self._ended.add(event.stream_id)
                case h2.events.StreamReset():
                    self.statuses[event.stream_id] = "reset"
                    self._ended.add(event.stream_id)
        if out := self._h2.data_to_send():
            self._socket.sendall(out)


@pytest.mark.parametrize(("mode", "count"), [("live", 128), ("record", 12), ("record-if-missing", 12)])
def test_each_starts_when_it_is_asked(provider: Provider, shared: Shared, mode: str, count: int) -> None:
    go_on = threading.Event()
    provider.on(FIREWORKS_CHAT, replace(WHOLE, before=[Wait(go_on)]))
    with shared.lent(mode, provider) as proxy, Client(proxy) as client:
        assert client.most >= 128
        streams = [client.ask(f"question {number}") for number in range(count)]
        provider.wait_for_requests(count, 60)
        go_on.set()
        assert client.wait(streams) == ["200"] * count
        again = [client.ask(f"question {number + count}") for number in range(count)]
        assert client.wait(again) == ["200"] * count
        assert {client.bodies[stream] for stream in (*streams, *again)} == {WHOLE.body}
        assert provider.connections == count


def test_what_comes_in_a_row_has_one_connection(provider: Provider, shared: Shared) -> None:
    provider.on(FIREWORKS_CHAT, WHOLE)
    with shared.lent("record", provider) as proxy, Client(proxy) as client:
        for number in range(8):
            assert client.wait([client.ask(f"question {number}")]) == ["200"]
    assert provider.connections == 1


ENDS: dict[str, tuple[Sequence[Answer], list[str]]] = {
    "it says so": ([replace(WHOLE, headers=(*WHOLE.headers, ("connection", "close")))], ["200"]),
    "the end is the connection's": ([replace(WHOLE, framing="close")], ["200"]),
    "it is reset": ([replace(WHOLE, steps=[Reset()])], ["reset"]),
    "it breaks off": ([replace(WHOLE, steps=[*WHOLE.steps, Close()], framing="chunked")], ["reset"]),
}


@pytest.mark.parametrize(("answers", "statuses"), ENDS.values(), ids=ENDS)
def test_a_connection_that_ends_is_not_used_again(
    provider: Provider, shared: Shared, answers: Sequence[Answer], statuses: list[str]
) -> None:
    provider.on(FIREWORKS_CHAT, *answers, WHOLE)
    with shared.lent("record", provider) as proxy, Client(proxy) as client:
        for number, status in enumerate([*statuses, "200", "200", "200"]):
            assert client.wait([client.ask(f"question {number}")]) == [status]
    assert provider.connections == 2


def test_one_that_was_given_up_is_not_used_again(provider: Provider, shared: Shared) -> None:
    go_on = threading.Event()
    provider.on(FIREWORKS_CHAT, replace(WHOLE, before=[Wait(go_on)]), WHOLE)
    with shared.lent("record", provider) as proxy, Client(proxy) as client:
        stream = client.ask("given up")
        provider.wait_for_requests(1)
        client.cancel(stream)
        for number in range(3):
            assert client.wait([client.ask(f"question {number}")]) == ["200"]
        go_on.set()
    assert provider.connections == 2


@pytest.mark.parametrize("trailers", [False, True], ids=["no trailers", "trailers"])
@pytest.mark.parametrize("headers", [(), (("expect", "100-continue"),)], ids=["bare", "expect"])
def test_a_body_of_unknown_length_arrives(
    provider: Provider, shared: Shared, trailers: bool, headers: tuple[tuple[str, str], ...]
) -> None:
    provider.on(FIREWORKS_CHAT, WHOLE)
    cookies = (("cookie", "a=1"), ("cookie", "b=2"))
    with shared.lent("record", provider) as proxy, Client(proxy) as client:
        for _ in range(2):
            stream = client.ask("long", *cookies, *headers, length=False, trailers=trailers)
            assert client.wait([stream]) == ["200"]
    assert [json.loads(each.body) for each in provider.requests] == [body("long", stream=False)] * 2
    assert [(each.header("cookie"), each.host) for each in provider.requests] == [("a=1; b=2", HOST)] * 2
    assert provider.connections == 1


def test_who_was_not_to_be_reached_is_asked_again(provider: Provider, shared: Shared) -> None:
    provider.on(FIREWORKS_CHAT, WHOLE)
    with shared.lent("record") as proxy, Client(proxy) as client:
        assert client.wait([client.ask("one"), client.ask("two")]) == ["502", "502"]
        proxy.lead_to(provider)
        assert client.wait([client.ask("three")]) == ["200"]


def test_a_provider_of_http2_takes_them_all(shared: Shared) -> None:
    go_on = threading.Event()
    with Provider(http2=True) as provider, shared.lent("live", provider) as proxy, Client(proxy) as client:
        provider.on(FIREWORKS_CHAT, replace(WHOLE, before=[Wait(go_on)]))
        streams = [client.ask(f"question {number}") for number in range(128)]
        provider.wait_for_requests(128, 60)
        go_on.set()
        assert client.wait(streams) == ["200"] * 128
        assert provider.connections == 2  # One has a hundred at once, as it has told.
