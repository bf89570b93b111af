"""The layers' side of a refusal: one that gives a last answer and closes, and what makes ours refuse where they fail.

An exception in a layer leaves mitmproxy with a layer that is in no state at all: it logs "mitmproxy has crashed", and
what comes next goes to that layer. Here a layer that has raised gets nothing any more, and the connection is closed.
"""

import asyncio
import logging

from mitmproxy import connection, http
from mitmproxy.connection import ConnectionState
from mitmproxy.net.http import http1
from mitmproxy.proxy import commands, context, events, layer

logger = logging.getLogger(__name__)

LINGER = 2.0
"""Seconds for which what a client still sends is read and dropped. A connection that is closed while there is something
to read is reset, and a reset overtakes the answer (RFC 9112, 9.6)."""

ENDING = (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit)
"""What ends a task or the process. All else is a failure: that a native module panics is no ``Exception`` either."""


class Refusing(layer.Layer):
    """Gives one answer, whatever comes, and closes the connection."""

    def __init__(self, context: context.Context, answer: http.Response | None, wait: float = 0.0) -> None:
        """Without an answer the connection is only closed. ``wait``: seconds before all that."""
        super().__init__(context)
        self._answer = answer
        self._wait = wait
        self._has_answered = False

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        client = self.context.client
        if isinstance(event, events.Start) and self._wait:
            yield commands.RequestWakeup(self._wait)
        elif isinstance(event, events.Start | events.Wakeup) and not self._has_answered:
            yield from self._say()
        elif isinstance(event, events.Wakeup) or (
            isinstance(event, events.ConnectionClosed) and event.connection == client
        ):
            yield from close(client)

    def _say(self) -> layer.CommandGenerator[None]:
        self._has_answered = True
        if self._answer:
            yield commands.SendData(self.context.client, bytes(http1.assemble_response(self._answer)))
        yield from hang_up(self.context.client)


def hang_up(client: connection.Client) -> layer.CommandGenerator[None]:
    """Tell a client that nothing more comes. At the wakeup that is asked for here, ``close`` the connection."""
    if client.state & ConnectionState.CAN_WRITE:
        yield commands.CloseTcpConnection(client, half_close=True)
    yield commands.RequestWakeup(LINGER)


def close(client: connection.Client) -> layer.CommandGenerator[None]:
    """Close a client's connection, where it is not closed yet."""
    if client.state is not ConnectionState.CLOSED:
        yield commands.CloseConnection(client)


class FailsClosed(layer.Layer):
    """A layer of ours: where it raises, it refuses, and is out of the way for good."""

    _successor: layer.Layer | None = None
    """The layer that has taken over."""

    def handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        """As the base class, until another has taken over."""
        if self._successor is not None:
            yield from self._successor.handle_event(event)
            return
        try:
            yield from super().handle_event(event)
        except ENDING:
            raise
        except BaseException:
            logger.exception("wiretape failed: the connection of a client is closed")
            yield from self._fail_closed()

    def _fail_closed(self) -> layer.CommandGenerator[None]:
        """Refuse, from the middle of anything."""
        yield from self._refuse(self._last_words())

    def _last_words(self) -> http.Response | None:
        """Return what is answered to a request that is under way; None where it is answered already, or half."""
        raise NotImplementedError

    def _refuse(self, answer: http.Response | None, wait: float = 0.0) -> layer.CommandGenerator[None]:
        """Give a last answer and close; from now on nothing comes here."""
        self._successor = successor = Refusing(self.context, answer, wait)
        self.context.layers.remove(successor)  # A layer puts itself at the end.
        yield from successor.handle_event(events.Start())
