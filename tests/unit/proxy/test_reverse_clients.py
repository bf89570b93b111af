"""Who comes to the reverse port: a web page of somebody else's gets no answer, whichever protocol it speaks."""

from typing import Any

import pytest
from mitmproxy import options
from mitmproxy.proxy import context, mode_specs
from mitmproxy.test import tflow, tutils

from wiretape.codecs.http1 import Request
from wiretape.network.dns_rebinding import OwnNames, Stranger, Visits
from wiretape.proxy import reverse_clients


def visits() -> Visits:
    return Visits(OwnNames(("api.openai.com",)))


def by_mitmproxy(authority: str = "", **headers: str) -> Any:
    request = tutils.treq(authority=authority.encode())
    request.headers.clear()
    request.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return request


ASKED = [
    ({"host": "127.0.0.1:8081"}, None),
    ({"host": "localhost"}, None),
    ({"host": "api.openai.com"}, None),
    ({}, None),
    ({"host": "evil.example"}, 421),
    ({"host": "localhost", "origin": "https://evil.example"}, 403),
    ({"host": "localhost", "origin": "http://localhost:3000"}, None),
    ({"host": "localhost", "sec_fetch_site": "cross-site"}, 403),
    ({"host": "localhost", "sec_fetch_site": "same-origin"}, None),
]


@pytest.mark.parametrize(("headers", "status"), ASKED)
def test_a_flows_request(headers: dict[str, str], status: int | None) -> None:
    found = reverse_clients.stranger(visits(), by_mitmproxy(**headers))
    assert (found and found.status) == status


@pytest.mark.parametrize(("headers", "status"), ASKED)
def test_a_request_of_the_fast_path(headers: dict[str, str], status: int | None) -> None:
    fields = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    found = reverse_clients.stranger(visits(), Request("POST", b"/v1/x", fields, b"", keep_alive=True))
    assert (found and found.status) == status


def test_of_two_names_each_must_be_ours() -> None:
    assert reverse_clients.stranger(visits(), by_mitmproxy("localhost", host="localhost")) is None
    for authority, host in (("localhost", "evil.example"), ("evil.example", "localhost")):
        found = reverse_clients.stranger(visits(), by_mitmproxy(authority, host=host))
        assert found
        assert found.status == 421


def test_the_answer_says_why() -> None:
    answer = reverse_clients.refusal(Stranger(421, "it is not for evil.example"))
    assert answer.status == 421
    assert b"wiretape: it is not for evil.example." in answer.body
    assert b"foreign_request" in answer.body


@pytest.mark.parametrize(("mode", "is_asked"), [("reverse:https://api.openai.com", True), ("regular", False)])
def test_only_the_reverse_port_is_for_programs(mode: str, *, is_asked: bool) -> None:
    chosen = options.Options()
    chosen.add_option("wiretape_hosts", str, "", "")
    client = tflow.tclient_conn()
    client.proxy_mode = mode_specs.ProxyMode.parse(mode)
    found = reverse_clients.of(context.Context(client, chosen))
    assert (found is not None) is is_asked
    if found:
        assert found.stranger([b"api.openai.com"], None, None) is None, "the server's own name"
        assert found.stranger([b"evil.example"], None, None)
