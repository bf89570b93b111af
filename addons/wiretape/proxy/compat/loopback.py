"""Listening on this machine alone, unless told otherwise. Beside the way: about the proxy, not the traffic.

mitmproxy listens on every interface where no host is named, and its server reads the option before a script is
loaded. So the addon names the host, has a server that was already up start again, and refuses who came in between.
"""

import ipaddress
import logging
from typing import Any

from mitmproxy import connection, ctx
from mitmproxy.optmanager import OptManager
from mitmproxy.proxy.mode_specs import ProxyMode

from wiretape.network.address import Address

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"


def prefer(options: OptManager) -> None:
    """Name the loopback address where the user named no host."""
    if not options.listen_host:
        options.update(listen_host=HOST)


def elsewhere(options: OptManager) -> str:
    """Where the proxy is asked to listen that is not this machine alone; empty where that is all."""
    hosts = [options.listen_host, *(ProxyMode.parse(mode).custom_listen_host for mode in options.mode)]
    return next((host for host in hosts if host and not Address(host, 0).is_loopback), "")


async def rebind() -> None:
    """Start those servers again that listen on every interface although nobody asked for it."""
    servers = ctx.master.addons.get("proxyserver").servers
    if ctx.options.listen_host != HOST:
        return
    for server in servers:
        everywhere = [address for address in server.listen_addrs if ipaddress.ip_address(address[0]).is_unspecified]
        if server.mode.custom_listen_host is not None or not everywhere:
            continue
        await server.stop()
        if server.mode.custom_listen_port is None and ctx.options.listen_port == 0:
            ctx.options.update(listen_port=everywhere[0][1])  # The port that the log has already named.
        try:
            await server.start()
        except OSError as e:
            logger.error("%s", e)


def guard(client: connection.Client, streams: Any) -> None:
    """Close a connection from elsewhere that came in while the server was still listening on every interface.

    ``streams`` are what mitmproxy reads and writes with; None where it is done with the client.
    """
    if (
        ctx.options.listen_host == HOST
        and client.proxy_mode.custom_listen_host is None
        and not ipaddress.ip_address(_arrived_at(client, streams).partition("%")[0]).is_loopback
    ):
        client.error = "wiretape listens on this machine alone: use --listen-host to change that"


def _arrived_at(client: connection.Client, streams: Any) -> str:
    """Return the address at which a connection arrived: a client of a transparent proxy has that of its target."""
    name = client.sockname
    if streams:
        name = streams.writer.get_extra_info("sockname")
    return str(name[0])
