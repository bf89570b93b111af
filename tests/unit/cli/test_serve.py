"""The workers that ``serve`` starts, and why it starts none. What it does while they run is seen in ``e2e``."""

import socket
from pathlib import Path

import pytest

from wiretape.cli.serve import _command, serve
from wiretape.cli.serve_plan import ServePlan, ServeRefusedError
from wiretape.cluster.balancer import Balance, has_reuseport
from wiretape.cluster.worker import Membership
from wiretape.network.address import Address, parse

MEMBER = Membership(2, "/run/team")
OWN = [
    f"wiretape_coordinator={MEMBER}",
    "wiretape_metrics=",
    "wiretape_control=",
    "wiretape_page=",
    "wiretape_run=run-1",
]


@pytest.mark.parametrize(
    ("settings", "scripts", "options"),
    [
        ((), [], []),
        (("wiretape_mode=replay", "confdir=/tmp/x"), [], ["wiretape_mode=replay", "confdir=/tmp/x"]),
        (
            ("scripts=/a b.py", "mode=regular", "scripts=/c=d.py", "mode=upstream:http://a:1"),
            ["/a b.py", "/c=d.py"],
            ["mode=regular", "mode=upstream:http://a:1"],
        ),
    ],
)
def test_what_a_worker_is_told(settings: tuple[str, ...], scripts: list[str], options: list[str]) -> None:
    plan = ServePlan(2, parse("127.0.0.1:8080"), None, Balance.HAPROXY, settings)
    command = _command(plan, Address("127.0.0.1", 20001), MEMBER, "run-1")
    flags = command[command.index("--listen-host") :]
    assert flags[:4] == ["--listen-host", "127.0.0.1", "--listen-port", "20001"]
    pairs = [*zip(flags[4::2], flags[5::2], strict=True)]
    ours, *others = [value for flag, value in pairs if flag == "-s"]
    assert ours.endswith("/wiretape_addon.py")
    assert others == scripts
    assert [value for flag, value in pairs if flag == "--set"] == [*options, *OWN]


def test_what_serve_sets_takes_the_place_of_what_a_user_has_set() -> None:
    plan = ServePlan(2, parse("127.0.0.1:8080"), None, Balance.HAPROXY, ("wiretape_run=mine", "wiretape_mode=live"))
    command = _command(plan, Address("127.0.0.1", 20001), MEMBER, "mine")
    assert command.count("wiretape_run=mine") == 1, "mitmproxy takes no option twice"
    assert "wiretape_mode=live" in command


@pytest.mark.skipif(not has_reuseport(), reason="the kernel cannot balance")
def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = Address(*taken.getsockname())
        with pytest.raises(ServeRefusedError, match=f"^cannot listen on {listen}: Address already in use$"):
            serve(ServePlan(1, listen, None, Balance.REUSEPORT, [f"confdir={tmp_path}"]), {})


def test_a_plan_that_does_not_work_starts_nothing() -> None:
    with pytest.raises(ServeRefusedError, match="one at least"):
        serve(ServePlan(0, parse("127.0.0.1:0"), None, Balance.REUSEPORT), {})
