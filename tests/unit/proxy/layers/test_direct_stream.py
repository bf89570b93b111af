"""A stream of HTTP/2 that answers before there is a flow, and what gets a flow after all."""

import json

import h2.events
import pytest
from mitmproxy.proxy import commands
from mitmproxy.proxy.layers.http._hooks import HttpRequestHeadersHook

from layer_rig import ANSWER, ASKED, BODY, HOST, OTHER, Clock, Rigs, request_of, taken_over
from samples import SAMPLES, load
from wiretape.policy import Mode
from wiretape.proxy import flow_state
from wiretape.proxy.calls import Missed
from wiretape.proxy.layers.hooks import WiretapeDecideHook

WHOLE = b"".join(ANSWER.chunks)
SECOND = json.dumps(load(SAMPLES["fireworks chat, two choices interleaved"])["request"]["body"]).encode()


def test_a_hit_is_decided_on_once_and_then_answered_at_once(rigged: Rigs) -> None:
    rig = rigged.http2()
    cold, (hook,) = rig.send()
    assert isinstance(hook, WiretapeDecideHook)
    assert (hook.asking.request.head.hosts, hook.asking.request.body) == ((HOST,), BODY)
    assert rig.decide(hook) == []
    warm, made = rig.send()
    assert made == []
    for stream in (cold, warm):
        assert rig.head_of(stream)[":status"] == "200"
        assert "transfer-encoding" not in rig.head_of(stream)
        assert b"".join(rig.pieces_of(stream)) == WHOLE
        assert rig.end_of(stream) is h2.events.StreamEnded
    assert rig.counters.hits == 2


def test_a_request_that_comes_in_pieces_is_read_to_its_end(rigged: Rigs) -> None:
    rig = rigged.http2()
    stream, made = rig.send(BODY[:10], is_whole=False)
    assert made == []
    rig.peer.send_data(stream, BODY[10:], end_stream=True)
    (hook,) = rig.receive(rig.peer.data_to_send())
    assert isinstance(hook, WiretapeDecideHook)
    assert hook.asking.request.body == BODY


def test_streams_of_one_connection_are_answered_each_by_itself(rigged: Rigs) -> None:
    rig = rigged.http2()
    first, (hook,) = rig.send()
    second, (other,) = rig.send(SECOND)
    assert rig.decide(other) == []
    assert (rig.end_of(first), rig.end_of(second)) == (None, h2.events.StreamEnded)
    assert rig.decide(hook) == []
    assert b"".join(rig.pieces_of(first)) == WHOLE


@pytest.mark.parametrize("origin", ["https://app.example", "no origin"])
def test_a_web_page_may_read_its_hit_and_nobody_elses(rigged: Rigs, origin: str) -> None:
    rig = rigged.http2()
    cold, (hook,) = rig.send(headers={"origin": origin})
    rig.decide(hook)
    warm, _ = rig.send(headers={"origin": origin})
    plain, _ = rig.send()
    allowed = origin if origin != "no origin" else None
    for stream in (cold, warm):
        assert rig.head_of(stream).get("access-control-allow-origin") == allowed
        assert b"".join(rig.pieces_of(stream)) == WHOLE
    assert "access-control-allow-origin" not in rig.head_of(plain)


def test_a_miss_gets_a_flow_with_all_of_its_request(rigged: Rigs) -> None:
    rig = rigged.http2()
    _, (hook,) = rig.send(OTHER, headers={"x-mine": "1"})
    begun = taken_over(rig.decide(hook))
    assert begun.flow.request.headers["x-mine"] == "1"
    assert request_of(rig, begun).flow.request.raw_content == OTHER
    assert isinstance(flow_state.of(begun.flow).outcome, Missed)


@pytest.mark.parametrize(
    ("name", "value"), [("content-encoding", "gzip"), ("expect", "100-continue"), ("host", "other.example")]
)
def test_what_is_unusual_gets_a_flow_at_once(rigged: Rigs, name: str, value: str) -> None:
    _, (hook,) = rigged.http2().send(headers={name: value})
    assert isinstance(hook, HttpRequestHeadersHook)


def test_where_nothing_is_answered_from_recordings_there_is_a_flow_at_once(rigged: Rigs) -> None:
    rig = rigged.http2()
    rig.use(Mode.LIVE)
    _, (hook,) = rig.send()
    assert isinstance(hook, HttpRequestHeadersHook)
    assert flow_state.of(hook.flow).outcome is None


def test_a_client_that_gives_up_half_a_request_leaves_nothing(rigged: Rigs) -> None:
    rig = rigged.http2()
    stream, _ = rig.send(BODY[:10], is_whole=False)
    made = rig.reset(stream)
    assert [type(each) for each in made if not isinstance(each, commands.Log)] == [HttpRequestHeadersHook]
    assert rig.end_of(stream) is None


def test_a_decision_that_fails_is_refused_and_never_sent_on(rigged: Rigs) -> None:
    rig = rigged.http2()
    stream, (hook,) = rig.send(OTHER)
    hook.asking.has_failed = True
    made = rig.complete(hook)
    assert rig.head_of(stream)[":status"] == "500"
    assert not [each for each in made if isinstance(each, commands.OpenConnection | HttpRequestHeadersHook)]


def test_a_body_that_is_too_large_gets_a_flow(rigged: Rigs, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = rigged.http2()
    monkeypatch.setattr(rig.context.layers[0], "_limit", 1000)
    large = json.dumps({**ASKED, "user": "x" * 2000}).encode()
    _, made = rig.send(large, is_whole=False)
    assert [type(each) for each in made] == [HttpRequestHeadersHook]
