"""The fast layer: events in, commands out. Decider, tape and recordings are real ones, the clock is the test's."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from mitmproxy import http
from mitmproxy.connection import ConnectionState
from mitmproxy.proxy import commands, events, mode_specs
from mitmproxy.proxy.layers.http import HTTPMode
from mitmproxy.proxy.layers.http._hooks import (
    HttpRequestHeadersHook,
    HttpResponseHeadersHook,
    HttpResponseHook,
)

from builders import tape_of
from layer_rig import (
    ANSWER,
    ASKED,
    BODY,
    BODY_OF_HIT,
    HOST,
    OTHER,
    Clock,
    Rigs,
    is_close,
    play_out,
    post,
    request_of,
    split,
    taken_over,
)
from samples import CHAT, FIREWORKS_CHAT, SAMPLES, load
from wiretape.codecs.http1 import LAST_CHUNK, chunk
from wiretape.policy import Mode
from wiretape.providers import wire
from wiretape.proxy import flow_state
from wiretape.proxy.calls import Missed, RequestHead
from wiretape.proxy.layers.hooks import WiretapeDecideHook, WiretapeResetHook
from wiretape.proxy.layers.http import PlayingLayer
from wiretape.recording import capture as captures
from wiretape.recording import loads
from wiretape.redaction import recorded
from wiretape.replay import pacing
from wiretape.replay.pacing import Pace
from wiretape.store.base import WIRE

SECOND = SAMPLES["fireworks chat, two choices interleaved"]


CLOSE = "Connection: close"

pytestmark = pytest.mark.usefixtures("clock")


# -- hits --------------------------------------------------------------------------------------------------------------


def test_a_cold_hit_waits_for_its_decision(rigged: Rigs) -> None:
    rig = rigged()
    (hook,) = rig.receive(post(BODY, "X-Wiretape-Test-Id: one"))
    assert isinstance(hook, WiretapeDecideHook)
    head = RequestHead("POST", "https", (HOST,), 443, FIREWORKS_CHAT, "application/json", test_id="one")
    assert (hook.asking.request.head, hook.asking.request.body) == (head, BODY)
    assert rig.counters.hits == 0
    (answer,) = rig.decide(hook)
    sent, body = split(answer)
    assert body == BODY_OF_HIT
    assert b"HTTP/1.1 200 OK\r\n" in sent
    assert b"transfer-encoding: chunked\r\n" in sent.lower()
    assert b"content-type: text/event-stream" in sent.lower()
    assert (rig.counters.hits, rig.counters.tokens > 0) == (1, True)


def test_a_hit_in_memory_is_one_piece_at_once(rigged: Rigs) -> None:
    rig = rigged()
    (cold,) = rig.ask()
    for count in range(2, 5):
        assert rig.receive(post()) == [cold]
        assert rig.counters.hits == count
    assert not rig.is_delegated


def test_another_hit_is_another_answer(rigged: Rigs) -> None:
    rig = rigged()
    rig.warm()
    (answer,) = rig.ask(post(json.dumps(load(SECOND)["request"]["body"]).encode()))
    body = split(answer)[1]
    assert body == b"".join(map(chunk, wire.answer([loads(SECOND.read_bytes())]).chunks)) + LAST_CHUNK
    assert body != BODY_OF_HIT


def test_a_request_in_pieces_is_answered_when_it_is_whole(rigged: Rigs) -> None:
    rig = rigged()
    (cold,) = rig.ask()
    data = post()
    for at in range(len(data) - 1):
        assert rig.receive(data[at : at + 1]) == []
    assert rig.receive(data[-1:]) == [cold]


def test_an_answer_of_one_chunk_has_a_length(rigged: Rigs) -> None:
    asked = replace(loads(CHAT.read_bytes()).request, body={**ASKED, "stream": False})
    body = b'{"id": "x", "choices": [{"index": 0, "finish_reason": "stop", "message": {"content": "Hi"}}]}'
    rig = rigged(mode=HTTPMode.transparent)
    writer = tape_of(rig.store, "default", Mode.RECORD)
    writer.record(asked, wire.LiveResponse(200, (("content-type", "application/json"),), (body,), (1.0,), True))
    for made in (rig.ask(post(json.dumps(asked.body).encode())), rig.receive(post(json.dumps(asked.body).encode()))):
        (answer,) = made
        head, content = split(answer)
        assert content == body
        assert f"content-length: {len(body)}\r\n".encode() in head.lower()
        assert b"transfer-encoding" not in head.lower()


def test_what_comes_while_a_hit_is_decided_on_is_answered_after_it(rigged: Rigs) -> None:
    rig = rigged()
    (first,) = rig.receive(post())
    assert rig.receive(post()) == []
    assert rig.receive(post(OTHER)[:50]) == []
    made = rig.decide(first)
    answer, *more = made
    assert split(answer)[1] == BODY_OF_HIT
    assert more == [answer]  # It is in memory now.
    assert rig.counters.hits == 2
    (hook,) = rig.receive(post(OTHER)[50:])
    assert isinstance(hook, WiretapeDecideHook)
    assert hook.asking.request.body == OTHER


def test_a_miss_that_comes_while_a_hit_is_decided_on_is_is_delegated_after_it(rigged: Rigs) -> None:
    rig = rigged()
    (first,) = rig.receive(post())
    assert rig.receive(post(OTHER)) == []
    answer, then = rig.decide(first)
    assert split(answer)[1] == BODY_OF_HIT
    hook = taken_over(rig.decide(then))
    assert request_of(rig, hook).flow.request.raw_content == OTHER


# -- keep-alive and close ----------------------------------------------------------------------------------------------


def test_the_connection_is_kept_for_the_next_request(rigged: Rigs) -> None:
    rig = rigged()
    assert len(rig.ask()) == 1
    assert len(rig.receive(post(BODY, "Connection: keep-alive"))) == 1


def test_the_connection_is_closed_where_the_client_asks_for_it(rigged: Rigs) -> None:
    rig = rigged()
    answer, closed = rig.ask(post(BODY, CLOSE))
    assert split(answer)[1] == BODY_OF_HIT
    assert is_close(closed)


def test_from_memory_too(rigged: Rigs) -> None:
    rig = rigged()
    rig.warm()
    answer, closed = rig.receive(post(BODY, CLOSE))
    assert split(answer)[1] == BODY_OF_HIT
    assert is_close(closed)


def test_what_comes_after_the_last_request_is_not_answered(rigged: Rigs) -> None:
    rig = rigged()
    rig.ask(post(BODY, CLOSE))
    assert rig.receive(post()) == []
    assert rig.counters.hits == 1
    assert rig.leave() == []


# -- what is handed over -----------------------------------------------------------------------------------------------


def test_a_miss_is_is_delegated_with_every_byte(rigged: Rigs) -> None:
    rig = rigged()
    data = post(OTHER, "X-Mine: 1", CLOSE, path=f"{FIREWORKS_CHAT}?a=b")
    hook = taken_over(rig.ask(data))
    assert rig.is_delegated
    asked = request_of(rig, hook).flow.request
    assert (asked.method, asked.host, asked.port, asked.path) == ("POST", HOST, 443, f"{FIREWORKS_CHAT}?a=b")
    assert (asked.headers["x-mine"], asked.raw_content) == ("1", OTHER)
    assert isinstance(flow_state.of(hook.flow).outcome, Missed)
    assert (rig.counters.misses, rig.counters.hits) == (1, 0)


def test_the_flow_of_a_miss_is_answered_as_any(rigged: Rigs) -> None:
    rig = rigged()
    hook = request_of(rig, taken_over(rig.ask(post(OTHER))))
    hook.flow.response = http.Response.make(404, b"no", {"x-test": "1"})
    (headers,) = rig.complete(hook)
    assert isinstance(headers, HttpResponseHeadersHook)
    (whole,) = rig.complete(headers)
    assert isinstance(whole, HttpResponseHook)
    (answer,) = rig.complete(whole)
    head, body = split(answer)
    assert head.startswith(b"HTTP/1.1 404 ")
    assert body == b"no"


def test_after_a_miss_hits_are_answered_by_who_took_over(rigged: Rigs) -> None:
    rig = rigged()
    (cold,) = rig.ask()
    hook = request_of(rig, taken_over(rig.ask(post(OTHER))))
    hook.flow.response = http.Response.make(404, b"no")
    (headers,) = rig.complete(hook)
    (whole,) = rig.complete(headers)
    rig.complete(whole)
    assert rig.receive(post()) == [cold]
    assert (rig.counters.hits, rig.counters.misses) == (2, 1)


HANDED: Mapping[str, bytes] = {
    "a chunked body": post(chunk(BODY) + LAST_CHUNK, "Transfer-Encoding: chunked"),
    "only a head": post().replace(b"POST", b"HEAD", 1),
    "another method": post().replace(b"POST", b"OPTIONS", 1),
    "Expect": post(BODY, "Expect: 100-continue"),
    "a fragment": post(path=f"{FIREWORKS_CHAT}?a=b#c"),
    "absolute form in a tunnel": post(path=f"https://{HOST}{FIREWORKS_CHAT}"),
    "two requests in one piece": post() + post(),
}


@pytest.mark.parametrize("data", HANDED.values(), ids=HANDED)
def test_what_is_unusual_or_not_for_us_is_is_delegated_with_every_byte(data: bytes, rigged: Rigs) -> None:
    rig, plain = rigged(), rigged()
    made = rig.receive(data)
    # As without a lane.
    alone = PlayingLayer(plain.context, HTTPMode.transparent, plain.decider, lenient=True)
    plain.context.layers[:] = [alone]
    expected = [*plain.feed(events.Start()), *plain.receive(data)]
    assert rig.is_delegated
    assert [type(each) for each in made] == [type(each) for each in expected]
    assert made
    assert rig.counters.hits == 0
    for mine, theirs in zip(made, expected, strict=True):
        if isinstance(mine, HttpRequestHeadersHook):
            assert mine.flow.request.data.path == theirs.flow.request.data.path
            assert mine.flow.request.headers == theirs.flow.request.headers


def test_half_a_request_and_what_is_unusual_in_it_is_is_delegated_whole(rigged: Rigs) -> None:
    rig = rigged()
    data = post(BODY, "Upgrade: h2c").replace(b"POST", b"OPTIONS", 1)
    middle = data.index(b"Upgrade") + 3
    assert rig.receive(data[:middle]) == []
    made = [*rig.receive(data[middle:-1])]
    hook = taken_over(made)
    assert hook.flow.request.headers["upgrade"] == "h2c"
    assert rig.receive(data[-1:]) == []
    assert request_of(rig, hook).flow.request.raw_content == BODY


def test_a_limit_for_bodies_is_mitmproxys_to_keep(rigged: Rigs) -> None:
    rig = rigged()
    rig.warm()
    rig.options.update(body_size_limit="10m")
    taken_over(rig.receive(post()))
    assert rig.is_delegated


def test_what_goes_to_another_proxy_is_mitmproxys(rigged: Rigs) -> None:
    rig = rigged(mode=HTTPMode.upstream)
    rig.client.proxy_mode = mode_specs.ProxyMode.parse("upstream:http://127.0.0.1:1")
    made = rig.receive(post(path="http://127.0.0.1:11434/v1/chat/completions"))
    assert rig.is_delegated
    taken_over(made)


@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.RECORD])
def test_where_nothing_is_answered_from_recordings_all_is_is_delegated(mode: Mode, rigged: Rigs) -> None:
    rig = rigged(mode=HTTPMode.transparent)
    rig.use(mode)
    hook = taken_over(rig.receive(post()))
    assert flow_state.of(hook.flow).outcome is None
    assert request_of(rig, hook).flow.request.raw_content == BODY


def test_no_http_is_is_delegated(rigged: Rigs) -> None:
    rig = rigged()
    made = rig.receive(b"EHLO a.example\r\n\r\n")
    assert rig.is_delegated
    assert split(made[-2] if is_close(made[-1]) else made[-1])[0].startswith(b"HTTP/1.1 400")


def test_in_a_regular_proxy_the_absolute_form_tells_the_host(rigged: Rigs) -> None:
    rig = rigged(mode=HTTPMode.regular)
    (hook,) = rig.receive(b"POST http://127.0.0.1:11434/v1/chat/completions?a=b" + post()[post().index(b" HTTP/1.1") :])
    head = hook.asking.request.head
    assert (head.scheme, head.hosts, head.port) == ("http", ("127.0.0.1", HOST), 11434)
    assert head.path == "/v1/chat/completions?a=b"


@pytest.mark.parametrize("target", ["/v1/chat/completions", "http://user@localhost:8000/v1/chat/completions"])
def test_in_a_regular_proxy_another_form_is_is_delegated(target: str, rigged: Rigs) -> None:
    rig = rigged(mode=HTTPMode.regular)
    rig.receive(post(path=target))
    assert rig.is_delegated


@pytest.mark.parametrize(
    ("header", "hosts"),
    [
        (HOST, (HOST,)),
        (f"{HOST}:443", (HOST,)),
        ("other.example:8443", (HOST, "other.example")),
        ("[::1]:443", (HOST, "::1")),
        ("[::1]", (HOST, "::1")),
        ("", (HOST,)),
    ],
)
def test_the_names_of_a_host(header: str, hosts: tuple[str, ...], rigged: Rigs) -> None:
    rig = rigged()
    rig.use(Mode.RECORD_IF_MISSING)
    (hook,) = rig.receive(post(host=header))
    assert hook.asking.request.head.hosts == hosts


@pytest.mark.parametrize(("header", "sni"), [("other.example:8443", None), (HOST, "other.example"), ("[::1]", HOST)])
def test_in_replay_a_request_whose_hosts_disagree_is_is_delegated(header: str, sni: str | None, rigged: Rigs) -> None:
    rig = rigged()
    rig.client.sni = sni
    (hook,) = rig.receive(post(host=header))
    assert isinstance(hook, HttpRequestHeadersHook)


def test_spaces_after_a_header_make_no_other_request(rigged: Rigs) -> None:
    (hook,) = rigged().receive(post(BODY, "X-Wiretape-Test-Id: one \t"))
    assert hook.asking.request.head.test_id == "one"


# -- times -------------------------------------------------------------------------------------------------------------

RATE = Pace(rate=10.0, first=0.3)


def leaving() -> tuple[float, ...]:
    return pacing.schedule(RATE, len(ANSWER.chunks), (), wire.tokens(loads(CHAT.read_bytes())))


@pytest.mark.parametrize("warm", [False, True])
def test_each_chunk_leaves_in_its_time(warm: bool, rigged: Rigs, clock: Clock) -> None:
    rig = rigged(pace=RATE)
    if warm:
        play_out(rig, clock, rig.ask())
    began = clock.moment
    head, wakeup = rig.receive(post()) if warm else rig.ask()
    assert split(head)[1] == b""
    pieces = []
    for at, data in zip(leaving(), ANSWER.chunks, strict=True):
        assert isinstance(wakeup, commands.RequestWakeup)
        # Up to a millisecond early: a timer is late by as much.
        assert wakeup.delay == pytest.approx(began + at - clock.moment, abs=0.0011)
        clock.moment = began + at
        piece, *rest = rig.wake(wakeup)
        pieces.append(piece)
        assert piece.startswith(chunk(data))
        (wakeup,) = rest or (None,)
    assert wakeup is None
    assert b"".join(pieces) == BODY_OF_HIT
    assert rig.receive(post())  # The connection is free again.


def test_a_timer_that_is_late_sends_all_that_is_due(rigged: Rigs, clock: Clock) -> None:
    rig = rigged(pace=RATE)
    _, wakeup = rig.ask()
    clock.pass_by(leaving()[2])
    piece, again = rig.wake(wakeup)
    assert piece == b"".join(map(chunk, ANSWER.chunks[:3]))
    assert again.delay == pytest.approx(leaving()[3] - leaving()[2], abs=0.0011)
    clock.pass_by(1000)
    assert rig.wake(again) == [b"".join(map(chunk, ANSWER.chunks[3:])) + LAST_CHUNK]


def test_a_timer_that_is_early_sends_nothing_yet(rigged: Rigs, clock: Clock) -> None:
    rig = rigged(pace=RATE)
    _, wakeup = rig.ask()
    clock.pass_by(wakeup.delay - 0.1)
    (again,) = rig.wake(wakeup)
    assert again.delay == pytest.approx(0.1, abs=0.0011)


def test_what_comes_during_a_play_is_answered_after_it(rigged: Rigs, clock: Clock) -> None:
    rig = rigged(pace=RATE)
    _, wakeup = rig.ask()
    for at in range(0, len(post(OTHER)), 100):
        assert rig.receive(post(OTHER)[at : at + 100]) == []
    clock.pass_by(1000)
    piece, hook = rig.wake(wakeup)
    assert piece == BODY_OF_HIT
    assert isinstance(hook, WiretapeDecideHook)
    assert hook.asking.request.body == OTHER


def test_many_requests_that_come_during_a_play_are_all_answered_after_it(rigged: Rigs, clock: Clock) -> None:
    rig = rigged(pace=pacing.parse("recorded"))
    data = CHAT.read_bytes()
    times = tuple(1000.0 * number for number in range(len(ANSWER.chunks)))
    headers = captures.kept(ANSWER.headers, recorded.header)
    capture = captures.Capture(captures.digest(data), 200, headers, ANSWER.chunks, times)
    rig.store.write("default", CHAT.stem, captures.dumps(capture), replace=True, folder=WIRE)
    untimed = post(json.dumps(load(SECOND)["request"]["body"]).encode())
    (whole,) = rig.ask(untimed)
    _, wakeup = rig.ask()
    count = 1000
    for _ in range(count):
        assert rig.receive(untimed) == []
    clock.pass_by(1000)
    end, *answers = rig.wake(wakeup)
    assert end.endswith(LAST_CHUNK)
    assert answers == [whole] * count


def test_a_wakeup_after_the_end_is_ignored(rigged: Rigs, clock: Clock) -> None:
    rig = rigged(pace=RATE)
    _, wakeup = rig.ask()
    clock.pass_by(1000)
    assert rig.wake(wakeup)
    assert rig.wake(wakeup) == []


# -- endings -----------------------------------------------------------------------------------------------------------


def rule(text: str) -> dict[str, str]:
    return {"rules": f"[[fault]]\n{text}"}


def test_a_reset_stops_the_answer_and_closes(rigged: Rigs) -> None:
    rig = rigged(**rule("cut = 2"))
    sent, hook = rig.ask()
    assert split(sent)[1] == b"".join(map(chunk, ANSWER.chunks[:2]))
    assert isinstance(hook, WiretapeResetHook)
    assert hook.client is rig.client
    assert rig.receive(post()) == []
    (closed,) = rig.complete(hook)
    assert is_close(closed)
    assert rig.receive(post()) == []
    assert rig.leave() == []


def test_an_early_end_ends_the_framing_and_the_connection_goes_on(rigged: Rigs) -> None:
    rig = rigged(**rule('cut = 2\nhow = "end"\nnth = 1'))
    made = rig.ask()
    assert split(b"".join(made))[1] == b"".join(map(chunk, ANSWER.chunks[:2])) + LAST_CHUNK
    (answer,) = rig.ask()
    assert split(answer)[1] == BODY_OF_HIT


def test_an_early_end_closes_where_the_client_asked_for_it(rigged: Rigs) -> None:
    rig = rigged(**rule('cut = 0\nhow = "end"'))
    *made, closed = rig.ask(post(BODY, CLOSE))
    assert split(b"".join(made))[1] == LAST_CHUNK
    assert is_close(closed)


def test_a_stall_says_nothing_more(rigged: Rigs) -> None:
    rig = rigged(**rule("stall = 1"))
    (sent,) = rig.ask()
    assert split(sent)[1] == chunk(ANSWER.chunks[0])
    assert rig.receive(post()) == []
    assert rig.leave() == []
    assert not rig.is_delegated


def test_a_delay_comes_before_the_head(rigged: Rigs, clock: Clock) -> None:
    rig = rigged(**rule('delay = "2s"'))
    (wakeup,) = rig.ask()
    assert wakeup.delay == pytest.approx(2)
    clock.pass_by(1)
    (wakeup,) = rig.wake(wakeup)
    assert wakeup.delay == pytest.approx(1)
    clock.pass_by(1)
    (answer,) = rig.wake(wakeup)
    assert split(answer)[1] == BODY_OF_HIT


def test_a_status_is_an_answer_too(rigged: Rigs) -> None:
    rig = rigged(**rule('status = 429\nretry_after = 3\nbody = "slowly"'))
    (answer,) = rig.ask(post(OTHER))
    head, body = split(answer)
    assert head.startswith(b"HTTP/1.1 429 ")
    assert b"retry-after: 3\r\n" in head.lower()
    assert body == b"slowly"
    assert not rig.is_delegated


@pytest.mark.parametrize("warm", [False, True])
def test_a_recording_that_broke_off_breaks_off(warm: bool, rigged: Rigs) -> None:
    rig = rigged(keep_errors=True)
    asked = replace(loads(CHAT.read_bytes()).request, body={**ASKED, "user": "x"})
    writer = tape_of(rig.store, "default", Mode.RECORD, keep_errors=True)
    pieces = tuple(ANSWER.chunks[:2])
    writer.record(asked, wire.LiveResponse(200, (("content-type", "text/event-stream"),), pieces, (1.0, 2.0), False))
    assert writer.counters.recorded == 1
    data = post(json.dumps(asked.body).encode())
    if warm:
        rig.ask(data)
        rig.begin()
    made = rig.receive(data) if warm else rig.ask(data)
    sent, hook = made
    assert split(sent)[1] == b"".join(map(chunk, pieces))
    assert isinstance(hook, WiretapeResetHook)


# -- the client leaves -------------------------------------------------------------------------------------------------


def test_a_client_that_leaves_between_requests_is_gone(rigged: Rigs) -> None:
    rig = rigged()
    rig.warm()
    assert rig.leave() == []
    assert not rig.is_delegated


def test_a_client_that_sends_no_more_is_closed(rigged: Rigs) -> None:
    rig = rigged()
    rig.warm()
    (closed,) = rig.leave(ConnectionState.CAN_WRITE)
    assert is_close(closed)


def test_a_client_that_leaves_in_the_middle_of_a_play_ends_it(rigged: Rigs, clock: Clock) -> None:
    rig = rigged(pace=RATE)
    _, wakeup = rig.ask()
    clock.pass_by(wakeup.delay)
    _, wakeup = rig.wake(wakeup)
    assert rig.leave() == []
    clock.pass_by(1000)
    assert rig.wake(wakeup) == []


def test_a_client_that_leaves_while_it_is_decided_is_answered_and_gone(rigged: Rigs) -> None:
    rig = rigged()
    (hook,) = rig.receive(post())
    assert rig.leave() == []
    (answer,) = rig.decide(hook)
    assert split(answer)[1] == BODY_OF_HIT


def test_a_client_that_leaves_with_half_a_head_is_told_of_as_without_a_lane(rigged: Rigs) -> None:
    rig = rigged()
    assert rig.receive(post()[:50]) == []
    rig.leave()
    assert rig.is_delegated


@pytest.mark.parametrize("state", [ConnectionState.CLOSED, ConnectionState.CAN_WRITE])
def test_a_client_that_leaves_with_half_a_body_is_told_of_as_without_a_lane(
    state: ConnectionState, rigged: Rigs
) -> None:
    rig, plain = rigged(), rigged()
    alone = PlayingLayer(plain.context, HTTPMode.transparent, plain.decider, lenient=True)
    plain.context.layers[:] = [alone]
    plain.feed(events.Start())
    assert rig.receive(post()[:-10]) == []
    expected = [*plain.receive(post()[:-10]), *plain.leave(state)]
    made = rig.leave(state)
    assert rig.is_delegated
    assert [type(each) for each in made] == [type(each) for each in expected]


# -- the server --------------------------------------------------------------------------------------------------------


def test_what_a_server_does_meanwhile_is_is_delegated(rigged: Rigs) -> None:
    rig = rigged()
    rig.warm()
    rig.context.server.state = ConnectionState.CLOSED
    made = rig.feed(events.ConnectionClosed(rig.context.server))
    assert [type(each) for each in made] == [commands.CloseConnection]
    assert rig.is_delegated
    assert rig.receive(post())


def test_a_server_that_closes_in_the_middle_of_a_play_does_not_end_it(rigged: Rigs, clock: Clock) -> None:
    rig = rigged(pace=RATE)
    head, wakeup = rig.ask()
    rig.context.server.state = ConnectionState.CLOSED
    rig.feed(events.ConnectionClosed(rig.context.server))
    clock.pass_by(wakeup.delay)
    assert play_out(rig, clock, [head, *rig.wake(wakeup)]).endswith(BODY_OF_HIT)
