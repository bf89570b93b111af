"""Where a request of HTTP/1.1 goes and whose it is, by its head; and what is too unusual to be told."""

import pytest
from mitmproxy.proxy.layers.http import HTTPMode

from layer_rig import BODY, HOST, Rigs, post
from samples import FIREWORKS_CHAT
from wiretape.codecs.http1 import Reader, Request
from wiretape.policy import Mode
from wiretape.proxy.layers.http1_heads import Http1Heads
from wiretape.sessions.access import AccessDeniedError

ABSOLUTE = "http://127.0.0.1:11434/v1/chat/completions"


def received(data: bytes) -> Request:
    request = Reader().feed(data)
    assert request
    return request


def heads(rigged: Rigs, mode: HTTPMode = HTTPMode.transparent) -> Http1Heads:
    rig = rigged(mode=mode)
    rig.use(Mode.RECORD_IF_MISSING)
    return Http1Heads(rig.context, mode, rig.decider)


def test_a_usual_request_is_told_by_its_head(rigged: Rigs) -> None:
    told = heads(rigged).read(received(post(BODY, "X-Wiretape-Test-Id: one", "Origin: https://app.example")))
    assert told
    head, grant = told
    assert (head.method, head.scheme, head.hosts, head.port, head.path) == (
        "POST",
        "https",
        (HOST,),
        443,
        FIREWORKS_CHAT,
    )
    assert (head.content_type, head.test_id, head.origin) == ("application/json", "one", "https://app.example")
    assert grant.tape.session == "default"


@pytest.mark.parametrize(
    ("target", "host", "expected"),
    [
        (ABSOLUTE, "127.0.0.1:11434", (("127.0.0.1",), 11434, "/v1/chat/completions")),
        (f"{ABSOLUTE}?a=b", "localhost", (("127.0.0.1", "localhost"), 11434, "/v1/chat/completions?a=b")),
        ("http://a.example/v1", "a.example", (("a.example",), 80, "/v1")),
        ("/v1/chat/completions", "a.example", None),
        ("http://user@a.example/v1", "a.example", None),
        ("http://a.example", "a.example", None),
        ("https://a.example/v1", "a.example", None),
        ("http://a.example:99999999/v1", "a.example", None),
    ],
)
def test_without_a_tunnel_the_absolute_form_tells_where_it_goes(
    rigged: Rigs, target: str, host: str, expected: tuple[tuple[str, ...], int, str] | None
) -> None:
    told = heads(rigged, HTTPMode.regular).read(received(post(path=target, host=host)))
    assert (told and (told[0].hosts, told[0].port, told[0].path)) == expected


def test_whoever_is_turned_away_is_told_in_the_form_of_the_api_that_was_asked(rigged: Rigs) -> None:
    known = heads(rigged).leads_to(received(post()))
    assert known
    assert (known.provider, known.endpoint.recorded) == ("fireworks", "/v1/chat/completions")
    asked = received(post(path="http://a.example/v1/messages?key=k", host="a.example"))
    other = heads(rigged, HTTPMode.regular).leads_to(asked)
    assert other
    assert other.sent_url == "http://a.example/v1/messages"
    assert heads(rigged).leads_to(received(post(path=ABSOLUTE))) is None


UNUSUAL = {
    "only a head": post().replace(b"POST", b"HEAD", 1),
    "a fragment": post(path=f"{FIREWORKS_CHAT}#a"),
    "a content coding": post(BODY, "Content-Encoding: gzip"),
    "an absolute form in a tunnel": post(path=ABSOLUTE),
}


@pytest.mark.parametrize("data", UNUSUAL.values(), ids=UNUSUAL)
def test_what_is_unusual_is_not_told(rigged: Rigs, data: bytes) -> None:
    assert heads(rigged).read(received(data)) is None


def test_a_client_that_is_not_let_in_is_refused_and_its_host_told_for_the_log(rigged: Rigs) -> None:
    told = heads(rigged)
    request = received(post(BODY, "Proxy-Authorization: Bearer x"))
    with pytest.raises(AccessDeniedError):
        told.read(request)
    assert told.host(request) == HOST
    assert told.host(received(post(path=ABSOLUTE))) == "?"
