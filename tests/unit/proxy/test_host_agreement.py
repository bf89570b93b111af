"""In replay a request says one thing of where it goes: the address of its tunnel, the name of its TLS, its Host."""

import pytest
from mitmproxy.connection import Client
from mitmproxy.proxy import mode_specs
from mitmproxy.test import tflow

from builders import route
from wiretape.providers.table import load
from wiretape.proxy import host_agreement

PROVIDERS = load({})
API = "api.openai.com"


def client(sni: str | None, mode: str = "regular") -> Client:
    made = tflow.tclient_conn()
    made.sni, made.proxy_mode = sni, mode_specs.ProxyMode.parse(mode)
    return made


@pytest.mark.parametrize(
    ("scheme", "address", "sni", "host", "disagree"),
    [
        ("https", API, API, API, False),
        ("https", API, None, API, False),
        ("https", API, None, None, False),
        ("https", API, "API.OpenAI.com.", "Api.openai.com.", False),
        ("https", "api.openai.com.", API, API, False),
        ("https", "203.0.113.7", API, API, False),
        ("https", "203.0.113.7", API, "203.0.113.7", False),
        ("https", "203.0.113.7", API, "evil.example", True),
        ("https", "203.0.113.7", "evil.example", API, True),
        ("https", "203.0.113.7", None, API, False),
        ("https", "203.0.113.7", None, "203.0.113.8", False),
        ("https", "evil.example", API, API, True),
        ("https", "evil.example", API, "evil.example", True),
        ("https", "evil.example", "evil.example", API, True),
        ("https", API, "evil.example", API, True),
        ("https", API, API, "evil.example", True),
        ("https", API, API, "203.0.113.7", True),
        ("https", API, API, "us.api.openai.com", True),
        ("https", "evil.example", "other.example", "third.example", False),
        ("http", "evil.example", API, "evil.example", False),
        ("http", "evil.example", None, API, True),
        ("http", "localhost", None, "127.0.0.1", False),
        ("http", "127.0.0.1", None, "LOCALHOST.", False),
    ],
)
def test_which_names_disagree(scheme: str, address: str, sni: str | None, host: str | None, disagree: bool) -> None:
    port = {"https": 443, "http": 11434}[scheme]
    assert host_agreement.disagree(PROVIDERS, client(sni), scheme, (address, host), port) is disagree


def test_in_reverse_mode_a_client_names_the_proxy_and_not_the_server() -> None:
    reverse = client("localhost", f"reverse:https://{API}")
    assert not host_agreement.disagree(PROVIDERS, reverse, "https", (API, "127.0.0.1"), 443)


@pytest.mark.parametrize(
    ("headers", "authority", "is_refused"),
    [
        ([(b"Host", b"api.openai.com:443")], "", False),
        ([(b"Host", b"api.openai.com"), (b"Host", b"evil.example")], "", True),
        ([(b"Host", b"evil.example")], "api.openai.com:443", True),
        ([], "evil.example", True),
        ([], "", False),
    ],
)
def test_every_host_of_a_flow_counts(headers: list[tuple[bytes, bytes]], authority: str, is_refused: bool) -> None:
    flow = tflow.tflow()
    flow.client_conn = client(API)
    flow.request.scheme, flow.request.data.host, flow.request.data.port = "https", API, 443
    flow.request.headers.clear()
    flow.request.headers.fields = tuple(headers)
    flow.request.data.authority = authority.encode()
    refusal = host_agreement.refusal(flow, PROVIDERS, route())
    assert (refusal is not None) is is_refused
    if refusal:
        assert refusal.status == 421
        assert b"evil.example" in refusal.body
        assert b"x-should-retry" in repr(refusal.headers).encode()


@pytest.mark.parametrize(
    ("data", "may"),
    [
        (b"GET / HTTP/1.1\r\nHost: api.openai.com\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nx: y\r\nhOsT:  API.openai.com.:80\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: other.example\r\nHost: api.openai.com\r\n\r\n", True),
        (b"POST /v1 HTTP/1.1\r\nHost: other.example\r\nx", True),
        (b"GE", False),
        (b"GET / HTTP/1.1\r\nHost: other.example\r\n\r\nHost: api.openai.com\r\n\r\n", False),
        (b"SSH-2.0-x\r\n", False),
        (b"\x00\x01", False),
    ],
)
def test_what_begins_a_tunnel(data: bytes, may: bool) -> None:
    assert host_agreement.may_name_provider(data, PROVIDERS) is may
