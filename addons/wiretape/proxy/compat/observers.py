"""Whether anybody looks at flows and tunnels, so that hits have to be flows too.

Beside the way: about mitmproxy's other addons.
"""

from collections.abc import Iterator
from typing import Any

from mitmproxy import addonmanager
from mitmproxy.optmanager import OptManager

_HOOKS = (
    "requestheaders",
    "request",
    "responseheaders",
    "response",
    "error",
    "update",
    "http_connect",
    "http_connected",
    "next_layer",
    "tls_clienthello",
    "tls_start_client",
    "tls_established_client",
)

_OPTIONS = (
    "allow_hosts",
    "anticache",
    "anticomp",
    "block_list",
    "client_replay",
    "hardump",
    "ignore_hosts",
    "intercept",
    "map_local",
    "map_remote",
    "modify_body",
    "modify_headers",
    "proxyauth",
    "save_stream_file",
    "save_stream_filter",
    "server_replay",
    "stickyauth",
    "stickycookie",
    "tcp_hosts",
    "upstream_auth",
)
"""Options of mitmproxy's with which its own addons look at flows, or have a say in what becomes of a connection."""

_VIEWS = ("view", "intercept", "webaddon", "consoleaddon")
"""Addons of the console and of mitmweb."""


def by_options(options: OptManager) -> bool:
    """Whether an option makes an addon of mitmproxy's look at flows."""
    return any(getattr(options, name, None) for name in _OPTIONS) or getattr(options, "flow_detail", 1) > 1


def by_addons(addons: addonmanager.AddonManager) -> bool:
    """Whether there is a user interface, or another addon, that would miss a flow that never was."""
    if any(addons.get(name) is not None for name in _VIEWS):  # An empty view is false.
        return True
    return any(callable(getattr(each, name, None)) for each in _foreign(addons.chain) for name in _HOOKS)


def _foreign(chain: list[Any]) -> Iterator[Any]:
    """Addons that are neither mitmproxy's own nor ours."""
    for each in addonmanager.traverse(chain):
        module = getattr(each, "__module__", None) or getattr(each, "__name__", "")
        if not f"{module}.".startswith(("mitmproxy.", "wiretape.", "wiretape_addon.")):
            yield each
