"""Listening on this machine alone, unless the user says otherwise."""

from types import SimpleNamespace
from typing import Any

import pytest
from mitmproxy import options
from mitmproxy.proxy import mode_specs
from mitmproxy.test import tflow

from wiretape.proxy.compat import loopback


def chosen(host: str = "", *modes: str) -> options.Options:
    made = options.Options()
    made.update(listen_host=host, mode=[*modes] or ["regular"])
    return made


def test_where_no_host_is_named_it_is_this_machine() -> None:
    for host, then in (("", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("::1", "::1")):
        made = chosen(host)
        loopback.prefer(made)
        assert made.listen_host == then


@pytest.mark.parametrize(
    ("host", "modes", "where"),
    [
        ("", [], ""),
        ("127.0.0.1", [], ""),
        ("::1", [], ""),
        ("0.0.0.0", [], "0.0.0.0"),
        ("192.168.1.2", [], "192.168.1.2"),
        ("127.0.0.1", ["regular", "reverse:https://a.example@0.0.0.0:81"], "0.0.0.0"),
        ("", ["regular@8080"], ""),
    ],
)
def test_where_it_listens_elsewhere(host: str, modes: list[str], where: str) -> None:
    assert loopback.elsewhere(chosen(host, *modes)) == where


@pytest.mark.parametrize(
    ("host", "mode", "came_to", "is_refused"),
    [
        ("127.0.0.1", "regular", "127.0.0.1", False),
        ("127.0.0.1", "regular", "::1", False),
        ("127.0.0.1", "regular", "192.168.1.2", True),
        ("127.0.0.1", "regular", "fe80::1%eth0", True),
        ("127.0.0.1", "regular@192.168.1.2:80", "192.168.1.2", False),
        ("0.0.0.0", "regular", "192.168.1.2", False),
        ("127.0.0.1", "transparent", "127.0.0.1", False),
        ("127.0.0.1", "transparent", "192.168.1.2", True),
    ],
)
def test_who_came_in_before_it_moved_is_refused(
    host: str, mode: str, came_to: str, monkeypatch: pytest.MonkeyPatch, *, is_refused: bool
) -> None:
    monkeypatch.setattr(loopback, "ctx", SimpleNamespace(options=chosen(host)))
    client: Any = tflow.tclient_conn()
    client.error = None
    client.proxy_mode = mode_specs.ProxyMode.parse(mode)
    client.sockname = (came_to, 8080)
    streams = None
    if mode == "transparent":
        # mitmproxy has its target in the place of where it came to.
        client.sockname = ("203.0.113.7", 443)
        streams = SimpleNamespace(writer=SimpleNamespace(get_extra_info={"sockname": (came_to, 8080)}.get))
    loopback.guard(client, streams)
    assert bool(client.error) is is_refused
