"""A stream reads nothing of a client that was not let in, sends on what may leave, and keeps no large body."""

import json
from typing import Any

import h2.events
import pytest
from mitmproxy import http
from mitmproxy.proxy import commands
from mitmproxy.proxy.layers.http import GetHttpConnection
from mitmproxy.proxy.layers.http._hooks import (
    HttpErrorHook,
    HttpRequestHeadersHook,
    HttpRequestHook,
    HttpResponseHeadersHook,
    HttpResponseHook,
)

from layer_rig import ASKED, BODY, Http2Rig, Rigs
from wiretape.policy import Mode
from wiretape.proxy import flow_state
from wiretape.proxy.layers.admitted_stream import AdmittingStream
from wiretape.proxy.layers.hooks import WiretapeLargeHook

LARGE = json.dumps({**ASKED, "user": "x" * 2000}).encode()


def begin(rig: Http2Rig, body: bytes = BODY, *, is_whole: bool = True) -> tuple[int, HttpRequestHeadersHook]:
    """Have a request that is a flow at once."""
    rig.use(Mode.LIVE)
    stream, (hook,) = rig.send(body, is_whole=is_whole)
    assert isinstance(hook, HttpRequestHeadersHook)
    return stream, hook


def answered(rig: Http2Rig, made: list[Any]) -> list[Any]:
    """Complete the hooks of an answer in one piece; return what comes after it."""
    for kind in (HttpResponseHeadersHook, HttpResponseHook):
        (hook,) = made
        assert isinstance(hook, kind)
        made = rig.pass_on(hook)
    return made


def test_a_client_that_was_not_let_in_is_answered_and_hung_up_on(rigged: Rigs) -> None:
    rig = rigged.http2()
    stream, hook = begin(rig, is_whole=False)
    hook.flow.response = http.Response.make(407, b"who are you?")
    *_, later = answered(rig, rig.pass_on(hook))
    assert (rig.head_of(stream)[":status"], rig.pieces_of(stream)) == ("407", [b"who are you?"])
    assert isinstance(later, commands.RequestWakeup)
    assert [type(each) for each in rig.wake(later)] == [commands.CloseConnection]


def test_where_no_hook_has_said_who_it_is_something_has_failed(rigged: Rigs) -> None:
    rig = rigged.http2()
    stream, hook = begin(rig)
    answered(rig, rig.pass_on(hook))
    assert rig.head_of(stream)[":status"] == "500"


def test_a_refusal_waits_for_its_time(rigged: Rigs) -> None:
    rig = rigged.http2()
    stream, hook = begin(rig)
    hook.flow.response = http.Response.make(407, b"")
    flow_state.of(hook.flow).wait = 1.5
    (wakeup,) = rig.pass_on(hook)
    assert (wakeup.delay, rig.head_of(stream)) == (1.5, {})
    answered(rig, rig.wake(wakeup))
    assert rig.head_of(stream)[":status"] == "407"


def test_a_refusal_that_fails_while_it_waits_closes(rigged: Rigs, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("made to fail")

    rig = rigged.http2()
    _, hook = begin(rig)
    hook.flow.response = http.Response.make(407, b"")
    flow_state.of(hook.flow).wait = 1.5
    (wakeup,) = rig.pass_on(hook)
    monkeypatch.setattr(AdmittingStream, "_after_the_end", fail)
    assert [type(each) for each in rig.wake(wakeup)] == [commands.CloseConnection]


@pytest.mark.parametrize("leaves", [True, False])
def test_nothing_is_sent_on_of_which_no_hook_has_said_that_it_may(rigged: Rigs, *, leaves: bool) -> None:
    rig = rigged.http2()
    stream, hook = begin(rig)
    (asked,) = rig.complete(hook)
    assert isinstance(asked, HttpRequestHook)
    flow_state.of(hook.flow).leaves = leaves
    made = rig.pass_on(asked)
    if leaves:
        assert [type(each) for each in made] == [commands.OpenConnection]
    else:
        answered(rig, made)
        assert rig.head_of(stream)[":status"] == "500"
    assert not [each for each in made if isinstance(each, GetHttpConnection)]


@pytest.mark.parametrize("is_streamed", [True, False])
def test_of_a_body_that_is_too_large_the_addon_is_asked(
    rigged: Rigs, monkeypatch: pytest.MonkeyPatch, *, is_streamed: bool
) -> None:
    rig = rigged.http2()
    monkeypatch.setattr(rig.context.layers[0], "_limit", 1000)
    stream, hook = begin(rig, LARGE[:500], is_whole=False)
    assert rig.complete(hook) == []
    rig.peer.send_data(stream, LARGE[500:])
    (large,) = rig.receive(rig.peer.data_to_send())
    assert isinstance(large, WiretapeLargeHook)
    if is_streamed:
        large.flow.request.stream = True
        assert [type(each) for each in rig.pass_on(large)] == [commands.OpenConnection]
    else:
        large.flow.response = http.Response.make(413, b"too large")
        answered(rig, rig.pass_on(large))
        assert rig.head_of(stream)[":status"] == "413"


def test_a_stream_that_fails_is_answered_and_told_of(rigged: Rigs, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("made to fail")

    rig = rigged.http2()
    stream, hook = begin(rig)
    (asked,) = rig.complete(hook)
    monkeypatch.setattr(AdmittingStream, "make_server_connection", fail)
    made = rig.pass_on(asked)
    assert [type(each) for each in made] == [HttpErrorHook, commands.CloseTcpConnection, commands.RequestWakeup]
    assert rig.head_of(stream)[":status"] == "500"
    assert rig.end_of(stream) is h2.events.StreamEnded
    assert not hook.flow.live
