"""A layer that gives a last answer and closes, and what makes ours refuse where they fail."""

from typing import Any

import pytest
from mitmproxy import http, options
from mitmproxy.connection import ConnectionState
from mitmproxy.proxy import commands, context, events, layer
from mitmproxy.test import tflow

from wiretape.proxy import responses
from wiretape.proxy.layers.refusing import LINGER, FailsClosed, Refusing


def make_context() -> context.Context:
    client = tflow.tclient_conn()
    client.state = ConnectionState.OPEN
    return context.Context(client, options.Options())


def told(layer: layer.Layer, event: events.Event) -> list[tuple[str, Any]]:
    """Return what a layer does, in short."""
    shown: list[tuple[str, Any]] = []
    for command in layer.handle_event(event):
        match command:
            case commands.SendData(data=data):
                shown.append(("send", data))
            case commands.RequestWakeup(delay=delay):
                shown.append(("wake", delay))
            case commands.CloseTcpConnection(half_close=True):
                shown.append(("half close", None))
            case commands.CloseConnection():
                shown.append(("close", None))
    return shown


WAKEUP = events.Wakeup(commands.RequestWakeup(0.0))


def test_it_answers_waits_for_the_client_and_closes() -> None:
    made = Refusing(make_context(), http.Response.make(403, b"no"))
    (_, sent), *more = told(made, events.Start())
    assert sent.startswith(b"HTTP/1.1 403")
    assert sent.endswith(b"no")
    assert more == [("half close", None), ("wake", LINGER)]
    assert told(made, events.DataReceived(made.context.client, b"more")) == []
    assert told(made, WAKEUP) == [("close", None)]


def test_without_an_answer_it_only_closes() -> None:
    made = Refusing(make_context(), None)
    assert told(made, events.Start()) == [("half close", None), ("wake", LINGER)]
    assert told(made, WAKEUP) == [("close", None)]


def test_an_answer_may_wait() -> None:
    made = Refusing(make_context(), http.Response.make(401, b"no"), 1.5)
    assert told(made, events.Start()) == [("wake", 1.5)]
    assert told(made, WAKEUP)[0][1].startswith(b"HTTP/1.1 401")
    assert told(made, WAKEUP) == [("close", None)]


def test_a_client_that_goes_is_not_waited_for() -> None:
    made = Refusing(make_context(), http.Response.make(403, b"no"))
    told(made, events.Start())
    assert told(made, events.ConnectionClosed(made.context.client)) == [("close", None)]
    made.context.client.state = ConnectionState.CLOSED
    assert told(made, WAKEUP) == []


class Failing(FailsClosed):
    """Fails where it is told to."""

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, events.DataReceived):
            yield commands.SendData(self.context.client, b"half an answer")
            raise {b"fail": RuntimeError, b"end": KeyboardInterrupt}[event.data]
        yield from ()

    def _last_words(self) -> http.Response | None:
        return responses.failure()


def test_a_layer_that_fails_refuses_and_gets_nothing_more() -> None:
    made = Failing(make_context())
    told(made, events.Start())
    (_, half), (_, last), *more = told(made, events.DataReceived(made.context.client, b"fail"))
    assert half == b"half an answer"
    assert last.startswith(b"HTTP/1.1 500")
    assert more == [("half close", None), ("wake", LINGER)]
    assert told(made, events.DataReceived(made.context.client, b"fail")) == []
    assert made.context.layers == [made]


def test_what_ends_the_process_is_no_failure() -> None:
    made = Failing(make_context())
    told(made, events.Start())
    with pytest.raises(KeyboardInterrupt):
        told(made, events.DataReceived(made.context.client, b"end"))
