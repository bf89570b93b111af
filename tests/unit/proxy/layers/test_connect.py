"""The tunnel as a layer: events in, commands out; and which CONNECT it takes for one."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mitmproxy import certs, connection, options
from mitmproxy.connection import ConnectionState
from mitmproxy.proxy import commands, context, events, layer, mode_specs
from mitmproxy.proxy.layers import modes, tls
from mitmproxy.tls import TlsData
from OpenSSL import SSL

from deciding import make_decider
from wiretape.proxy.decide import Decider
from wiretape.proxy.layers.connect import Connect, Tunnel, read_connect

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mitmproxy's, of pyparsing's new names.
    from mitmproxy.addons.proxyserver import Proxyserver

HOST = "api.fireworks.ai"
CONNECT = f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n".encode()
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (CONNECT, Connect(HOST, 443, None)),
        (CONNECT[:-2] + b"Proxy-Authorization: Basic YTpi\r\n\r\n", Connect(HOST, 443, "Basic YTpi")),
        (CONNECT[:-2] + b"proxy-authorization:  Basic YTpi \r\n\r\n", Connect(HOST, 443, "Basic YTpi ")),
        (b"CONNECT a:1 HTTP/1.1\r\n\r\n", Connect("a", 1, None)),
        (b"", None),
        (CONNECT[:-1], None),
        (CONNECT + b"\x16", None),
        (CONNECT + CONNECT, None),
        (CONNECT.replace(b"1.1", b"1.0"), None),
        (CONNECT.replace(b"\r\n", b"\n"), None),
        (CONNECT[:-2] + b"Content-Length: 0\r\n\r\n", None),
        (CONNECT[:-2] + b"Transfer-Encoding: chunked\r\n\r\n", None),
        (CONNECT[:-2] + b"Host: b\r\n\r\n", None),
        (CONNECT[:-2] + b"X: " + b"x" * 20_000 + b"\r\n\r\n", None),
        (CONNECT[:-2] + b"nothing\r\n\r\n", None),
        (b"CONNECT a HTTP/1.1\r\n\r\n", None),
        (b"CONNECT a: HTTP/1.1\r\n\r\n", None),
        (b"CONNECT a:0 HTTP/1.1\r\n\r\n", None),
        (b"CONNECT a:65536 HTTP/1.1\r\n\r\n", None),
        (b"CONNECT a:+1 HTTP/1.1\r\n\r\n", None),
        (b"CONNECT :443 HTTP/1.1\r\n\r\n", None),
        (b"CONNECT a/b:443 HTTP/1.1\r\n\r\n", None),
        (b"CONNECT [::1]:443 HTTP/1.1\r\n\r\n", None),
        (b"CONNECT user@a:443 HTTP/1.1\r\n\r\n", None),
        (b"GET http://a/ HTTP/1.1\r\n\r\n", None),
    ],
)
def test_what_is_read_as_a_connect(data: bytes, expected: Connect | None) -> None:
    assert read_connect(data) == expected


class Rig:
    """A tunnel, and a client that speaks TLS into it."""

    def __init__(self, folder: Path, *, offers: list[bytes] | None = None, takes: bool = True) -> None:
        chosen = options.Options()
        Proxyserver().load(chosen)
        self.client = connection.Client(
            peername=("127.0.0.1", 1234),
            sockname=("127.0.0.1", 8080),
            timestamp_start=0,
            state=ConnectionState.OPEN,
            proxy_mode=mode_specs.ProxyMode.parse("regular"),
        )
        self.context = context.Context(self.client, chosen)
        modes.HttpProxy(self.context)
        self._store = certs.CertStore.from_store(folder, "mitmproxy", 2048)
        self._takes = takes
        self.tunnel = Tunnel(self.context, Connect(HOST, 443, None), self._decider(), self._handshake, lenient=False)
        made = SSL.Context(SSL.TLS_CLIENT_METHOD)
        if offers:
            made.set_alpn_protos(offers)
        self.tls = SSL.Connection(made)
        self.tls.set_connect_state()
        self.left: list[Any] = []
        """What the tunnel asked of mitmproxy."""
        assert [*self.tunnel.handle_event(events.Start())] == []

    def _decider(self) -> Decider:
        self.decider = make_decider()
        return self.decider

    def _handshake(self, data: TlsData) -> None:
        if not self._takes:
            return
        made = SSL.Context(SSL.TLS_SERVER_METHOD)
        entry = self._store.get_cert(HOST, [])
        made.use_certificate(entry.cert.to_cryptography())
        made.use_privatekey(entry.privatekey)
        made.set_alpn_select_callback(lambda _, offered: offered[0])
        data.ssl_conn = SSL.Connection(made)
        data.ssl_conn.set_accept_state()

    def receive(self, data: bytes) -> bytes:
        """What comes back at once."""
        sent = b""
        for command in self.tunnel.handle_event(events.DataReceived(self.client, data)):
            if isinstance(command, commands.SendData):
                sent += command.data
            elif not isinstance(command, commands.Log):
                self.left.append(command)
        return sent

    def shake_hands(self) -> None:
        while True:
            try:
                self.tls.do_handshake()
            except SSL.WantReadError:
                self.tls.bio_write(self.receive(self.tls.bio_read(65536)))
            else:
                self.send(self.tls.bio_read(65536))
                return

    def send(self, data: bytes) -> None:
        if answer := self.receive(data):
            self.tls.bio_write(answer)


@pytest.fixture(name="rig")
def _rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path, offers=[b"http/1.1"])
    yield rig
    rig.decider.close()


def names(rig: Rig) -> list[str]:
    return [type(each).__name__ for each in rig.context.layers]


def test_a_tunnel_is_opened_to_where_it_was_asked(rig: Rig) -> None:
    assert rig.receive(CONNECT) == ESTABLISHED
    assert rig.context.server.address == (HOST, 443)
    assert names(rig) == ["HttpProxy", "Tunnel"]


def test_nobody_is_asked_until_the_first_request(rig: Rig) -> None:
    rig.receive(CONNECT)
    rig.shake_hands()
    assert rig.client.tls_established
    assert rig.left == []
    rig.tls.send(b"GET")
    assert rig.receive(rig.tls.bio_read(65536)) == b""
    assert names(rig) == ["HttpProxy", "Tunnel", "ServerTLSLayer", "ClientTLSLayer", "FastHttp1Layer"]


def test_inside_it_is_http2_where_that_was_agreed(tmp_path: Path) -> None:
    rig = Rig(tmp_path, offers=[b"h2"])
    rig.receive(CONNECT)
    rig.shake_hands()
    rig.tls.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    rig.receive(rig.tls.bio_read(65536))
    assert names(rig)[-1] == "PlayingLayer"
    assert rig.left == []
    rig.decider.close()


@pytest.mark.parametrize("offers", [None, [b"x"]])
def test_what_speaks_no_protocol_that_is_known_is_asked_about(offers: list[bytes] | None, tmp_path: Path) -> None:
    rig = Rig(tmp_path, offers=offers)
    rig.receive(CONNECT)
    rig.shake_hands()
    rig.tls.send(b"hello")
    rig.receive(rig.tls.bio_read(65536))
    (asked,) = rig.left
    assert isinstance(asked, layer.NextLayerHook)
    assert asked.data.data_client() == b"hello"
    rig.decider.close()


def test_what_is_no_tls_is_asked_about(rig: Rig) -> None:
    rig.receive(CONNECT)
    rig.receive(b"hello")
    (asked,) = rig.left
    assert isinstance(asked, layer.NextLayerHook)
    assert asked.data.data_client() == b"hello"


def test_a_handshake_that_is_left_to_mitmproxy_is(tmp_path: Path) -> None:
    rig = Rig(tmp_path, takes=False)
    rig.receive(CONNECT)
    with pytest.raises(SSL.WantReadError):
        rig.tls.do_handshake()
    rig.receive(rig.tls.bio_read(65536))
    (asked,) = rig.left
    assert isinstance(asked, tls.TlsStartClientHook)
    rig._takes = True
    rig._handshake(asked.data)
    answer = b"".join(
        each.data
        for each in rig.tunnel.handle_event(events.HookCompleted(asked))
        if isinstance(each, commands.SendData)
    )
    assert answer[0] == 0x16  # The server's part of the handshake.
    rig.decider.close()


def test_a_client_that_leaves_is_left(rig: Rig) -> None:
    rig.receive(CONNECT)
    rig.client.state = ConnectionState.CLOSED
    (command,) = rig.tunnel.handle_event(events.ConnectionClosed(rig.client))
    assert isinstance(command, commands.CloseConnection)
