"""Where what comes through the proxy may go: judged by name, then by address, and the judged address is the one
connected to.

Between ``egress``, which judges, and mitmproxy, which connects. A name is resolved once for a client, and all of its
addresses are judged. mitmproxy would resolve it again, and whoever owns the name could give another answer by then: so
the connection is made to the address that was judged (``pin``), while the server keeps its name for all else, such as
the next request on the same connection (``unpin``). This holds for every connection that mitmproxy opens, whatever
asked for it; what a hook refuses before, a tunnel or a request, it refuses for the sake of a sentence that says why.

What a mode of mitmproxy's names itself, the server of ``reverse`` and the proxy of ``upstream``, was chosen by whoever
runs the proxy, and is open: the upstream proxy as the way to others, not as what a client asks for, who would have it
lead him on. Behind an upstream proxy it is that one that resolves names: there they are judged as they
are spelled.
"""

import asyncio
import contextlib
import ipaddress
import logging
import socket
from weakref import WeakKeyDictionary

from mitmproxy import connection, ctx, http
from mitmproxy.proxy import mode_specs, server_hooks

from wiretape.network.egress import LOCALHOST, OPEN, Address, EgressPolicy, Verdict, canonical, is_here, literal
from wiretape.providers import wire
from wiretape.providers.routing import Providers, Route
from wiretape.proxy import responses
from wiretape.proxy.responses import Refused

logger = logging.getLogger(__name__)

_REMEMBERED = 100
"""Hosts of which a client's connection keeps the address."""


class ClosedError(Exception):
    """It may not be gone there; the reason is a sentence for whoever asked."""


class Destinations:
    """Decides for one proxy."""

    def __init__(self) -> None:
        self.policy: EgressPolicy = OPEN
        self._providers = Providers(())
        self._pins: WeakKeyDictionary[connection.Client, dict[tuple[str, int], str]] = WeakKeyDictionary()
        """The address of each host that a client was let through to."""
        self._names: WeakKeyDictionary[connection.Server, tuple[str, int]] = WeakKeyDictionary()
        """The name of each server whose address stands in its place for now."""

    def use(self, policy: EgressPolicy, providers: Providers) -> None:
        """From now on these decide."""
        self.policy = policy
        self._providers = providers
        self._pins.clear()

    def is_offline_for(self, host: str) -> bool:
        """Whether nothing is sent to this host because nothing is sent to anybody."""
        return self.policy.is_offline and not is_here(host)

    async def check(self, client: connection.Client, host: str, port: int) -> None:
        """Raise ClosedError where a client may not be led to a host. Its address is known from now on, where it
        matters."""
        verdict = self._judged(client, host, port)
        if verdict is Verdict.BY_ADDRESS and not isinstance(client.proxy_mode, mode_specs.UpstreamMode):
            await self._pin(client, host, port)

    async def refuse_tunnel(self, flow: http.HTTPFlow) -> http.Response | None:
        """The answer to a CONNECT for where its client may not be led; None where it may."""
        if self._is_provider(flow.request.host, flow.request.port):
            return None
        refused = await self._refuse(flow)
        return refused.answer if refused else None

    async def refuse_request(self, flow: http.HTTPFlow, route: Route, *, is_played: bool) -> Refused | None:
        """The answer to a request for where its client may not be led; None where it may.

        ``is_played``: whether it may have an answer that needs no server. While offline it has that one, or none.
        """
        if is_played and self.is_offline_for(flow.request.host):
            return None
        if is_onboarding(flow):
            return None
        return await self._refuse(flow, route)

    async def _refuse(self, flow: http.HTTPFlow, route: Route | None = None) -> Refused | None:
        request = flow.request
        try:
            await self.check(flow.client_conn, request.host, request.port)
        except ClosedError as e:
            logger.warning("refused: %s to %s port %d: %s", request.method, request.host, request.port, e)
            code = "offline" if self.policy.is_offline else "destination_refused"
            return Refused(responses.answer(wire.error(403, f"wiretape: {e}.", code, route)), str(e))
        return None

    async def pin(self, data: server_hooks.ServerConnectionHookData) -> None:
        """Have a server that is about to be connected to be one that may be, by the very address that was judged."""
        client = data.client
        server = data.server
        if server.error or not server.address:
            return
        host, port = server.address[:2]
        if _leads_to(mode_specs.UpstreamMode, client, host, port) and not self.policy.is_offline:
            return  # What is asked for by way of it was judged with the tunnel, or with the request.
        server.error = "wiretape: it was not judged where this leads"  # Whatever happens until it was.
        try:
            await self.check(client, host, port)
        except ClosedError as e:
            logger.warning("refused: a connection to %s port %d: %s", host, port, e)
            server.error = f"wiretape: {e}"
            return
        address = self._pins.get(client, {}).get((host, port))
        if self.policy.is_offline and address is None:
            # A name that stands for this machine is to be no question for a name server.
            address = canonical(host) if literal(host) else LOCALHOST
        if address and address != host:
            self._names[server] = (host, port)
            server.address = (address, port)
        server.error = None

    def unpin(self, server: connection.Server) -> None:
        """Give a server its name back: it is connected, or was not to be had."""
        name = self._names.pop(server, None)
        if name:
            # mitmproxy forbids it for a connection that is open, lest two servers be taken for one: here it is one.
            object.__setattr__(server, "address", name)

    def forget(self, client: connection.Client) -> None:
        """Resolve again what a client asks for next: an address could not be connected to."""
        self._pins.pop(client, None)

    # -- judging ---------------------------------------------------------------------------------------------------

    def _judged(self, client: connection.Client, host: str, port: int) -> Verdict:
        if self.policy.is_offline and isinstance(client.proxy_mode, mode_specs.UpstreamMode):
            raise ClosedError("nothing leaves this machine (wiretape_offline), by way of an upstream proxy neither")
        if _leads_to(mode_specs.ReverseMode, client, host, port) and not self.policy.is_offline:
            return Verdict.OPEN
        verdict = self.policy.judge_name(host, port, is_provider=self._is_provider(host, port))
        if verdict is Verdict.CLOSED:
            raise ClosedError(self._reason(host, port))
        return verdict

    def _is_provider(self, host: str, port: int) -> bool:
        if not self._providers.knows(host, port):
            return False
        return self.policy.is_open_provider(host, is_configured=self._providers.is_configured(host, port))

    async def _pin(self, client: connection.Client, host: str, port: int) -> None:
        pins = self._pins.setdefault(client, {})
        if (host, port) in pins:
            return
        addresses = await _resolved(host, port)
        is_open = bool(addresses) and all(self.policy.judge_address(each, port) for each in addresses)
        if not is_open or any(_is_own(each, port) and not self.policy.lists(each, port) for each in addresses):
            # To tell a name that there is not from one of a private network would be to tell of that network.
            logger.info("%s has the addresses %s", host, ", ".join(map(str, addresses)) or "none")
            raise ClosedError(self._reason(host, port))
        if len(pins) >= _REMEMBERED:
            pins.clear()
        pins[host, port] = str(addresses[0])

    def _reason(self, host: str, port: int) -> str:
        if self.policy.is_offline:
            return f"nothing leaves this machine (wiretape_offline), so not for {host} either"
        if self.policy.allow_only:
            return (
                f"{host} port {port} is neither a provider nor listed, and the proxy leads nowhere else (allow_only of "
                "[tunnels] in the file of wiretape_config): whoever runs it can list it in allow there"
            )
        return (
            f"there is no public address for {host} port {port}, and a proxy with tokens leads to no other: whoever "
            "runs it can list the host in [tunnels] allow in the file of wiretape_config"
        )


def is_onboarding(flow: http.HTTPFlow) -> bool:
    """Whether mitmproxy answers a request by itself: at mitm.it it gives its CA."""
    return bool(getattr(ctx.options, "onboarding", False) and flow.request.host == ctx.options.onboarding_host)


def _leads_to(kind: type[mode_specs.ProxyMode], client: connection.Client, host: str, port: int) -> bool:
    """Whether the proxy's own mode is of a kind, and names this host and port."""
    mode = client.proxy_mode
    if not isinstance(mode, kind):
        return False
    chosen: tuple[str, int] = mode.address  # type: ignore[attr-defined]
    return (canonical(chosen[0]), chosen[1]) == (canonical(host), port)


async def _resolved(host: str, port: int) -> list[Address]:
    if address := literal(host):
        return [address]
    try:
        addresses = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [ipaddress.ip_address(each[4][0]) for each in addresses]
    except (OSError, ValueError, OverflowError):  # UnicodeError of a label that is too long is a ValueError.
        return []


def _is_own(address: Address, port: int) -> bool:
    """Whether a public address is one of this machine's: we would reach there what its firewall keeps from others."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.bind((str(address), 0))
        # So it is, unless the system lets everything be bound. For UDP to connect is to choose a route, and nothing is
        # sent; from an address that is its own one goes there from itself.
        probe.close()
        with socket.socket(family, socket.SOCK_DGRAM) as second:
            second.connect((str(address), port))
            return bool(second.getsockname()[0] == str(address))
    return False
