"""What is judged is what is connected to: every address of a name, once, and no other after that."""

import asyncio
import socket
from typing import Any

import pytest
from mitmproxy.connection import Client, ConnectionState, Server
from mitmproxy.proxy import mode_specs
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.test import tflow

from wiretape import config
from wiretape.network.egress import EgressPolicy, entry
from wiretape.proxy.destinations import Destinations

OWN = """
[[provider]]
name = "gpu"
scheme = "http"
hosts = ["10.0.0.9:8000", "gpu.corp.example"]
endpoints = ["openai"]
"""
PROVIDERS = config.loads("wiretape.toml", OWN).providers()
GUARDED = EgressPolicy(is_guarded=True)


class Names:
    """A name server whose answers change: each name has a list of them, and the last one stays."""

    def __init__(self) -> None:
        self.answers: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []

    def getaddrinfo(self, host: Any, port: Any, *_: Any, **__: Any) -> Any:
        """As ``socket``'s."""
        self.asked.append(host)
        answers = self.answers.get(host)
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    made = Names()
    monkeypatch.setattr(socket, "getaddrinfo", made.getaddrinfo)
    return made


def data(host: str, port: int = 443, mode: str = "regular") -> ServerConnectionHookData:
    client = tflow.tclient_conn()
    client.proxy_mode = mode_specs.ProxyMode.parse(mode)
    return ServerConnectionHookData(Server(address=(host, port)), client)


def pinned(policy: EgressPolicy, host: str, port: int = 443, mode: str = "regular") -> tuple[Any, str | None]:
    """The address that is connected to, and why none is."""
    destinations = Destinations()
    destinations.use(policy, PROVIDERS)
    asked = data(host, port, mode)
    asyncio.run(destinations.pin(asked))
    return asked.server.address, asked.server.error


def test_a_name_that_leads_elsewhere_a_moment_later_leads_where_it_was_judged(names: Names) -> None:
    names.answers["rebind.example"] = [["1.1.1.1"], ["127.0.0.1"]]
    destinations = Destinations()
    destinations.use(GUARDED, PROVIDERS)
    asked = data("rebind.example")
    asyncio.run(destinations.check(asked.client, "rebind.example", 443))
    asyncio.run(destinations.pin(asked))
    assert names.asked == ["rebind.example"]
    assert asked.server.address == ("1.1.1.1", 443)
    assert asked.server.error is None
    asked.server.state = ConnectionState.OPEN
    destinations.unpin(asked.server)
    assert asked.server.address == ("rebind.example", 443)


def test_another_client_is_judged_anew(names: Names) -> None:
    names.answers["rebind.example"] = [["1.1.1.1"], ["127.0.0.1"]]
    destinations = Destinations()
    destinations.use(GUARDED, PROVIDERS)
    first, second = data("rebind.example"), data("rebind.example")
    for each in (first, second):
        asyncio.run(destinations.pin(each))
    assert first.server.error is None
    assert second.server.error
    assert second.server.address == ("rebind.example", 443)


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["1.1.1.1", "10.0.0.5"],
        ["10.0.0.5", "1.1.1.1"],
        ["169.254.169.254"],
        ["::ffff:7f00:1"],
        ["2002::1"],
    ],
)
def test_every_address_has_to_be_public(addresses: list[str], names: Names) -> None:
    names.answers["x.example"] = [addresses]
    _, error = pinned(GUARDED, "x.example")
    assert error
    assert "no public address for x.example" in error
    # Who asks is not told what private names there are, and where.
    assert not any(address in error for address in addresses)
    assert error == pinned(GUARDED, "none.example")[1].replace("none.example", "x.example")  # type: ignore[union-attr]


def test_a_public_address_of_this_machine_is_none_for_others(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wiretape.network.egress.is_public", lambda _: True)
    names.answers["me.example"] = [["127.0.0.1"]]
    assert pinned(GUARDED, "me.example")[1]


@pytest.mark.parametrize(
    ("policy", "asked", "mode", "address"),
    [
        (EgressPolicy(), ("x.example", 443), "regular", "x.example"),
        (GUARDED, ("api.openai.com", 443), "regular", "api.openai.com"),
        (GUARDED, ("10.0.0.9", 8000), "regular", "10.0.0.9"),
        (GUARDED, ("gpu.corp.example", 80), "regular", "gpu.corp.example"),
        (GUARDED, ("api.example", 443), "reverse:https://api.example", "api.example"),
        (GUARDED, ("10.0.0.1", 3128), "upstream:http://10.0.0.1:3128", "10.0.0.1"),
        (EgressPolicy(is_guarded=True, allow=(entry("10.0.0.5"),)), ("10.0.0.5", 80), "regular", "10.0.0.5"),
        (EgressPolicy(is_offline=True), ("127.0.0.1", 80), "regular", "127.0.0.1"),
        (EgressPolicy(is_offline=True), ("x.localhost.", 80), "regular", "localhost"),
        (EgressPolicy(is_offline=True), ("0x7f.1", 80), "regular", "127.0.0.1"),
        (EgressPolicy(is_offline=True), ("127.0.0.1.", 80), "regular", "127.0.0.1"),
    ],
)
def test_where_it_may_go(policy: EgressPolicy, asked: tuple[str, int], mode: str, address: str, names: Names) -> None:
    host, port = asked
    assert pinned(policy, host, port, mode) == ((address, port), None)
    assert names.asked == []


@pytest.mark.parametrize(
    ("policy", "host", "port", "mode"),
    [
        (GUARDED, "localhost", 11434, "regular"),
        (GUARDED, "127.0.0.1", 8000, "regular"),
        (GUARDED, "10.0.0.9", 8001, "regular"),
        (GUARDED, "169.254.169.254", 80, "upstream:http://10.0.0.1:3128"),
        (GUARDED, "10.0.0.1", 22, "upstream:http://10.0.0.1:3128"),
        (GUARDED, "127.0.0.1", 80, "reverse:https://api.example"),
        (GUARDED, "10.0.0.1", 22, "reverse:http://10.0.0.1:8000"),
        *(
            (EgressPolicy(is_offline=True), host, 443, "regular")
            for host in ("api.openai.com", "x.example", "8.8.8.8", "10.0.0.9")
        ),
        (EgressPolicy(is_offline=True), "10.0.0.9", 8000, "regular"),
        (EgressPolicy(is_offline=True), "api.openai.com", 443, "reverse:https://api.openai.com"),
        (EgressPolicy(is_offline=True), "127.0.0.1", 3128, "upstream:http://127.0.0.1:3128"),
        (EgressPolicy(allow_only=True), "x.example", 443, "regular"),
    ],
)
def test_where_it_may_not_go(policy: EgressPolicy, host: str, port: int, mode: str, names: Names) -> None:
    assert pinned(policy, host, port, mode)[1]
    assert set(names.asked) <= {"localhost"}


def test_what_fails_leads_nowhere(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    destinations = Destinations()
    destinations.use(GUARDED, PROVIDERS)

    async def fail(client: Client, host: str, port: int) -> None:
        raise RuntimeError

    monkeypatch.setattr(destinations, "check", fail)
    asked = data("x.example")
    with pytest.raises(RuntimeError):
        asyncio.run(destinations.pin(asked))
    assert asked.server.error


def test_an_address_that_cannot_be_reached_is_looked_up_again(names: Names) -> None:
    names.answers["x.example"] = [["1.1.1.1"], ["8.8.8.8"]]
    destinations = Destinations()
    destinations.use(GUARDED, PROVIDERS)
    asked = data("x.example")
    asyncio.run(destinations.pin(asked))
    destinations.unpin(asked.server)
    destinations.forget(asked.client)
    again = ServerConnectionHookData(Server(address=("x.example", 443)), asked.client)
    asyncio.run(destinations.pin(again))
    assert (asked.server.address, again.server.address) == (("x.example", 443), ("8.8.8.8", 443))
