"""What ``serve`` has to keep up: which plans work on a machine, and what is said where one does not."""

import socket
import sys
from dataclasses import replace

import pytest

from wiretape.cli.serve_plan import ServePlan, ServeRefusedError, for_workers, page_names, possible, worker_options
from wiretape.cluster import balancer
from wiretape.cluster.balancer import Balance
from wiretape.network.address import parse

PLAN = ServePlan(2, parse("127.0.0.1:8080"), None, Balance.HAPROXY)
TOKENS = "wiretape_tokens=tokens.toml"


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a machine with everything that a plan may need."""
    has(monkeypatch, haproxy=True, reuseport=True)


def has(monkeypatch: pytest.MonkeyPatch, *, haproxy: bool, reuseport: bool) -> None:
    monkeypatch.setattr(balancer, "has_haproxy", lambda: haproxy)
    monkeypatch.setattr(balancer, "has_reuseport", lambda: reuseport)


@pytest.mark.parametrize(
    ("wanted", "haproxy", "reuseport", "chosen"),
    [
        (Balance.HAPROXY, True, True, Balance.HAPROXY),
        (Balance.HAPROXY, True, False, Balance.HAPROXY),
        (Balance.HAPROXY, False, True, Balance.REUSEPORT),
        (Balance.REUSEPORT, True, True, Balance.REUSEPORT),
        (Balance.REUSEPORT, False, True, Balance.REUSEPORT),
    ],
)
def test_what_shares_the_connections_out(
    wanted: Balance,
    haproxy: bool,
    reuseport: bool,
    chosen: Balance,
    *,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    has(monkeypatch, haproxy=haproxy, reuseport=reuseport)
    plan = replace(PLAN, balance=wanted)
    assert possible(plan) == replace(plan, balance=chosen)
    assert ("HAProxy is not on the path" in capsys.readouterr().err) is (chosen is not wanted)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (Balance.HAPROXY, "HAProxy is not on the path. Install it (apt install haproxy"),
        (Balance.REUSEPORT, "--balance reuseport: only Linux shares the connections of a port out"),
    ],
)
def test_where_nothing_can_share_them_out_it_does_not_start(
    wanted: Balance, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    has(monkeypatch, haproxy=False, reuseport=False)
    with pytest.raises(ServeRefusedError) as raised:
        possible(replace(PLAN, balance=wanted))
    assert str(raised.value).startswith(says)


@pytest.mark.parametrize(
    ("listen", "settings", "is_refused"),
    [
        ("127.0.0.1:8080", (), False),
        ("[::1]:8080", (), False),
        ("localhost:8080", (), False),
        ("0.0.0.0:8080", (), True),
        ("[::]:8080", (), True),
        ("10.0.0.1:8080", (), True),
        ("tape.internal:8080", (), True),
        ("localhost.example.com:8080", (), True),
        ("0.0.0.0:8080", ("wiretape_tokens=",), True),
        ("0.0.0.0:8080", ("wiretape_tokens_x=y",), True),
        ("0.0.0.0:8080", (TOKENS,), False),
        ("0.0.0.0:8080", ("wiretape_mode=replay", TOKENS), False),
    ],
)
def test_who_is_open_to_other_machines_needs_tokens(listen: str, settings: tuple[str, ...], is_refused: bool) -> None:
    plan = replace(PLAN, listen=parse(listen), settings=settings)
    if not is_refused:
        assert possible(plan) == plan
        return
    with pytest.raises(ServeRefusedError) as raised:
        possible(plan)
    assert str(raised.value) == (
        f"--listen {listen} is open to other machines, where anybody could use your sessions: make a token,\n"
        "wiretape token create --session NAME --role write\n"
        "and add --set wiretape_tokens=wiretape-tokens.toml"
    )


@pytest.mark.parametrize("workers", [0, -1])
def test_there_is_one_worker_at_least(workers: int) -> None:
    with pytest.raises(ServeRefusedError, match=r"^--workers: there must be one at least$"):
        possible(replace(PLAN, workers=workers))
    assert possible(replace(PLAN, workers=1)).workers == 1


def test_a_system_without_unix_sockets_is_told_what_to_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "AF_UNIX")
    with pytest.raises(ServeRefusedError, match="use mitmdump, one process"):
        possible(PLAN)


def test_counters_need_their_package_and_nothing_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    assert possible(PLAN) == PLAN
    with pytest.raises(ServeRefusedError, match=r"\(or serve without them: --metrics ''\)$"):
        possible(replace(PLAN, metrics=parse("9464")))


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (
            replace(PLAN, metrics=parse("9464")),
            r"pip install starlette uvicorn\n\(or serve without them: --metrics ''\)$",
        ),
        (replace(PLAN, control=parse("9465")), r"^--control: .*pip install starlette uvicorn$"),
    ],
)
def test_what_serves_pages_needs_its_packages(plan: ServePlan, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert possible(PLAN) == PLAN
    with pytest.raises(ServeRefusedError, match=says):
        possible(plan)


def test_the_api_is_open_to_other_machines_with_tokens_alone() -> None:
    plan = replace(PLAN, control=parse("0.0.0.0:9465"))
    with pytest.raises(ServeRefusedError, match=r"^--control 0\.0\.0\.0:9465 is open to other machines"):
        possible(plan)
    assert possible(replace(plan, settings=(TOKENS,))).control == plan.control


def test_where_there_is_an_api_the_workers_log_their_calls() -> None:
    plan = replace(PLAN, control=parse("9465"))
    assert possible(plan).setting("wiretape_call_log") == "on"
    assert possible(replace(plan, settings=("wiretape_call_log=/x",))).setting("wiretape_call_log") == "/x"
    assert possible(PLAN).setting("wiretape_call_log") == ""


@pytest.mark.parametrize(
    ("environ", "assignments", "says"),
    [
        ({}, ["wiretape_mood=live"], "--set: unknown option wiretape_mood: did you mean wiretape_mode? There are"),
        ({}, ["wiretape_metrics=1"], "--set: unknown option wiretape_metrics"),
        ({}, ["wiretape_control=1"], "--set: unknown option wiretape_control"),
        ({}, ["wiretape_coordinator=/tmp/x"], "--set: unknown option wiretape_coordinator"),
        ({"WIRETAPE_MOOD": "live"}, [], "the environment: unknown variable WIRETAPE_MOOD: did you mean WIRETAPE_MODE?"),
    ],
)
def test_an_unknown_option_is_refused(environ: dict[str, str], assignments: list[str], says: str) -> None:
    with pytest.raises(ServeRefusedError) as raised:
        for_workers(environ, assignments, {})
    assert str(raised.value).startswith(says)


def test_a_worker_gets_the_users_options_and_not_those_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    environ = {
        "WIRETAPE_MODE": "replay",
        "WIRETAPE_SESSION": "checkout",
        "WIRETAPE_WORKERS": "4",
        "WIRETAPE_LISTEN": "0.0.0.0:8080",
        "WIRETAPE_METRICS": "9464",
        "WIRETAPE_URL": "http://127.0.0.1:9464",
        "WIRETAPE_PSEUDONYM_KEY": "drawn-at-random-0123",
        "HOME": "/home/user",
    }
    assignments = ["wiretape_session=main", "confdir=/tmp/x", "mode=regular", "mode=upstream:http://a:1"]
    assert for_workers(environ, assignments, {"wiretape_takes": "cycle", "wiretape_pace": None}) == [
        "wiretape_mode=replay",
        "wiretape_session=main",
        "confdir=/tmp/x",
        "mode=regular",
        "mode=upstream:http://a:1",
        "wiretape_takes=cycle",
    ]
    assert capsys.readouterr().err == ""


def test_the_options_of_a_worker_are_those_of_a_user() -> None:
    options = worker_options()
    assert {"wiretape_mode", "wiretape_session", "wiretape_recordings", "wiretape_tokens"} <= options
    assert options.isdisjoint({"wiretape_coordinator", "wiretape_metrics", "wiretape_control"})
    assert [name for name in sorted(options) if not name.startswith("wiretape_")] == []


@pytest.mark.parametrize(
    ("host", "is_answered"),
    [
        ("127.0.0.1:9464", True),
        ("localhost", True),
        ("tape.internal:9464", True),
        ("counters.internal:9464", True),
        ("proxy.example", True),
        ("a.corp.example", True),
        ("evil.example", False),
    ],
)
def test_the_page_of_counters_answers_to_its_own_names(host: str, is_answered: bool) -> None:
    settings = (TOKENS, "wiretape_hosts=proxy.example, *.corp.example")
    plan = ServePlan(
        2, parse("tape.internal:8080"), parse("counters.internal:9464"), Balance.HAPROXY, settings=settings
    )
    assert (page_names(plan).stranger([host], None, None) is None) is is_answered


def test_a_wrong_list_of_hosts_names_its_option() -> None:
    plan = replace(PLAN, metrics=parse("9464"), settings=("wiretape_hosts=proxy.example:8080",))
    with pytest.raises(ServeRefusedError, match=r"^wiretape_hosts: 'proxy\.example:8080' is no host's name"):
        page_names(plan)
