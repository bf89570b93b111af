"""A layer that gives a last answer, and one of ours that gives it where it fails."""

from typing import Any

import pytest
from mitmproxy import connection, http, options
from mitmproxy.connection import ConnectionState
from mitmproxy.proxy import commands, context, events, layer

from wiretape.proxy import responses
from wiretape.proxy.layers.refusing import LINGER, FailsClosed, Refusing


def make_context() -> context.Context:
    client = connection.Client(
        peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2), timestamp_start=0, state=ConnectionState.OPEN
    )
    return context.Context(client, options.Options())


def fed(layer: layer.Layer, event: events.Event) -> list[Any]:
    return list(layer.handle_event(event))


def names(made: list[Any]) -> list[str]:
    return [type(each).__name__ for each in made]


@pytest.mark.parametrize("wait", [0.0, 1.5])
def test_it_answers_once_hangs_up_and_closes(wait: float) -> None:
    refusing = Refusing(make_context(), responses.failure(), wait)
    made = fed(refusing, events.Start())
    if wait:
        (first,) = made
        assert first.delay == wait
        made = fed(refusing, events.Wakeup(first))
    answer, half_close, later = made
    assert answer.data.startswith(b"HTTP/1.1 500 ")
    assert (half_close.half_close, later.delay) == (True, LINGER)
    assert fed(refusing, events.DataReceived(refusing.context.client, b"more")) == []
    assert names(fed(refusing, events.Wakeup(later))) == ["CloseConnection"]


def test_a_client_that_goes_is_closed_at_once() -> None:
    refusing = Refusing(make_context(), None)
    assert names(fed(refusing, events.Start())) == ["CloseTcpConnection", "RequestWakeup"]
    refusing.context.client.state = ConnectionState.CAN_WRITE
    assert names(fed(refusing, events.ConnectionClosed(refusing.context.client))) == ["CloseConnection"]


class Fragile(FailsClosed):
    """Fails at what it gets, and counts that."""

    def __init__(self, context: context.Context, error: BaseException) -> None:
        super().__init__(context)
        self._error = error
        self.count = 0

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        self.count += 1
        raise self._error
        yield

    def _last_words(self) -> http.Response | None:
        return responses.failure()


class PanicError(BaseException):
    """As the panics of native modules, which are no ``Exception``."""


@pytest.mark.parametrize("error", [RuntimeError("x"), PanicError("x")], ids=repr)
def test_a_layer_that_fails_refuses_and_gets_nothing_more(error: BaseException) -> None:
    fragile = Fragile(make_context(), error)
    answer, *_ = fed(fragile, events.Start())
    assert isinstance(answer, commands.SendData)
    assert answer.data.startswith(b"HTTP/1.1 500 ")
    assert fed(fragile, events.DataReceived(fragile.context.client, b"more")) == []
    assert fragile.count == 1
    assert fragile.context.layers == [fragile]


def test_what_ends_the_process_is_no_failure() -> None:
    with pytest.raises(KeyboardInterrupt):
        fed(Fragile(make_context(), KeyboardInterrupt()), events.Start())
