"""Layers of ours between two ends that a test holds: events in, commands out.

Decider, tape and recordings are real ones; the clock is the test's. A ``Rig`` has the fast layer of HTTP/1.1, an
``Http2Rig`` mitmproxy's HTTP layer with streams of ours, and a client of HTTP/2.
"""

import asyncio
import json
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import h2.config
import h2.connection
import h2.events
from mitmproxy import connection, options
from mitmproxy.connection import ConnectionState
from mitmproxy.proxy import commands, context, events, layer
from mitmproxy.proxy.layers.http import HTTPMode
from mitmproxy.proxy.layers.http._hooks import HttpRequestHeadersHook, HttpRequestHook

from deciding import make_decider
from samples import CHAT, FIREWORKS_CHAT, load
from wiretape import config
from wiretape.codecs.http1 import LAST_CHUNK, chunk
from wiretape.metrics.counters import SessionCounters
from wiretape.policy import Mode
from wiretape.providers import table, wire
from wiretape.proxy import flow_state
from wiretape.proxy.layers.fast_http1 import FastHttp1Layer
from wiretape.proxy.layers.hooks import WiretapeDecideHook
from wiretape.proxy.layers.http import PlayingLayer
from wiretape.proxy.runtime import Runtime
from wiretape.recording import loads
from wiretape.sessions.access import AccessPolicy
from wiretape.sessions.model import Sessions
from wiretape.store.directory import DirectoryStore
from wiretape.tape.config import TapeConfig
from wiretape.tape.pool import TapePool

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mitmproxy's, of pyparsing's new names.
    from mitmproxy.addons.proxyserver import Proxyserver

HOST = "api.fireworks.ai"
ASKED = load(CHAT)["request"]["body"]
BODY = json.dumps(ASKED).encode()
OTHER = json.dumps({**ASKED, "messages": [{"role": "user", "content": "never heard"}]}).encode()
ANSWER = wire.answer([loads(CHAT.read_bytes())])


def post(body: bytes = BODY, *headers: str, path: str = FIREWORKS_CHAT, host: str = HOST) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Type: application/json", *headers]
    if not any(line.startswith("Transfer-Encoding") for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


FRAMED = b"".join(map(chunk, ANSWER.chunks))
BODY_OF_HIT = FRAMED + LAST_CHUNK


class Rig:
    """A layer, and both ends of it: feeds events, gathers commands, answers hooks when it is told to."""

    def __init__(self, folder: Path, *, mode: HTTPMode = HTTPMode.transparent, rules: str = "", **taped: Any) -> None:
        chosen = options.Options()
        Proxyserver().load(chosen)
        self.client = connection.Client(
            peername=("127.0.0.1", 1234), sockname=("127.0.0.1", 8080), timestamp_start=0, state=ConnectionState.OPEN
        )
        self.context = context.Context(self.client, chosen)
        self.options = chosen
        if mode is HTTPMode.transparent:
            self.context.server.address = (HOST, 443)
            self.context.server.tls = True
        providers = table.load({})
        ledger = SessionCounters()
        self.counters = ledger.of("default")
        self.decider = make_decider()
        drawn = config.loads("rules", rules).faults(providers.names)
        self.decider.runtime = Runtime(providers=providers, faults=drawn)
        arguments = {"memory": 1_000_000, "mode": Mode.REPLAY, **taped}
        self.store = DirectoryStore(folder)
        memory, mode_of_tape = arguments.pop("memory"), arguments.pop("mode")
        self._tapes = TapePool(self.store, Sessions(), ledger, TapeConfig(**arguments), memory=memory)
        self.use(mode_of_tape)
        self._runner = asyncio.Runner()
        self.begin(mode)

    def begin(self, mode: HTTPMode = HTTPMode.transparent, *, lenient: bool = True) -> None:
        """A connection begins: with new layers, the former ones are gone."""
        self.context.layers.clear()
        self.make_layer(mode, lenient=lenient)
        assert self.feed(events.Start()) == []

    def make_layer(self, mode: HTTPMode, *, lenient: bool) -> layer.Layer:
        """Make the layer that this is about."""
        return FastHttp1Layer(self.context, mode, self.decider, lenient=lenient)

    def use(self, mode: Mode) -> None:
        policy = AccessPolicy(Sessions(), "default", mode, mode_is_explicit=True)
        self.decider.admission.use(policy, self._tapes, self.decider.runtime.faults)

    def close(self) -> None:
        self.decider.close()
        self._runner.close()

    def feed(self, event: events.Event) -> list[Any]:
        """What the layer commands upon an event: data for the client as bytes, all else as it is."""

        async def fed() -> list[Any]:
            return [self._plain(each) for each in self.context.layers[0].handle_event(event)]

        made = self._runner.run(fed())
        return [each for each in made if not isinstance(each, commands.Log)]

    def _plain(self, each: commands.Command) -> Any:
        if isinstance(each, commands.SendData) and each.connection is self.client:
            return each.data
        return each

    def receive(self, data: bytes) -> list[Any]:
        return self.feed(events.DataReceived(self.client, data))

    def decide(self, hook: object) -> list[Any]:
        """Let the decider decide, as the addon does, and go on."""
        assert isinstance(hook, WiretapeDecideHook)
        hook.asking.outcome = self._runner.run(self.decider.decide(hook.asking.request))
        return self.complete(hook)

    def complete(self, hook: object) -> list[Any]:
        """Let whatever asks come in, and out, as the addon does, and go on."""
        assert isinstance(hook, commands.StartHook)
        if isinstance(hook, HttpRequestHeadersHook):
            marked = flow_state.of(hook.flow)
            marked.grant, marked.leaves = self.decider.admission.grant(self.client), True
        return self.pass_on(hook)

    def pass_on(self, hook: commands.StartHook) -> list[Any]:
        """Go on after a hook, as if no addon had anything to say."""
        return self.feed(events.HookCompleted(hook))

    def wake(self, wakeup: object) -> list[Any]:
        assert isinstance(wakeup, commands.RequestWakeup)
        return self.feed(events.Wakeup(wakeup))

    def leave(self, state: ConnectionState = ConnectionState.CLOSED) -> list[Any]:
        self.client.state = state
        return self.feed(events.ConnectionClosed(self.client))

    def ask(self, data: bytes = b"") -> list[Any]:
        """What comes of a request whose answer is not in memory."""
        (hook,) = self.receive(data or post())
        return self.decide(hook)

    def warm(self, data: bytes = b"") -> None:
        """Have a hit in memory: asked once."""
        self.ask(data)

    @property
    def is_delegated(self) -> bool:
        (only,) = self.context.layers
        assert isinstance(only, FastHttp1Layer | PlayingLayer)
        return isinstance(only, PlayingLayer)


class Http2Rig(Rig):
    """The same of HTTP/2: what goes to the client is read by a client of HTTP/2."""

    def make_layer(self, mode: HTTPMode, *, lenient: bool) -> layer.Layer:
        """Make the layer that this is about, for a client that has just connected."""
        self.client.alpn = b"h2"
        settings = h2.config.H2Configuration(
            client_side=True, header_encoding="utf-8", validate_outbound_headers=False, normalize_outbound_headers=False
        )
        self.peer = h2.connection.H2Connection(settings)
        self.peer.initiate_connection()
        self.peer.increment_flow_control_window(2**30)
        self.got: dict[int, list[h2.events.Event]] = {}
        """What the client has got of each stream."""
        return PlayingLayer(self.context, mode, self.decider, lenient=lenient)

    def _plain(self, each: commands.Command) -> Any:
        if not (isinstance(each, commands.SendData) and each.connection is self.client):
            return each
        for event in self.peer.receive_data(each.data):
            self.got.setdefault(getattr(event, "stream_id", 0) or 0, []).append(event)
        return None

    def feed(self, event: events.Event) -> list[Any]:
        """What the layer commands upon an event, but for what it sends to the client."""
        return [each for each in super().feed(event) if each is not None]

    def send(
        self, body: bytes = BODY, *, is_whole: bool = True, headers: Mapping[str, str] | None = None
    ) -> tuple[int, list[Any]]:
        """Send a request on a new stream, or its beginning; return the stream and what comes of it."""
        stream = self.peer.get_next_available_stream_id()
        head = {":method": "POST", ":scheme": "https", ":authority": HOST, ":path": FIREWORKS_CHAT}
        head |= {"content-type": "application/json", **(headers or {})}
        self.peer.send_headers(stream, [*head.items()])
        self.peer.send_data(stream, body, end_stream=is_whole)
        return stream, self.receive(self.peer.data_to_send())

    def reset(self, stream: int) -> list[Any]:
        """The client gives a stream up."""
        self.peer.reset_stream(stream)
        return self.receive(self.peer.data_to_send())

    def head_of(self, stream: int) -> dict[str, str]:
        """Return the head of an answer; empty where none has come."""
        heads = [each.headers for each in self.got.get(stream, []) if isinstance(each, h2.events.ResponseReceived)]
        return dict(heads[0]) if heads else {}  # type: ignore[arg-type]

    def pieces_of(self, stream: int) -> list[bytes]:
        """Return the pieces of an answer's body that have come; the frame that ends it is none."""
        frames = [each for each in self.got.get(stream, []) if isinstance(each, h2.events.DataReceived)]
        return [each.data for each in frames if each.data]

    def end_of(self, stream: int) -> type[h2.events.Event] | None:
        """Return how an answer has ended; None where it has not."""
        ends = (h2.events.StreamEnded, h2.events.StreamReset)
        return next((type(each) for each in self.got.get(stream, []) if isinstance(each, ends)), None)


class Clock:
    """A layer's clock: it stands until it is told to go on."""

    def __init__(self) -> None:
        self.moment = 1000.0

    def pass_by(self, seconds: float) -> None:
        self.moment += seconds

    def __call__(self) -> float:
        return self.moment


class Rigs:
    """Makes rigs, and closes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._rigs: list[Rig] = []

    def __call__(self, **more: Any) -> Rig:
        return self.kept(Rig(self.folder, **more))

    def http2(self, **more: Any) -> Http2Rig:
        """Make one of HTTP/2."""
        return self.kept(Http2Rig(self.folder, **more))

    def kept[R: Rig](self, rig: R) -> R:
        """Have a rig closed with the others."""
        self._rigs.append(rig)
        return rig

    def close(self) -> None:
        """Close all of them."""
        for rig in self._rigs:
            rig.close()


def split(answer: Any) -> tuple[bytes, bytes]:
    """Head and body as they were sent."""
    assert isinstance(answer, bytes)
    head, end, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 ")
    return head + end, body


def is_close(command: object) -> bool:
    return isinstance(command, commands.CloseConnection) and isinstance(command.connection, connection.Client)


def taken_over(made: Iterable[Any]) -> HttpRequestHeadersHook:
    """The first hook of the flow that is there now."""
    (hook,) = made
    assert isinstance(hook, HttpRequestHeadersHook)
    return hook


def request_of(rig: Rig, hook: HttpRequestHeadersHook) -> HttpRequestHook:
    """The flow's next hook: it has the whole request."""
    (then,) = rig.complete(hook)
    assert isinstance(then, HttpRequestHook)
    assert then.flow is hook.flow
    return then


def play_out(rig: Rig, clock: Clock, made: list[Any]) -> bytes:
    """All that is sent from here to the end of a play."""
    sent = b""
    while made:
        sent += b"".join(each for each in made if isinstance(each, bytes))
        wakeups = [each for each in made if isinstance(each, commands.RequestWakeup)]
        if not wakeups:
            return sent
        (wakeup,) = wakeups
        clock.pass_by(wakeup.delay)
        made = rig.wake(wakeup)
    return sent
