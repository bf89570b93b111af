"""What is opened for whom: nothing for a client that nobody let in, nothing to a provider in replay."""

import asyncio
import base64
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from mitmproxy import http, tls
from mitmproxy.connection import Server
from mitmproxy.options import Options
from mitmproxy.proxy import context
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.test import tflow
from mitmproxy.tls import ClientHello

from deciding import make_decider
from wiretape.metrics.counters import SessionCounters
from wiretape.policy import Mode
from wiretape.providers import table
from wiretape.providers.ignoring import IgnoredRequests, Program
from wiretape.proxy import flow_state
from wiretape.proxy.calls import RequestHead
from wiretape.proxy.destinations import Destinations
from wiretape.proxy.runtime import Runtime
from wiretape.sessions import token_file
from wiretape.sessions.access import AccessPolicy
from wiretape.sessions.model import Role, Sessions
from wiretape.sessions.token_file import TokenFile
from wiretape.sessions.tokens import Tokens
from wiretape.store.directory import DirectoryStore
from wiretape.tape.pool import TapePool

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mitmproxy's, of pyparsing's new names.
    from wiretape.proxy.connections import Connections

HOST = "api.openai.com"
FOREIGN = "other.example"


class Rig:
    """The hooks of connections, and one client."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.decider = make_decider()
        self.decider.runtime = Runtime(providers=table.load({}))
        self.hooks = Connections(self.decider, Destinations())
        self.client = tflow.tclient_conn()
        self.client.sni = None

    def use(self, mode: Mode, tokens: TokenFile | None = None) -> None:
        policy = AccessPolicy(Sessions(), "default", mode, tokens=tokens)
        tapes = TapePool(DirectoryStore(self.folder), Sessions(), SessionCounters())
        self.decider.admission.use(policy, tapes)

    def use_tokens(self) -> str:
        """Return a token that is good."""
        token, tokens = Tokens().create("*", Role.WRITE)
        token_file.write(self.folder / "tokens.toml", tokens)
        self.use(Mode.RECORD, TokenFile(self.folder / "tokens.toml"))
        return token.text

    def ask_for_tunnel(self, host: str, credentials: str = "") -> http.HTTPFlow:
        request = http.Request.make("CONNECT", f"https://{host}:443")
        if credentials:
            shown = base64.b64encode(credentials.encode()).decode()
            request.headers["proxy-authorization"] = f"Basic {shown}"
        flow = tflow.tflow(client_conn=self.client, req=request)
        asyncio.run(self.hooks.http_connect(flow))
        return flow

    def connect(self, host: str, sni: str | None = None) -> str | None:
        """Return why no connection to a server is opened; None where it is."""
        server = Server(address=(host, 443), sni=sni)
        asyncio.run(self.hooks.server_connect(ServerConnectionHookData(server, self.client)))
        return server.error


@pytest.fixture(name="rig")
def _rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.decider.close()


@pytest.mark.parametrize("mode", Mode)
def test_in_replay_nothing_is_opened_to_a_provider_by_whatever_name(mode: Mode, rig: Rig) -> None:
    rig.use(mode)
    told = [rig.connect(HOST), rig.connect(FOREIGN, sni=HOST), rig.connect(FOREIGN)]
    closed = "wiretape: in replay nothing is sent to a provider" if mode is Mode.REPLAY else None
    assert told == [closed, closed, None]


def test_an_address_is_a_providers_where_its_clients_tunnel_is(rig: Rig) -> None:
    rig.use(Mode.REPLAY)
    assert rig.ask_for_tunnel(HOST).response is None
    assert rig.connect("192.0.2.1") == "wiretape: in replay nothing is sent to a provider"


def test_nothing_is_opened_for_a_client_that_was_not_let_in(rig: Rig) -> None:
    token = rig.use_tokens()
    refused = rig.connect(FOREIGN)
    assert refused
    assert "needs a token" in refused
    assert rig.ask_for_tunnel(FOREIGN, f"one:{token}").response is None
    assert rig.connect(FOREIGN) is None


def test_a_tunnel_is_its_clients_by_its_credentials(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rig.decider.admission, "refuse", lambda *_: 0.5)
    token = rig.use_tokens()
    refused = rig.ask_for_tunnel(HOST, "one:wrong")
    assert refused.response
    assert (refused.response.status_code, flow_state.of(refused).grant, flow_state.of(refused).wait) == (407, None, 0.5)
    opened = rig.ask_for_tunnel(HOST, f"one:{token}")
    grant = flow_state.of(opened).grant
    assert grant
    assert (opened.response, grant.tape.session) == (None, "one")
    assert "proxy-authorization" not in opened.request.headers
    assert rig.decider.admission.mode(rig.client) is Mode.RECORD
    assert rig.hooks.tunnel_hosts == {HOST: True}


def test_hosts_of_tunnels_fill_no_memory(rig: Rig) -> None:
    rig.use(Mode.RECORD)
    for number in range(50):
        rig.ask_for_tunnel(f"host{number}.example")
    assert len(rig.hooks.tunnel_hosts) == 20


@pytest.mark.parametrize(
    ("host", "sni", "proxy_mode", "is_opened"),
    [
        (HOST, HOST, "regular", True),
        (FOREIGN, HOST, "regular", True),
        (HOST, "", "regular", True),
        (FOREIGN, FOREIGN, "regular", False),
        (FOREIGN, "", "regular", False),
        (FOREIGN, FOREIGN, "reverse:https://other.example", True),
    ],
)
def test_tls_of_what_is_no_providers_stays_closed(
    host: str, sni: str, proxy_mode: str, is_opened: bool, rig: Rig
) -> None:
    rig.use(Mode.RECORD)
    assert is_tls_opened(rig, host, sni, proxy_mode) is is_opened


@pytest.mark.parametrize("mode", [*Mode])
def test_in_replay_it_is_opened_where_something_is_answered_there(mode: Mode, rig: Rig) -> None:
    program = Program.parse("agent", ("agent/*",), (f"POST {FOREIGN}/log", "* all.example/*"))
    rig.use(mode)
    rig.decider.runtime = replace(rig.decider.runtime, ignored=IgnoredRequests([program]))
    assert is_tls_opened(rig, "all.example", "") is (mode is Mode.REPLAY)
    assert not is_tls_opened(rig, FOREIGN, FOREIGN)
    head = RequestHead("GET", "https", (HOST,), 443, "/", "", user_agent="agent/1")
    rig.decider.see(head, rig.decider.admission.grant(rig.client))
    assert is_tls_opened(rig, FOREIGN, FOREIGN) is (mode is Mode.REPLAY)
    assert not is_tls_opened(rig, "third.example", "")


def is_tls_opened(rig: Rig, host: str, sni: str, proxy_mode: str = "regular") -> bool:
    class Hello(ClientHello):
        @property
        def sni(self) -> str | None:
            return sni or None

    rig.client.proxy_mode = ProxyMode.parse(proxy_mode)
    made = context.Context(rig.client, Options())
    made.server.address = (host, 443)
    data = tls.ClientHelloData(made, Hello.__new__(Hello))
    rig.hooks.tls_clienthello(data)
    return not data.ignore_connection


def test_what_a_request_is_answered_for_is_what_its_connection_is_opened_for(rig: Rig) -> None:
    """Without a tunnel each request tells by itself: one that replays opens nothing, another one on it may."""
    rig.use(Mode.RECORD)
    client = rig.client
    replaying, recording = (tflow.tflow(client_conn=client) for _ in range(2))
    for flow, mode in ((replaying, "one+replay"), (recording, "one+record")):
        flow_state.of(flow).grant = grant = rig.decider.admission.grant(client, header=f"{mode}:")
        flow.live = True
        rig.hooks.admit(client, grant, flow)
    assert rig.connect(HOST) is None
    recording.live = False
    assert rig.connect(HOST)
