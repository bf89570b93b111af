"""In replay, whether a request says one thing of where it goes: its tunnel's address, the TLS's name, its own host.

Each of the three is judged somewhere, and each may be what a server goes by: a tunnel to a harmless host that begins
TLS for a provider, a request to a harmless host whose Host is a provider's. Where a provider is one of several names,
the request is answered 421, and nothing is sent. An address alone is no name: it goes with any. So are all names of
this machine one name.
"""

import re
from collections.abc import Sequence

from mitmproxy import connection, http
from mitmproxy.proxy import mode_specs

from wiretape.network.egress import LOCALHOST, canonical, is_here, literal
from wiretape.providers import wire
from wiretape.providers.routing import Providers, Route

_HTTP = re.compile(rb"[A-Z]{1,20} ")
_HOST = re.compile(rb"\r?\nhost:[ \t]*([^\r\n]*)", re.IGNORECASE)
_SNIFFED = 65536


def is_one_name(client: connection.Client, scheme: str, hosts: Sequence[str]) -> bool:
    """Whether there is but one name, as is usual, and nothing to compare."""
    return len(hosts) == 1 and (scheme != "https" or client.sni is None or client.sni == hosts[0])


def disagree(
    providers: Providers, client: connection.Client, scheme: str, hosts: Sequence[str | None], port: int
) -> bool:
    """Whether a request has several names for where it goes, one a provider's. ``hosts`` begins with the address."""
    if isinstance(client.proxy_mode, mode_specs.ReverseMode):
        return False  # Its client names the proxy, and mitmproxy the server.
    names = [canonical(each) for each in (*hosts, client.sni if scheme == "https" else None) if each]
    address = hosts[0] or ""
    named = [name for name in names if not literal(address) or name != canonical(address)]
    told = {LOCALHOST if is_here(name) else name for name in named}
    return len(told) > 1 and any(providers.knows(name, port) for name in names)


def refusal(flow: http.HTTPFlow, providers: Providers, route: Route) -> wire.HttpResponse | None:
    """The answer to a flow whose names disagree; None where they do not."""
    request = flow.request
    client = flow.client_conn
    hosts = (request.host, host_of(request.authority), *map(host_of, request.headers.get_all("host")))
    if not disagree(providers, client, request.scheme, hosts, request.port):
        return None
    names = dict.fromkeys(each for each in (*hosts, client.sni if request.scheme == "https" else "") if each)
    text = f"wiretape: this request goes by several names, {', '.join(names)}, and one is a provider's; in replay"
    return wire.error(421, f"{text} nothing is sent to a provider.", "hosts_disagree", route)


def may_name_provider(data: bytes, providers: Providers) -> bool:
    """Whether what begins a tunnel is a request for a provider, or half of a request that may become one."""
    if not _HTTP.match(data):
        return False
    head, end, _ = data[:_SNIFFED].partition(b"\r\n\r\n")
    named = [host_of(each.decode("latin-1")) for each in _HOST.findall(head)]
    return not end or any(providers.knows(name, 443) or providers.knows(name, 80) for name in named)


def host_of(header: str) -> str:
    """The host of a Host header, without its port."""
    host, colon, port = header.rpartition(":")
    return (host if colon and (port.isdigit() or not port) else header).strip("[]")
