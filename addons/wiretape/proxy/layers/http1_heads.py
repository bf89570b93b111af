"""What the head of a request of HTTP/1.1 says: where it goes, and whose it is. Beside ``fast_http1``, which reads them.

None stands for whatever is not as usual: such a request is mitmproxy's to read.
"""

import httptools
from mitmproxy.proxy import context
from mitmproxy.proxy.layers.http import HTTPMode

from wiretape.codecs.http1 import Request
from wiretape.policy import Mode
from wiretape.providers.routing import Route
from wiretape.proxy import host_agreement, reverse_clients
from wiretape.proxy.admission import Grant
from wiretape.proxy.calls import RequestHead
from wiretape.proxy.decide import Decider
from wiretape.proxy.host_agreement import host_of
from wiretape.proxy.layers.direct_stream import names

type Address = tuple[str, tuple[str, ...], int, str]
"""Scheme, names of the host, port and path."""


class Http1Heads:
    """Reads the heads of the requests that come over one connection."""

    def __init__(self, context: context.Context, mode: HTTPMode, decider: Decider) -> None:
        self._context = context
        self._mode = mode
        self._decider = decider
        self._visits = reverse_clients.of(context)

    def read(self, received: Request) -> tuple[RequestHead, Grant] | None:
        """Return a request's head and whose it is, unless it is unusual. Raises AccessDeniedError."""
        if self._is_unusual(received):
            return None
        address = self._address(received)
        grant = self._grant(received)
        if address is None:
            return None
        scheme, hosts, port, path = address
        client = self._context.client
        is_told = grant.mode is not Mode.REPLAY or host_agreement.is_one_name(client, scheme, hosts)
        if not is_told and host_agreement.disagree(self._decider.runtime.providers, client, scheme, hosts, port):
            return None
        head = RequestHead(
            received.method,
            scheme,
            hosts,
            port,
            path,
            received.header(b"content-type"),
            test_id=grant.test_of(_test_id(received)),
            user_agent=received.header(b"user-agent"),
            origin=received.header(b"origin"),
        )
        return head, grant

    def host(self, received: Request) -> str:
        """Return the name that a request has for its host, for the log."""
        address = self._address(received)
        return address[1][-1] if address else "?"

    def leads_to(self, received: Request) -> Route | None:
        """Return where a request leads, whoever sends it; None where it does not tell."""
        address = self._address(received)
        if address is None:
            return None
        scheme, hosts, port, path = address
        return self._decider.leads_to(RequestHead(received.method, scheme, hosts, port, path, content_type=""))

    def _is_unusual(self, received: Request) -> bool:
        return bool(
            self._context.options.body_size_limit
            or self._mode is HTTPMode.upstream
            or b"#" in received.target
            or b"content-encoding" in received.headers  # To undo it takes time, which a flow's hook has.
            or received.method == "HEAD"  # Whose answers end after their heads.
            or not received.target.isascii()
            or (self._visits and reverse_clients.stranger(self._visits, received))
        )

    def _grant(self, received: Request) -> Grant:
        """Return whose request it is. Raises AccessDeniedError."""
        authorization = received.header(b"proxy-authorization") or None
        session = received.header(b"x-wiretape-session") or None
        return self._decider.admission.grant(self._context.client, authorization, session)

    def _address(self, received: Request) -> Address | None:
        if self._mode is HTTPMode.transparent:
            return self._address_of_server(received)
        return self._address_of_target(received)

    def _address_of_server(self, received: Request) -> Address | None:
        """Return where a request in origin form goes, inside a tunnel or to a reverse proxy."""
        server = self._context.server
        path = received.target.decode("ascii")
        if server.address is None or not path.startswith("/"):
            return None
        hosts = names(self._context, server.address[0], host_of(received.header(b"host")))
        return "https" if server.tls else "http", hosts, server.address[1], path

    def _address_of_target(self, received: Request) -> Address | None:
        """Return where a request in absolute form goes."""
        if not received.target.startswith(b"http://"):
            return None
        try:
            target = httptools.parse_url(received.target)
        except httptools.HttpParserError:
            return None
        if not target.host or not target.path or target.userinfo:
            return None
        hosts = names(self._context, target.host.decode("ascii"), host_of(received.header(b"host")))
        query = f"?{target.query.decode('ascii')}" if target.query else ""
        return "http", hosts, target.port or 80, target.path.decode("ascii") + query


def _test_id(received: Request) -> str | None:
    """Return the test that a request names, if any."""
    return received.header(b"x-wiretape-test-id") if b"x-wiretape-test-id" in received.headers else None
