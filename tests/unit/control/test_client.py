"""The client asks what the API answers: its methods against a server that serves it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlling import Told, served, told
from wiretape.call_log.call import Outcome
from wiretape.control.client import ControlClient, ControlError
from wiretape.control.server import WebServer


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Told]:
    with told(tmp_path) as proxy:
        yield proxy


@pytest.fixture
def server(proxy: Told) -> Iterator[WebServer]:
    with served(proxy) as server:
        yield server


def test_it_asks_for_all_that_there_is(proxy: Told, server: WebServer) -> None:
    with ControlClient(server.url) as client:
        assert client.status()["session"] == "default"
        scope = client.open_scope("gw0", session="default", test_id="a")
        proxy.tell(scope=scope["id"], client="gw0")
        found = client.calls(scope=scope["id"])
        assert [each["scope"] for each in found["calls"]] == [scope["id"]]
        assert client.calls(since=found["next"], limit=5)["calls"] == []
        assert client.call(found["next"])["call"] == found["calls"][0]
        assert client.scopes()["scopes"] == [scope]
        assert client.scope(scope["id"])["hits"] == 1
        assert client.change_scope(scope["id"], pace="2x")["pace"] == "2x"
        assert client.end_scope(scope["id"])["calls"] == 1
        assert client.set_session("default", takes="first") == {"takes": "first"}
        assert client.reset_session("default") == {}
        assert len(client.recordings("default", run="x")["recordings"]) == 1
        client.rewind()
        assert proxy.overriding.rewound == 1


def test_a_refusal_is_an_error_with_its_code_and_its_words(server: WebServer) -> None:
    with ControlClient(server.url) as client:
        with pytest.raises(ControlError, match=r"there is no scope with this id") as raised:
            client.end_scope("x y")
        assert (raised.value.status, raised.value.code) == (404, "not_found")
        with pytest.raises(ControlError, match="mode: is one of"):
            client.open_scope("gw0", mode="reply")


def test_events_come_until_the_server_ends(proxy: Told, server: WebServer) -> None:
    proxy.tell(request="before")
    with ControlClient(server.url) as client:
        events = client.events(since=0)
        assert next(events)["request"] == "before"
        proxy.tell(Outcome.MISS, request="after")
        assert next(events)["outcome"] == "miss"
    threading.Thread(target=server.close).start()
    assert list(events) == []


def test_a_connection_that_the_server_has_closed_is_opened_anew(server: WebServer) -> None:
    with ControlClient(server.url) as client:
        client.status()
        assert client._connection
        assert client._connection.sock
        client._connection.sock.shutdown(2)
        assert client.status()["mode"] == "replay"


def test_where_nothing_answers_it_says_so(server: WebServer) -> None:
    server.close()
    with ControlClient(server.url, timeout=5) as client:
        with pytest.raises(ControlError, match=f"nothing answers at {server.url}") as raised:
            client.status()
        assert (raised.value.status, raised.value.code) == (0, "no_answer")
        with pytest.raises(ControlError, match="nothing answers"):
            next(client.events())


@pytest.mark.parametrize("url", ["", "ftp://x", "http://", "file:///x"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(ValueError, match="is no address of a control API"):
        ControlClient(url)
