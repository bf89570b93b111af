"""Who comes to the reverse port: programs, and no web page that somebody else has made. Between the layers and
``rebinding``."""

from dataclasses import replace

from mitmproxy import http
from mitmproxy.proxy import context, mode_specs

from wiretape.codecs.http1 import Request
from wiretape.network.dns_rebinding import Stranger, Visits
from wiretape.network.egress import canonical
from wiretape.providers import wire
from wiretape.proxy.configure import own_names


def of(context: context.Context) -> Visits | None:
    """What to ask of the requests of a connection; None where they are for a proxy and not for a server."""
    mode = context.client.proxy_mode
    if not isinstance(mode, mode_specs.ReverseMode):
        return None
    names = own_names(context.options)
    # Whoever could make a page of the server's own name lead here could make it lead anywhere.
    return Visits(replace(names, names=(*names.names, canonical(mode.address[0]))))


def stranger(visits: Visits, request: Request | http.Request) -> Stranger | None:
    """Why a request is not to be answered; None where it is."""
    if isinstance(request, Request):
        headers = request.headers
        host = headers.get(b"host")
        return visits.stranger(() if host is None else (host,), headers.get(b"origin"), headers.get(b"sec-fetch-site"))
    fields = [(name.lower(), value) for name, value in request.headers.fields]
    hosts = [request.data.authority] if request.data.authority else []
    hosts += [value for name, value in fields if name == b"host" and value not in hosts]
    told = dict(fields)
    return visits.stranger(hosts, told.get(b"origin"), told.get(b"sec-fetch-site"))


def refusal(refused: Stranger) -> wire.HttpResponse:
    """The answer to such a request."""
    return wire.error(refused.status, f"wiretape: {refused.reason}.", "foreign_request")
