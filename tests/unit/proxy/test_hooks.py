"""A hook that raises has refused what it was asked about."""

import asyncio
from typing import Any

import pytest
from mitmproxy import exceptions, options
from mitmproxy.proxy import context, layer, server_hooks
from mitmproxy.proxy.layers import http
from mitmproxy.test import tflow

from wiretape.proxy import flow_state
from wiretape.proxy.compat import tcp_reset
from wiretape.proxy.hooks import Guarded
from wiretape.proxy.layers.refusing import Refusing

AT_ONCE = ["requestheaders", "responseheaders", "response", "error", "server_connect", "client_connected", "next_layer"]


@pytest.fixture(autouse=True, name="closed")
def _closed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    closed: list[Any] = []
    monkeypatch.setattr(tcp_reset, "close", closed.append)
    return closed


def failing(error: BaseException | None = None) -> Any:
    class Raising:
        name = "wiretape"

        def __getattr__(self, name: str) -> Any:
            if name == "request":
                return self._aside
            if name in AT_ONCE:
                return self._at_once
            raise AttributeError(name)

        def _at_once(self, *_: Any) -> None:
            raise error or RuntimeError("inside")

        async def _aside(self, *_: Any) -> None:
            await asyncio.sleep(0)
            raise error or RuntimeError("inside")

    return Guarded(Raising())


def test_only_hooks_are_seen() -> None:
    assert http._hooks.HttpRequestHook.name == "request", "mitmproxy knows it"
    guarded = failing()
    assert guarded.name == "wiretape"
    assert hasattr(guarded, "requestheaders")
    assert not hasattr(guarded, "tls_clienthello")


@pytest.mark.parametrize("name", ["requestheaders", "request"])
def test_a_request_is_refused_and_may_not_leave(name: str) -> None:
    flow = tflow.tflow()
    state = flow_state.of(flow)
    state.leaves = True
    result = getattr(failing(), name)(flow)
    if result is not None:
        asyncio.run(result)
    assert flow.response
    assert flow.response.status_code == 500
    assert not state.leaves


@pytest.mark.parametrize("name", ["responseheaders", "response", "error"])
def test_who_was_not_let_in_gets_no_answer_of_a_provider(name: str) -> None:
    flow = tflow.tflow(resp=True)
    getattr(failing(), name)(flow)
    assert flow.error
    assert flow.error.msg == flow.error.KILLED_MESSAGE


def test_who_was_let_in_gets_the_answer_as_it_comes() -> None:
    flow = tflow.tflow(resp=True)
    assert flow.response
    flow.response.raw_content = None
    flow_state.of(flow).grant = object()  # type: ignore[assignment]
    failing().responseheaders(flow)
    assert flow.response.stream is True
    assert flow.error is None


def test_a_connection_is_not_opened() -> None:
    data = server_hooks.ServerConnectionHookData(tflow.tserver_conn(), tflow.tclient_conn())
    failing().server_connect(data)
    assert data.server.error == "wiretape failed, as its log tells"


def test_a_client_is_closed(closed: list[Any]) -> None:
    client = tflow.tclient_conn()
    failing().client_connected(client)
    assert client.error == "wiretape failed, as its log tells"
    assert closed == [client]


def test_a_connection_without_a_layer_gets_one_that_refuses() -> None:
    asked = layer.NextLayer(context.Context(tflow.tclient_conn(), options.Options()))
    failing().next_layer(asked)
    assert isinstance(asked.layer, Refusing)


@pytest.mark.parametrize("error", [exceptions.AddonHalt(), KeyboardInterrupt(), asyncio.CancelledError()])
def test_what_is_no_failure_goes_on(error: BaseException) -> None:
    flow = tflow.tflow()
    with pytest.raises(type(error)):
        failing(error).requestheaders(flow)
    assert flow.response is None
