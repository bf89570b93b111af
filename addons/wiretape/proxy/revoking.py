"""Tokens that are taken back: what they opened is closed, within a second. Beside the traffic, which it costs nothing.

A request shows its credentials, and is refused from then on. But a tunnel, a WebSocket or a long answer asks only once.
So the file of the tokens is looked at from time to time, by a task of its own; where it has changed and then stayed as
it is (an editor may empty it first), each connection whose credentials are good no more is reset.

So are connections closed that have shown no token for a while: a thousand of them would leave no room for others.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress

from mitmproxy import connection, ctx

from wiretape.proxy.admission import Admission
from wiretape.proxy.compat import tcp_reset
from wiretape.sessions.token_file import TokenFile

logger = logging.getLogger(__name__)

_EVERY = 0.5
"""Seconds between two looks: two of them pass before something is closed. Whoever asks meanwhile is told
that it is refused."""

_SILENCE = 30.0
"""Seconds in which a client has to show a token, with the whole head of a request, where there are tokens."""


async def watch(admission: Admission, current: Callable[[], TokenFile | None]) -> None:
    """Close what was opened with tokens that are taken back, until cancelled. ``current`` gives the tokens' file."""
    former = done = _state(current())
    while True:
        await asyncio.sleep(_EVERY)
        state = _state(current())
        if current():
            close_silent(admission)
        if state == former and state != done:
            with suppress(OSError):  # The file cannot be read: it is looked at again.
                close(admission)
                done = state
        former = state


def _state(tokens: TokenFile | None) -> tuple[TokenFile | None, int]:
    return tokens, tokens.version() if tokens else 0


def close(admission: Admission) -> None:
    """Close the connections of clients whose credentials are good no more."""
    outside = [
        client
        for client in admission.revoked()
        if isinstance(client, connection.Client) and client.state is not connection.ConnectionState.CLOSED
    ]
    for client in outside:
        tcp_reset.abort(client)
    if outside:
        logger.warning("tokens were taken back: %d connections that they had opened are closed", len(outside))


def close_silent(admission: Admission) -> None:
    """Close the connections of clients who have not been let in for a while, by anything that they sent."""
    since = time.time() - _SILENCE
    clients = [handler.client for handler in ctx.master.addons.get("proxyserver").connections.values()]
    for client in clients:
        if client.timestamp_start < since and not admission.has_been_let_in(client):
            tcp_reset.close(client)
