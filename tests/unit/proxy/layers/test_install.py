"""Our layers among mitmproxy's: whether this mitmproxy is one that they know, and where they are put."""

import warnings

import pytest
from mitmproxy import connection, options
from mitmproxy.proxy import context, layer, layers, mode_specs
from mitmproxy.proxy.layers.http import HTTPMode
from mitmproxy.proxy.layers.modes import HttpProxy, ReverseProxy

from deciding import make_decider
from wiretape.proxy.decide import Decider
from wiretape.proxy.layers import install
from wiretape.proxy.layers.fast_http1 import FastHttp1Layer
from wiretape.proxy.layers.http import PlayingLayer

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mitmproxy's, of pyparsing's new names.
    from mitmproxy.addons.proxyserver import Proxyserver


# -- where they are put ------------------------------------------------------------------------------------------------

HTTP1 = b"POST /v1/chat/completions HTTP/1.1\r\n"


@pytest.fixture(name="made")
def _made() -> context.Context:
    chosen = options.Options()
    Proxyserver().load(chosen)
    chosen.add_option("wiretape_hosts", str, "", "")
    client = connection.Client(
        peername=("127.0.0.1", 1234),
        sockname=("127.0.0.1", 8080),
        timestamp_start=0,
        state=connection.ConnectionState.OPEN,
    )
    return context.Context(client, chosen)


@pytest.fixture(name="decider")
def _decider() -> Decider:
    return make_decider()


def kinds(of: context.Context) -> list[str]:
    return [type(each).__name__ for each in of.layers]


MODES = pytest.mark.parametrize("mode", HTTPMode)


@MODES
def test_http1_with_a_decider_has_a_lane(mode: HTTPMode, made: context.Context, decider: Decider) -> None:
    decided = layers.HttpLayer(made, mode)
    ours = install.replace(decided, HTTP1, lambda: decider, lenient=False)
    assert type(ours) is FastHttp1Layer
    assert made.layers == [ours]
    assert ours.context is made


@pytest.mark.parametrize("alpn", [None, b"", b"http/1.1", b"http/1.0"])
def test_what_is_not_http2_has_a_lane(alpn: bytes | None, made: context.Context, decider: Decider) -> None:
    made.client.alpn = alpn
    assert (
        type(install.replace(layers.HttpLayer(made, HTTPMode.transparent), b"", lambda: decider, lenient=True))
        is FastHttp1Layer
    )


@pytest.mark.parametrize("alpn", [b"h2", b"h3"])
@MODES
def test_http2_has_streams_that_play(alpn: bytes, mode: HTTPMode, made: context.Context, decider: Decider) -> None:
    made.client.alpn = alpn
    ours = install.replace(layers.HttpLayer(made, mode), b"", lambda: decider, lenient=False)
    assert type(ours) is PlayingLayer
    assert ours.mode is mode
    assert made.layers == [ours]


def test_a_tunnel_that_begins_needs_no_lane(made: context.Context, decider: Decider) -> None:
    data = b"CONNECT api.openai.com:443 HTTP/1.1\r\n"
    ours = install.replace(layers.HttpLayer(made, HTTPMode.regular), data, lambda: decider, lenient=False)
    assert type(ours) is PlayingLayer
    assert made.layers == [ours]


@pytest.mark.parametrize("data", [b"CONNECTED / HTTP/1.1\r\n", b"GET http://CONNECT /"])
def test_what_only_looks_like_a_tunnel_has_a_lane(data: bytes, made: context.Context, decider: Decider) -> None:
    assert (
        type(install.replace(layers.HttpLayer(made, HTTPMode.regular), data, lambda: decider, lenient=False))
        is FastHttp1Layer
    )


@MODES
def test_without_a_decider_every_request_is_a_flow(mode: HTTPMode, made: context.Context) -> None:
    ours = install.replace(layers.HttpLayer(made, mode), HTTP1, lambda: None, lenient=False)
    assert type(ours) is PlayingLayer
    assert ours.mode is mode
    assert made.layers == [ours]


def test_below_a_layer_of_tls_ours_is_its_child_in_its_place(made: context.Context, decider: Decider) -> None:
    outer = HttpProxy(made)
    tls = layers.ClientTLSLayer(made)
    tls.child_layer = http = layers.HttpLayer(made, HTTPMode.transparent)
    assert install.replace(tls, HTTP1, lambda: decider, lenient=False) is tls
    assert kinds(made) == ["HttpProxy", "ClientTLSLayer", "FastHttp1Layer"]
    assert made.layers == [outer, tls, tls.child_layer]
    assert http not in made.layers


def test_between_other_layers_each_stays_in_its_place(made: context.Context, decider: Decider) -> None:
    # As mitmproxy stacks them, whose reverse mode has decided all the way down.
    made.client.proxy_mode = mode_specs.ProxyMode.parse("reverse:https://api.openai.com")
    outer = ReverseProxy(made)
    server = layers.ServerTLSLayer(made)
    client = layers.ClientTLSLayer(made)
    server.child_layer, client.child_layer = client, layers.HttpLayer(made, HTTPMode.transparent)
    assert install.replace(server, HTTP1, lambda: decider, lenient=False) is server
    assert kinds(made) == ["ReverseProxy", "ServerTLSLayer", "ClientTLSLayer", "FastHttp1Layer"]
    assert made.layers[:3] == [outer, server, client]
    assert server.child_layer is client
    assert client.child_layer is made.layers[3]


def test_a_layer_that_has_one_after_it_keeps_its_place(made: context.Context, decider: Decider) -> None:
    decided = layers.HttpLayer(made, HTTPMode.transparent)
    after = layers.TCPLayer(made)
    ours = install.replace(decided, HTTP1, lambda: decider, lenient=False)
    assert made.layers == [ours, after]


def test_inside_a_tunnel_the_outer_layer_stays(made: context.Context, decider: Decider) -> None:
    outer = install.replace(layers.HttpLayer(made, HTTPMode.regular), b"CONNECT ", lambda: decider, lenient=False)
    inside = made.fork()
    ours = install.replace(layers.HttpLayer(inside, HTTPMode.transparent), HTTP1, lambda: decider, lenient=False)
    assert inside.layers == [outer, ours]
    assert made.layers == [outer]
    assert type(ours) is FastHttp1Layer


@pytest.mark.parametrize("kind", [layers.TCPLayer, layers.ClientTLSLayer, layers.UDPLayer, layers.DNSLayer])
def test_what_is_no_http_stays_as_it_was_decided(
    kind: type[layer.Layer], made: context.Context, decider: Decider
) -> None:
    outer = HttpProxy(made)
    decided = kind(made)
    assert install.replace(decided, HTTP1, lambda: decider, lenient=False) is decided
    assert made.layers == [outer, decided]


@pytest.mark.parametrize("with_decider", [True, False])
def test_ours_are_not_put_in_twice(with_decider: bool, made: context.Context, decider: Decider) -> None:
    first = layers.HttpLayer(made, HTTPMode.transparent)
    ours = install.replace(first, HTTP1, lambda: decider if with_decider else None, lenient=False)
    assert install.replace(ours, HTTP1, lambda: decider, lenient=False) is ours
    assert made.layers == [ours]


def test_for_a_tunnel_and_for_what_is_no_http_nobody_asks_who_looks_at_flows(made: context.Context) -> None:
    def fast() -> Decider | None:
        raise AssertionError("asked")

    install.replace(layers.HttpLayer(made, HTTPMode.regular), b"CONNECT a.example:443 HTTP/1.1", fast, lenient=False)
    install.replace(layers.TCPLayer(made), HTTP1, fast, lenient=False)
