"""Connections: who may come in, what is opened of them, and which layers they get. mitmproxy's hooks in.

What passes over them is the business of ``flows``.
"""

import itertools
import logging
from collections.abc import Iterable
from weakref import WeakKeyDictionary, WeakSet

from mitmproxy import connection, ctx, dns, http, tls
from mitmproxy.net.dns import response_codes
from mitmproxy.net.tls import starts_like_tls_record
from mitmproxy.proxy import layer, layers, mode_specs, server_hooks
from mitmproxy.proxy.layers import modes

from wiretape.metrics.counters import Counters
from wiretape.network import egress
from wiretape.policy import Mode
from wiretape.proxy import flow_state, host_agreement, read_sizes, responses
from wiretape.proxy.admission import Grant
from wiretape.proxy.compat import loopback, observers, supported, tcp_reset
from wiretape.proxy.compat.supported import Feature
from wiretape.proxy.decide import Decider
from wiretape.proxy.destinations import Destinations
from wiretape.proxy.layers import install
from wiretape.proxy.layers.refusing import Refusing
from wiretape.proxy.layers.tls import Handshake
from wiretape.proxy.options import Lane
from wiretape.sessions.access import AccessDeniedError

logger = logging.getLogger(__name__)


_NOTED = 20
"""Hosts of tunnels that are noted: whoever asks for very many is to fill no memory."""


class Connections:
    """The part of the addon that sees connections."""

    name = "wiretape-connections"

    def __init__(self, decider: Decider, destinations: Destinations) -> None:
        self.destinations = destinations
        self._decider = decider
        self._admission = decider.admission
        self._handshake = Handshake()
        self._onlooked: bool | None = None
        self._counted: WeakKeyDictionary[connection.Client, Counters] = WeakKeyDictionary()
        self._flows: WeakKeyDictionary[connection.Client, WeakSet[http.HTTPFlow]] = WeakKeyDictionary()
        self._tunnels: WeakKeyDictionary[connection.Client, tuple[str, int]] = WeakKeyDictionary()
        """Where each client's tunnel leads: behind an upstream proxy no server's address tells."""
        self.tunnel_hosts: dict[str, bool] = {}
        """The hosts that tunnels were asked to, some of them, and whether each is a provider's."""

    def forget(self) -> None:
        """Options have changed."""
        self._handshake.forget()
        self._onlooked = None

    def admit(self, client: connection.Client, grant: Grant, flow: http.HTTPFlow | None = None) -> None:
        """A client was let in, for the flow or for a tunnel: from now on connections may be opened for it."""
        self._counted[client] = grant.tape.counters
        if flow:
            self._flows.setdefault(client, WeakSet()).add(flow)

    def _note(self, host: str, port: int) -> None:
        if len(self.tunnel_hosts) < _NOTED:
            self.tunnel_hosts[host] = self._decider.runtime.providers.knows(host, port)

    def client_connected(self, client: connection.Client) -> None:
        """Refuse who came in before the server listened on loopback alone."""
        loopback.guard(client, tcp_reset.streams_of(client, client))
        read_sizes.steady(client, client)
        tcp_reset.allow_streams(client)

    def client_disconnected(self, client: connection.Client) -> None:
        """Leave nothing of a connection open."""
        tcp_reset.let_go(client)

    async def server_connect(self, data: server_hooks.ServerConnectionHookData) -> None:
        """Open nothing for a client that was not let in, nor where it may not go; in replay nothing to a provider."""
        try:
            grants = self._grants(data.client)
        except AccessDeniedError as e:
            data.server.error = f"wiretape: {e}"
            return
        if not grants:
            data.server.error = "wiretape: nothing is opened for who was not let in"
        elif self._is_for_provider(data) and all(each.mode is Mode.REPLAY for each in grants):
            data.server.error = "wiretape: in replay nothing is sent to a provider"
        await self.destinations.pin(data)

    def _is_for_provider(self, data: server_hooks.ServerConnectionHookData) -> bool:
        """Return whether a connection is for a provider, by its address, its tunnel's, or the name of its TLS."""
        client = data.client
        server = data.server
        if not server.address:
            return False
        addresses = {server.address[:2], self._tunnels.get(client, server.address[:2])}
        hosts = {host for host, _ in addresses} | {sni for sni in (client.sni, server.sni) if sni}
        places = itertools.product(hosts, {port for _, port in addresses})
        return any(self._decider.runtime.providers.knows(*place) and not egress.is_here(place[0]) for place in places)

    def server_connect_error(self, data: server_hooks.ServerConnectionHookData) -> None:
        """Have a server's name looked up again: it was not to be had at the address that it has."""
        self.destinations.unpin(data.server)
        self.destinations.forget(data.client)

    def _grants(self, client: connection.Client) -> list[Grant]:
        """Return what a client was given: with each of its requests that are under way, or with its tunnel.

        Raises AccessDeniedError.
        """
        flows = self._flows.get(client)
        is_settled = self._admission.is_settled_by_tunnel(client)
        given = None
        if flows is None or is_settled:
            # A client without a request gets what one gets that shows nothing: on a proxy with tokens, nothing.
            given = self._admission.grant(client)
        # A request keeps what it was given, whatever scope has begun or ended since.
        grants = [grant for flow in flows or () if flow.live and (grant := flow_state.of(flow).grant)]
        if given and not grants:
            return [given]
        return grants

    def server_connected(self, data: server_hooks.ServerConnectionHookData) -> None:
        """Count what was opened to a provider."""
        read_sizes.steady(data.client, data.server)
        self.destinations.unpin(data.server)
        address = data.server.address
        counters = self._counted.get(data.client)
        if address and counters and self._decider.runtime.providers.knows(*address[:2]):
            counters.connections += 1

    # -- who may come in ---------------------------------------------------------------------------

    async def http_connect(self, flow: http.HTTPFlow) -> None:
        """Let a client have its tunnel, where its credentials are right: all that comes through it comes with them."""
        self._note(flow.request.host, flow.request.port)
        state = flow_state.of(flow)
        authorization = flow.request.headers.pop("proxy-authorization", None)
        try:
            grant = await self._admission.admit(flow.client_conn, authorization)
        except AccessDeniedError as e:
            state.wait = self._admission.refuse(flow.client_conn, f"a tunnel to {flow.request.host}", e)
            flow.response = responses.refusal(e, flow.request.http_version)
            return
        flow.response = await self.destinations.refuse_tunnel(flow)
        if flow.response:
            return
        self._admission.enter_tunnel(flow.client_conn, authorization)
        self._tunnels[flow.client_conn] = flow.request.host, flow.request.port
        self.admit(flow.client_conn, grant)
        state.grant = grant

    def dns_request(self, flow: dns.DNSFlow) -> None:
        """Ask no name server while offline, in those of mitmproxy's modes in which clients have it asked."""
        if self.destinations.policy.is_offline:
            flow.response = flow.request.fail(response_codes.REFUSED)

    # -- what is no provider's stays closed --------------------------------------------------------

    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        """Leave TLS to hosts that are no provider's unopened, unless in replay something is answered there."""
        address = data.context.server.address
        if address is None or isinstance(data.context.client.proxy_mode, mode_specs.ReverseMode):
            return
        names = {address[0], data.client_hello.sni or address[0]}
        if not any(self._decider.runtime.providers.knows(name, address[1]) for name in names):
            data.ignore_connection = not self._opens(data.context.client, names)

    def _opens(self, client: connection.Client, names: Iterable[str]) -> bool:
        """Return whether a known program is at work that asks for something beside the model at a host."""
        try:
            grant = self._admission.grant(client)
        except AccessDeniedError:
            return False
        return any(self._decider.opens(name, grant) for name in names)

    def tls_start_client(self, data: tls.TlsData) -> None:
        """Have a handshake cost less than mitmproxy's, whose addon comes after this and leaves alone what is set."""
        self._handshake.tls_start_client(data)

    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        """Pass on what is not TLS inside a tunnel to a host that is no provider's; let HTTP play."""
        if self._is_foreign(nextlayer):
            nextlayer.layer = layers.TCPLayer(nextlayer.context, ignore=True)
            return
        if supported.has(Feature.LAYERS) and (ours := self._tunnel(nextlayer)):
            nextlayer.layer = ours
            return
        # mitmproxy's own addon decides, before us or now; it leaves alone what is decided.
        ctx.master.addons.get("nextlayer").next_layer(nextlayer)
        if nextlayer.layer and supported.has(Feature.LAYERS):
            mode = self._admission.mode(nextlayer.context.client)
            lenient = (mode or self._admission.default.mode) is Mode.REPLAY

            def fast() -> Decider | None:
                return self._decider if self._has_no_onlookers() and self._decider.is_answering(mode) else None

            nextlayer.layer = install.replace(
                nextlayer.layer, nextlayer.data_client(), fast, lenient=lenient, limit=self._decider.runtime.largest
            )

    def _tunnel(self, nextlayer: layer.NextLayer) -> layer.Layer | None:
        """A tunnel of our own, or a refusal, where a client asks for one and nobody has to be asked about it."""
        from wiretape.proxy.layers import connect

        context = nextlayer.context
        if len(context.layers) != 1 or not isinstance(context.layers[0], modes.HttpProxy):
            return None
        request = connect.read_connect(nextlayer.data_client())
        if not request or not self._has_no_onlookers():
            return None
        self._note(request.host, request.port)
        try:
            grant = self._admission.grant(context.client, request.authorization)
        except AccessDeniedError as e:
            # Without a flow: whoever knocks a thousand times is to cost no more than who is let in.
            wait = self._admission.refuse(context.client, f"a tunnel to {request.host}", e)
            return Refusing(context, responses.refusal(e), wait)
        if not self._decider.runtime.providers.knows(request.host, request.port) or not self._admission.is_certain(
            grant
        ):
            return None
        self._admission.enter_tunnel(context.client, request.authorization)
        self.admit(context.client, grant)
        mode = grant.mode
        return connect.Tunnel(
            context,
            request,
            self._decider if self._decider.is_answering(mode) else None,
            self._handshake.tls_start_client,
            lenient=mode is Mode.REPLAY,
            limit=self._decider.runtime.largest,
        )

    def _has_no_onlookers(self) -> bool:
        """Return whether hits need not be flows, nor a tunnel one."""
        lane = self._decider.runtime.lane
        if lane is not Lane.AUTO:
            return lane is Lane.FAST
        if self._onlooked is None:  # Until an option changes.
            self._onlooked = observers.by_options(ctx.options)
        return not self._onlooked and not observers.by_addons(ctx.master.addons)

    def _is_foreign(self, nextlayer: layer.NextLayer) -> bool:
        context = nextlayer.context
        address = context.server.address
        if address is None or not isinstance(context.client.proxy_mode, mode_specs.RegularMode):
            return False
        inside_tunnel = any(isinstance(each, layers.HttpLayer) for each in context.layers)
        opened = any(isinstance(each, layers.ClientTLSLayer) for each in context.layers)
        data = nextlayer.data_client()
        if not inside_tunnel or opened or not data or starts_like_tls_record(data):
            return False
        if self._admission.mode(context.client) is Mode.REPLAY and host_agreement.may_name_provider(
            data, self._decider.runtime.providers
        ):
            return False
        return not self._decider.runtime.providers.knows(*address[:2])
