"""Which mitmproxy we know: every part of it that it calls private, or does not promise, and that we rely on.

One table. A row names a part, how it has to be, and why it is wanted; ``without`` tells what is off where a part is
another than when this was written. What is for speed alone is then left to mitmproxy. What a promise hangs on is
needed: where that is another, nothing is started, as a token that was taken back would stay good, or a key be printed.

``why_not`` looks at the parts of a feature once, when it is first asked: after mitmproxy and other scripts have been
loaded. It imports what it looks at, and raises for nothing.

    Method      a function or method with these parameters, in this order
    Fields      names that an object of a class has, by its class, its annotations or what its constructor sets
    Names       names of a module
    Exactly     the annotations of a class, neither more nor fewer
"""

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

import mitmproxy.version

_HTTP = "mitmproxy.proxy.layers.http"
_CERTS = "mitmproxy.certs"
_SERVER = "mitmproxy.proxy.server"
_ADDONS = "mitmproxy.addonmanager"


class Feature(Enum):
    """What we do with private parts. The value says what is off without it."""

    LAYERS = (
        "answers from recordings are slower, leave at once and in one piece, and faults in them and single flight are "
        "off"
    )
    HANDSHAKE = "a client's TLS handshake is mitmproxy's own, and slower"
    ADDON_CHAIN = "mitmproxy asks all of its addons at each event, and is slower"
    CONNECTIONS = "no connection can be closed or reset: not that of a token that was taken back"
    LISTENER = "it cannot be told whether the proxy listens on this machine alone"
    SCREEN = "what is printed of a flow cannot be cleaned of its secrets"


NEEDED = (Feature.CONNECTIONS, Feature.LISTENER, Feature.SCREEN)
"""Without these nothing is started."""


@dataclass(frozen=True, slots=True)
class Method:
    """A function or method, and its parameters."""

    module: str
    name: str
    parameters: str
    why: str

    def reason(self, target: Any) -> str:
        """Return what is another in it; empty where nothing is."""
        is_same = callable(target) and " ".join(inspect.signature(inspect.unwrap(target)).parameters) == self.parameters
        return "" if is_same else f"{self.name} is another one"


@dataclass(frozen=True, slots=True)
class Fields:
    """A class, and fields that its objects have."""

    module: str
    name: str
    fields: str
    why: str

    def reason(self, target: Any) -> str:
        """Return what is another in it; empty where nothing is."""
        for field in self.fields.split():
            if not any(_declares(each, field) for each in getattr(target, "__mro__", ())):
                return f"{self.name}.{field} is another one"
        return ""


@dataclass(frozen=True, slots=True)
class Exactly:
    """A class, and all of its annotations."""

    module: str
    name: str
    fields: str
    why: str

    def reason(self, target: Any) -> str:
        """Return what is another in it; empty where nothing is."""
        known = {*getattr(target, "__annotations__", {})}
        return "" if known == {*self.fields.split()} else f"{self.name} is another one"


@dataclass(frozen=True, slots=True)
class Names:
    """A module, and names in it."""

    module: str
    names: str
    why: str
    name: str = ""

    def reason(self, target: Any) -> str:
        """Return what is another in it; empty where nothing is."""
        missing = [name for name in self.names.split() if not hasattr(target, name)]
        return f"{self.module}.{missing[0]} is gone" if missing else ""


def _declares(kind: type, field: str) -> bool:
    if field in vars(kind) or field in vars(kind).get("__annotations__", {}):
        return True
    initializer = inspect.unwrap(vars(kind).get("__init__", None) or (lambda: None))
    code = getattr(initializer, "__code__", None)
    return code is not None and field in code.co_names


type Part = Method | Fields | Exactly | Names

PARTS: Mapping[Feature, tuple[Part, ...]] = {
    Feature.LAYERS: (
        Names(_HTTP, "DropStream GetHttpConnection GetHttpConnectionCompleted HTTPMode", "what streams and layers say"),
        Names(_HTTP, "RegisterHttpConnection SendHttp", "what streams and layers say"),
        Names(f"{_HTTP}._events", "ErrorCode HttpEvent RequestData RequestEndOfMessage RequestHeaders", "their events"),
        Names(f"{_HTTP}._events", "RequestProtocolError RequestTrailers ResponseData ResponseHeaders", "their events"),
        Names(f"{_HTTP}._events", "ResponseEndOfMessage ResponseProtocolError ResponseTrailers", "their events"),
        Names(f"{_HTTP}._hooks", "HttpConnectErrorHook HttpConnectHook HttpErrorHook", "what a stream asks addons"),
        Names(f"{_HTTP}._hooks", "HttpRequestHeadersHook HttpResponseHeadersHook HttpResponseHook", "as above"),
        Names(f"{_HTTP}._http1", "Http1Client Http1Connection Http1Server", "ours read more leniently"),
        Names(f"{_HTTP}._http2", "Http2Client Http2Server", "told how many streams a client may have"),
        Method(
            _HTTP, "validate_request", "mode request validate_inbound_headers", "what no flow is made of is refused"
        ),
        Method("mitmproxy.proxy.layer", "Layer.__init__", "self context", "ours are made as all are"),
        Method("mitmproxy.proxy.layer", "Layer.handle_event", "self event", "ours fail closed around it"),
        Fields("mitmproxy.proxy.layer", "Layer", "_paused context", "whether a layer waits for an answer"),
        Fields("mitmproxy.proxy.context", "Context", "client layers options server", "where a layer stands"),
        Method(_HTTP, "HttpLayer.__init__", "self context mode", "ours takes its place"),
        Method(_HTTP, "HttpLayer.make_stream", "self stream_id", "the streams are ours"),
        Method(_HTTP, "HttpLayer.event_to_child", "self child event", "HTTP/1.1 is told what is its own"),
        Method(_HTTP, "HttpLayer.get_connection", "self event reuse", "connections are kept"),
        Method(_HTTP, "HttpLayer.register_connection", "self command", "connections are read leniently"),
        Fields(_HTTP, "HttpLayer", "command_sources connections streams waiting_for_establishment", "which are kept"),
        Method(_HTTP, "HttpStream.__init__", "self context stream_id", "ours takes its place"),
        Method(_HTTP, "HttpStream._handle_event", "self event", "nothing is read before somebody is let in"),
        Method(_HTTP, "HttpStream.send_response", "self already_streamed", "answers of ours leave in their time"),
        Method(_HTTP, "HttpStream.start_response_stream", "self", "faults in live answers"),
        Method(_HTTP, "HttpStream.state_stream_response_body", "self event", "faults in live answers"),
        Method(_HTTP, "HttpStream.state_errored", "self _", "an answer of ours has ended"),
        Method(_HTTP, "HttpStream.handle_protocol_error", "self event", "a client that goes"),
        Method(_HTTP, "HttpStream.make_server_connection", "self", "nothing is sent that may not leave"),
        Method(_HTTP, "HttpStream.handle_connect_upstream", "self", "a tunnel past an upstream proxy"),
        Method(_HTTP, "HttpStream.handle_connect_regular", "self", "a tunnel past an upstream proxy"),
        Method(_HTTP, "HttpStream.start_request_stream", "self", "a body that is too large is sent on"),
        Method(_HTTP, "HttpStream.state_consume_request_body", "self event", "a body is kept up to a limit"),
        Method(_HTTP, "HttpStream.state_stream_request_body", "self event", "a body that is too large is sent on"),
        Fields(_HTTP, "HttpStream", "client_state flow request_body_buf server_state stream_id", "as above"),
        Method(_HTTP, "Http1Client.read_headers", "self event", "what goes before an answer is passed over"),
        Method(_HTTP, "Http1Client.read_body", "self event", "trailers are dropped"),
        Method(f"{_HTTP}._http1", "Http1Connection.mark_done", "self request response", "whether it is idle"),
        Fields(f"{_HTTP}._http1", "Http1Connection", "body_reader buf request response state stream_id", "as above"),
        Fields(f"{_HTTP}._http2", "Http2Server", "h2_conn", "how many streams a client may have"),
        Fields(f"{_HTTP}._http2", "Http2Client", "h2_conn provisional_max_concurrency", "whether a server has room"),
        Names("h11._readers", "ChunkedReader", "trailers are dropped"),
        Method("h11._readers", "ChunkedReader.__call__", "self buf", "trailers are dropped"),
        Method("h11._receivebuffer", "ReceiveBuffer.maybe_extract_lines", "self", "what goes before an answer"),
        Fields("h11._receivebuffer", "ReceiveBuffer", "_data", "what goes before an answer"),
    ),
    Feature.HANDSHAKE: (
        Method(
            "mitmproxy.net.tls",
            "create_client_proxy_context",
            "method min_version max_version cipher_list ecdh_curve chain_file alpn_select_callback request_client_cert "
            "extra_chain_certs dhparams",
            "a context is mitmproxy's, made once for each certificate",
        ),
        Method("mitmproxy.addons.tlsconfig", "TlsConfig.get_cert", "self conn_context", "the certificate is its own"),
        Fields("mitmproxy.addons.tlsconfig", "TlsConfig", "certstore", "the authority is its own"),
        Method("mitmproxy.addons.tlsconfig", "_default_ciphers", "min_tls_version", "the ciphers are its own"),
        Method("mitmproxy.addons.tlsconfig", "alpn_select_callback", "conn options", "it chooses the protocol"),
        Exactly("mitmproxy.addons.tlsconfig", "AppData", "client_alpn server_alpn http2", "what that goes by"),
        Exactly(_CERTS, "CertStoreEntry", "cert privatekey chain_file chain_certs", "what is put into a context"),
        Fields(_CERTS, "CertStore", "default_privatekey default_ca default_chain_certs dhparams", "which are its own"),
    ),
    Feature.ADDON_CHAIN: (
        Fields(_ADDONS, "AddonManager", "chain lookup", "runs of its addons stand behind one"),
        Method(_ADDONS, "AddonManager.get", "self name", "an addon that was removed is asked no more"),
        Method(_ADDONS, "safecall", "", "an addon that raises is logged as before"),
        Method(_ADDONS, "traverse", "chain", "addons of addons"),
        Names("mitmproxy.hooks", "all_hooks", "which hooks there are"),
        Fields("mitmproxy.log", "LegacyLogEvents", "filters master", "a deprecated event is sent where it has a hook"),
    ),
    Feature.CONNECTIONS: (
        Fields("mitmproxy.addons.proxyserver", "Proxyserver", "connections servers", "what serves a client"),
        Fields(_SERVER, "ConnectionHandler", "layer max_conns transports", "what it reads and writes with"),
        Method(_SERVER, "ConnectionHandler.close_connection", "self connection half_close", "a client is left"),
        Exactly(_SERVER, "ConnectionIO", "handler reader writer", "what it reads and writes with"),
        Method(
            "mitmproxy.proxy.mode_servers", "ServerInstance.handle_stream", "self reader writer", "isolated commands"
        ),
    ),
    Feature.LISTENER: (
        Fields("mitmproxy.proxy.mode_servers", "ServerInstance", "listen_addrs mode", "where it listens"),
        Method("mitmproxy.proxy.mode_servers", "ServerInstance.start", "self", "it listens anew"),
        Method("mitmproxy.proxy.mode_servers", "ServerInstance.stop", "self", "it listens anew"),
        Fields(
            "mitmproxy.proxy.mode_specs", "ProxyMode", "custom_listen_host custom_listen_port", "who has asked for it"
        ),
        Names("mitmproxy.proxy.mode_specs", "ReverseMode RegularMode UpstreamMode", "who comes, and to what"),
    ),
    Feature.SCREEN: (
        Method("mitmproxy.addons.dumper", "Dumper.echo_flow", "self f", "it is shown a URL that is clean"),
        Fields("mitmproxy.addons.dumper", "Dumper", "outfp", "what it writes is looked through"),
    ),
}


@cache
def why_not(feature: Feature) -> str:
    """Return why a feature cannot be had with this mitmproxy; empty where it can."""
    return next(filter(None, map(_reason, PARTS[feature])), "")


def has(feature: Feature) -> bool:
    """Return whether a feature can be had."""
    return not why_not(feature)


def warning(feature: Feature) -> str:
    """Return what is to be said where a feature cannot be had; empty where it can."""
    why = why_not(feature)
    return (
        f"mitmproxy {mitmproxy.version.VERSION} is not one that wiretape knows ({why}): {feature.value}" if why else ""
    )


def _reason(part: Part) -> str:
    try:
        target: Any = importlib.import_module(part.module)
    except ImportError as e:
        return str(e)
    for name in filter(None, part.name.split(".")):
        target = getattr(target, name, None)
    try:
        return part.reason(target)
    except (AttributeError, TypeError, ValueError) as e:
        return f"{part.name} is another one: {e}"
