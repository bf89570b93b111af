"""mitmproxy's HTTP layer as ours has it: what goes out in one piece, what is too far ahead, how it fails."""

from typing import Any

import pytest
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers.http import HTTPMode
from mitmproxy.proxy.layers.http._hooks import HttpRequestHeadersHook

from layer_rig import ANSWER, BODY_OF_HIT, HOST, Http2Rig, Rig, Rigs, is_close, post, split
from wiretape.proxy.layers.hooks import WiretapeDecideHook
from wiretape.proxy.layers.http import PlayingLayer


class Http1Rig(Rig):
    """mitmproxy's HTTP layer with streams of ours, and a client of HTTP/1.1."""

    def make_layer(self, mode: HTTPMode, *, lenient: bool) -> layer.Layer:
        return PlayingLayer(self.context, mode, self.decider, lenient=lenient)


@pytest.fixture(name="rig")
def _rig(rigged: Rigs) -> Http1Rig:
    rig = Http1Rig(rigged.folder)
    return rigged.kept(rig)


def test_a_hit_of_http1_goes_out_in_one_piece(rig: Http1Rig) -> None:
    (cold,) = rig.ask()
    assert split(cold)[1] == BODY_OF_HIT
    assert rig.receive(post()) == [cold]


def test_what_belongs_to_one_event_of_http2_goes_out_in_one_piece(
    rigged: Rigs, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = rigged.http2()
    _, (hook,) = rig.send()
    rig.decide(hook)
    sent: list[commands.Command] = []
    plain = Http2Rig._plain

    def watched(self: Http2Rig, each: commands.Command) -> Any:
        sent.append(each)
        return plain(self, each)

    monkeypatch.setattr(Http2Rig, "_plain", watched)
    stream, _ = rig.send()
    assert b"".join(rig.pieces_of(stream)) == b"".join(ANSWER.chunks)
    assert [type(each) for each in sent] == [commands.SendData]


def test_a_client_that_sends_on_and_on_while_it_waits_is_cut_off(rig: Http1Rig) -> None:
    (hook,) = rig.receive(post())
    for _ in range(10):
        assert rig.receive(b"x" * 100_000) == []
    *_, last = rig.receive(b"x" * 100_000)
    assert is_close(last)
    assert hook.asking.outcome is None


@pytest.mark.parametrize("lenient", [True, False])
def test_a_header_may_end_in_a_space_where_nothing_is_sent_on(rigged: Rigs, *, lenient: bool) -> None:
    rig = rigged.http2()
    rig.begin(lenient=lenient)
    _, made = rig.send(headers={"authorization": "Bearer "})
    assert [type(each) for each in made] == [WiretapeDecideHook if lenient else commands.CloseConnection]


def test_a_layer_that_fails_says_so_where_nothing_was_answered(rig: Http1Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("made to fail")

    monkeypatch.setattr(PlayingLayer, "make_stream", fail)
    answer, *_ = rig.receive(post())
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert not [each for each in rig.receive(post()) if isinstance(each, HttpRequestHeadersHook)]


def test_a_request_without_a_decider_is_a_flow(rig: Http1Rig) -> None:
    rig.context.layers.clear()
    PlayingLayer(rig.context, HTTPMode.transparent, None, lenient=True)
    assert rig.feed(events.Start()) == []
    (hook,) = rig.receive(post())
    assert isinstance(hook, HttpRequestHeadersHook)
    assert hook.flow.request.host == HOST
