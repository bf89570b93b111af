"""A script for ``mitmdump -s`` in tests: all that goes upstream goes to a provider on loopback, or nowhere.

``TO_LOOPBACK_ORIGIN``    JSON, host -> port on 127.0.0.1; ``*`` is any other host; or a file with it, read each time
``TO_LOOPBACK_NAMES``     JSON, host -> its addresses, for whoever resolves it; another host that has an origin has a
                            public address of its own, which leads to that origin
``TO_LOOPBACK_CONNECTS``  a file that gets one line for each connection that mitmproxy opens: ``host:port``; and
                            ``resolve host`` or ``connect host:port`` for what anything else in the process tried

The connection is redirected where the socket is opened, below mitmproxy. Rewriting ``data.server.address`` in
``server_connect`` would do too for one request, but for the next one on the same client connection mitmproxy takes the
request's host from that address, and the addon under test would see 127.0.0.1 and not the provider.
"""

import asyncio
import ipaddress
import json
import logging
import os
import socket
import sys
from pathlib import Path
from typing import Any

from mitmproxy.proxy.server_hooks import ServerConnectionHookData

logger = logging.getLogger(__name__)

_origin = os.environ.get("TO_LOOPBACK_ORIGIN", "{}")
_names: dict[str, list[str]] = json.loads(os.environ.get("TO_LOOPBACK_NAMES", "{}"))
_connects = Path(os.environ["TO_LOOPBACK_CONNECTS"])
_open_connection = asyncio.open_connection
_getaddrinfo = socket.getaddrinfo
_given: dict[str, str] = {}
"""Public addresses that were given to names."""


def server_connect(data: ServerConnectionHookData) -> None:
    """Note each connection that mitmproxy is about to open."""
    if data.server.address and not data.server.error:
        host, port = data.server.address[:2]
        _note(f"{_given.get(host, host)}:{port}")


def running() -> None:
    """Tell the harness that the scripts are ready too: mitmproxy may listen before they are."""
    logger.info("to_loopback is ready.")


def _note(line: str) -> None:
    with _connects.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def _is_loopback(host: object) -> bool:
    if host in (None, "", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else str(host)).is_loopback
    except ValueError:
        return False


def _target(host: object) -> int | None:
    origin: dict[str, int] = json.loads(_origin if _origin.startswith("{") else Path(_origin).read_text("utf-8"))
    return origin.get(str(host), None if _is_loopback(host) else origin.get("*"))


async def _to_loopback(host: Any = None, port: Any = None, **kwargs: Any) -> Any:
    target = _target(_given.get(str(host), host))
    if target is not None:
        return await _open_connection("127.0.0.1", target, **kwargs)
    if _is_loopback(host):
        return await _open_connection(host, port, **kwargs)
    raise ConnectionRefusedError(f"to_loopback: no origin for {host}")


def _resolve(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name in _names:
        addresses = _names[name]
    elif _is_loopback(host) or _target(name) is None:
        return _getaddrinfo(host, port, *args, **kwargs)
    else:
        addresses = [given for given, known in _given.items() if known == name] or [f"9.9.9.{len(_given) + 1}"]
        _given[addresses[0]] = name
    return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (each, port)) for each in addresses]


def _watch(event: str, args: tuple[Any, ...]) -> None:
    # What goes out past mitmproxy's own door (a DNS query, a connection of some library) is noted and refused here.
    if event == "socket.getaddrinfo" and not _is_loopback(args[0]):
        attempt = f"resolve {args[0]}"
    elif event == "socket.connect" and isinstance(args[1], tuple) and not _is_loopback(args[1][0]):
        attempt = f"connect {args[1][0]}:{args[1][1]}"
    else:
        return
    _note(attempt)
    raise ConnectionRefusedError(f"to_loopback: {attempt}")


asyncio.open_connection = _to_loopback
socket.getaddrinfo = _resolve
sys.addaudithook(_watch)
