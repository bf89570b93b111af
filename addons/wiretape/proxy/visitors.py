"""Who comes to the reverse port: programs, and no web page that somebody else has made. Between the layers and
``rebinding``."""

from mitmproxy import http
from mitmproxy.proxy import context, mode_specs

from wiretape import wire
from wiretape.http1 import Request
from wiretape.proxy import options
from wiretape.rebinding import Stranger, Visits


def of(context: context.Context) -> Visits | None:
    """What to ask of the requests of a connection; None where they are for a proxy and not for a server."""
    if isinstance(context.client.proxy_mode, mode_specs.ReverseMode):
        return Visits(options.own_names(context.options))
    return None


def stranger(visits: Visits, asked: Request | http.Request) -> Stranger | None:
    """Why a request is not to be answered; None where it is."""
    if isinstance(asked, Request):
        found = (asked.headers.get(name) for name in (b"host", b"origin", b"sec-fetch-site"))
        host, origin, fetch_site = (None if each is None else each.decode("latin-1") for each in found)
        return visits.stranger(() if host is None else (host,), origin, fetch_site)
    hosts = asked.headers.get_all("host")
    if asked.authority:
        hosts = [asked.authority, *(each for each in hosts if each != asked.authority)]
    return visits.stranger(tuple(hosts), asked.headers.get("origin"), asked.headers.get("sec-fetch-site"))


def refusal(found: Stranger) -> wire.Answer:
    """The answer to such a request."""
    return wire.error(found.status, f"wiretape: {found.reason}.", "foreign_request")
