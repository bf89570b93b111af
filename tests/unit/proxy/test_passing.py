"""Requests to a provider's host that no recording answers: what passes, what is refused, what is answered."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from mitmproxy import http
from mitmproxy.test import tflow

from builders import tape_of
from deciding import ToldCalls, make_decider
from wiretape import config
from wiretape.metrics.counters import Reason
from wiretape.policy import Mode
from wiretape.pricing.spending import Spending
from wiretape.providers.ignoring import IgnoredRequests, Program
from wiretape.proxy import flow_state
from wiretape.proxy.admission import Grant
from wiretape.proxy.passing import Passing
from wiretape.proxy.runtime import Runtime
from wiretape.replay.faults import Fault, FaultRule, Faults
from wiretape.store.directory import DirectoryStore
from wiretape.tape.tape import Tape

OWN = """
[[provider]]
name = "gpu"
hosts = ["gpu.example", "localhost:8000"]
base = "/v1"
endpoints = ["openai"]
skip = ["/files*"]
ignore = ["POST /traces"]
"""
PROVIDERS = config.loads("wiretape.toml", OWN).providers()
LIVE, RECORD, REPLAY, MISSING = Mode.LIVE, Mode.RECORD, Mode.REPLAY, Mode.RECORD_IF_MISSING
MODES = [LIVE, RECORD, REPLAY, MISSING]

CHAT = "POST https://gpu.example/v1/chat/completions"
OTHER = "GET https://gpu.example/v1/unnamed"
SKIPPED = "GET https://gpu.example/v1/files/a"
NOISE = "POST https://gpu.example/v1/traces"
METHOD = "TRACE https://gpu.example/v1/chat/completions"
STRANGER = "GET https://other.example/x"
HERE = "GET https://localhost:8000/v1/files/a"
SOCKET = {"upgrade": "websocket"}
PREFLIGHT = {"origin": "https://app.example", "access-control-request-method": "POST"}


def asked(line: str, headers: dict[str, str] | None = None) -> http.HTTPFlow:
    method, _, url = line.partition(" ")
    request = http.Request.make(method, url)
    request.headers.update(headers or {})
    return tflow.tflow(req=request)


class Rig:
    """What decides on flows, with a session in each mode."""

    def __init__(self, root: Path) -> None:
        self.decider = make_decider()
        self.decider.runtime = Runtime(providers=PROVIDERS)
        self.passing = Passing(self.decider)
        self.store = DirectoryStore(root)

    def tape(self, mode: Mode) -> Tape:
        return tape_of(self.store, "checkout", mode)

    def grant(self, mode: Mode) -> Grant:
        return Grant(self.tape(mode))


@pytest.fixture(name="rig")
def _rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.decider.close()


# a request, its headers -> the modes in which it is read whole before it is sent on
READ: list[tuple[str, dict[str, str], list[Mode]]] = [
    (CHAT, {}, MODES),
    (OTHER, {}, [RECORD, REPLAY, MISSING]),
    (CHAT, SOCKET, []),
    (CHAT, {"content-type": "application/grpc+proto"}, []),
    (SKIPPED, {}, []),
    (NOISE, {}, []),
    (METHOD, {}, []),
    (STRANGER, {}, []),
]


@pytest.mark.parametrize(("line", "headers", "modes"), READ)
def test_what_is_read_before_it_is_sent_on(line: str, headers: dict[str, str], modes: list[Mode], rig: Rig) -> None:
    assert [mode for mode in MODES if rig.passing.route(asked(line, headers), rig.grant(mode))] == modes


def test_with_faults_all_is_read(rig: Rig) -> None:
    faults = Faults([FaultRule({}, 1.0, 0, frozenset(), Fault(delay=1.0))])
    assert rig.passing.route(asked(OTHER), replace(rig.grant(LIVE), faults=(faults,)))


# a request, its headers -> the status of the answer that comes of nothing, where requests are answered here
FROM_NOTHING: list[tuple[str, dict[str, str], int | None]] = [
    (NOISE, {}, 200),
    ("OPTIONS https://gpu.example/v1/chat/completions", PREFLIGHT, 204),
    ("OPTIONS https://gpu.example/v1/traces", PREFLIGHT, 204),
    ("OPTIONS https://gpu.example/v1/files/a", PREFLIGHT, None),
    ("OPTIONS https://other.example/x", PREFLIGHT, None),
    ("OPTIONS https://gpu.example/v1/chat/completions", {}, None),
    (SKIPPED, {}, None),
    (STRANGER, {}, None),
]


@pytest.mark.parametrize(("line", "headers", "status"), FROM_NOTHING)
def test_what_is_answered_from_nothing(line: str, headers: dict[str, str], status: int | None, rig: Rig) -> None:
    for mode in MODES:
        response = rig.passing.answer_from_nothing(asked(line, headers), rig.grant(mode))
        found = response.status_code if response else None
        assert found == (status if mode in (REPLAY, MISSING) else None), mode


AGENT = IgnoredRequests([Program.parse("agent", ("agent/*",), ("POST tele.example/log", "GET gpu.example/v1/files/*"))])


@pytest.mark.parametrize("line", ["POST https://tele.example/log?a=b", SKIPPED])
def test_in_replay_what_a_program_at_work_sends_beside_the_model_is_answered(line: str, rig: Rig) -> None:
    rig.decider.runtime = Runtime(providers=PROVIDERS, ignored=AGENT)
    rig.decider.see(flow_state.head_of(asked(OTHER, {"user-agent": "agent/1"})), rig.grant(REPLAY))
    for mode in MODES:
        grant = rig.grant(mode)
        response = rig.passing.answer_from_nothing(asked(line), grant)
        assert (response.status_code if response else None) == (200 if mode is REPLAY else None), mode
        assert grant.tape.counters.ignored == (mode is REPLAY)
        rig.passing.tell(asked(line), grant)
        assert grant.tape.counters.unrecorded == 0


CODEX = {"upgrade": "websocket", "user-agent": "codex_exec/0.171.0 (Debian 12.0.0; x86_64)"}


@pytest.mark.parametrize("mode", MODES)
def test_a_client_that_can_ask_over_http_is_refused_its_websocket_at_once(mode: Mode, rig: Rig) -> None:
    line = "GET https://gpu.example/v1/responses"
    response = rig.passing.answer_from_nothing(asked(line, CODEX), rig.grant(mode))
    assert (response.status_code if response else None) == (None if mode is LIVE else 426)
    if response:
        assert (response.headers["upgrade"], response.headers["connection"]) == ("HTTP/1.1", "upgrade")
        assert "ask over HTTP" in response.json()["error"]["message"]
    for other, headers in ((line, SOCKET), ("GET https://gpu.example/v1/realtime", CODEX), (line, {})):
        answer = rig.passing.answer_from_nothing(asked(other, headers), rig.grant(mode))
        assert answer is None, (other, headers)


# a request -> why it is refused in replay; None where it passes
REFUSED: list[tuple[str, dict[str, str], str | None]] = [
    (SKIPPED, {}, "a path that the table of providers excludes (skip)"),
    (METHOD, {}, "a method that is not recorded"),
    (CHAT, SOCKET, "a conversation, in which both sides go on sending (a WebSocket, gRPC)"),
    (STRANGER, {}, None),
    (HERE, {}, None),
]


@pytest.mark.parametrize(("line", "headers", "why"), REFUSED)
def test_in_replay_nothing_is_sent_to_a_provider(
    line: str, headers: dict[str, str], why: str | None, rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    flow = asked(line + "?key=hidden", headers)
    tape = rig.tape(REPLAY)
    rig.passing.carry_out(flow, Grant(tape))
    assert flow_state.of(flow).leaves is (why is None)
    if why is None:
        assert (flow.response, tape.counters.misses) == (None, 0)
        return
    assert flow.response
    assert flow.response.status_code == 400
    told = flow.response.text or ""
    assert f"is {why}, and in replay" in told
    assert (tape.counters.misses, rig.decider.teller.report.missed) == (1, 1)
    assert "miss: gpu.example /v1/" in caplog.text
    assert "hidden" not in caplog.text + told + "".join(rig.decider.teller.report.misses)


@pytest.mark.parametrize("mode", [LIVE, RECORD, MISSING])
@pytest.mark.parametrize("line", [SKIPPED, METHOD, STRANGER])
def test_in_all_other_modes_it_leaves(line: str, mode: Mode, rig: Rig) -> None:
    flow = asked(line)
    rig.passing.carry_out(flow, rig.grant(mode))
    assert flow_state.of(flow).leaves
    assert flow.response is None


def test_an_answer_from_nothing_is_given_and_does_not_leave(rig: Rig) -> None:
    flow = asked(NOISE)
    grant = rig.grant(REPLAY)
    flow_state.of(flow).nothing = rig.passing.answer_from_nothing(flow, grant)
    rig.passing.carry_out(flow, grant)
    assert flow.response
    assert (flow.response.status_code, flow_state.of(flow).leaves, grant.tape.counters.misses) == (200, False, 0)


# a request that is sent on -> as what it counts where requests are recorded
TOLD: list[tuple[str, dict[str, str], Reason | None]] = [
    (SKIPPED, {}, Reason.SKIPPED),
    (METHOD, {}, Reason.METHOD),
    (CHAT, SOCKET, Reason.CONVERSATION),
    ("OPTIONS https://gpu.example/v1/chat/completions", PREFLIGHT, None),
    (NOISE, {}, None),
    (STRANGER, {}, None),
    (HERE, {}, None),
]


@pytest.mark.parametrize(("line", "headers", "reason"), TOLD)
def test_what_is_not_recorded_is_said_once_and_counted(
    line: str, headers: dict[str, str], reason: Reason | None, rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    for mode in MODES:
        tape = rig.tape(mode)
        caplog.clear()
        rig.passing.tell(asked(line, headers), Grant(tape))
        is_told = reason is not None and mode in (RECORD, MISSING)
        assert tape.counters.upstream == is_told
        assert [*tape.counters.reasons] == [reason] * is_told
        assert [record.getMessage().startswith("not recorded: ") for record in caplog.records] == [True] * is_told


# a request, its headers, a mode -> whether it is refused where the session has spent its budget
PAID: list[tuple[str, dict[str, str], bool]] = [
    (NOISE, {}, True),
    ("POST https://gpu.example/v1/unnamed", {}, True),
    (CHAT.replace("POST", "GET"), SOCKET, True),
    (SKIPPED, {}, False),
    (OTHER, {}, False),
    (STRANGER.replace("GET", "POST"), {}, False),
    (HERE.replace("GET", "POST"), {}, False),
]


@pytest.mark.parametrize(("line", "headers", "is_refused"), PAID)
def test_what_passes_as_it_comes_is_refused_where_the_budget_is_spent(
    line: str, headers: dict[str, str], is_refused: bool, rig: Rig, tmp_path: Path
) -> None:
    spending = Spending(tmp_path / "spent.sqlite")
    sessions = config.loads("team.toml", '[session.checkout]\nbudget = "5 USD"\n').sessions()
    rig.decider.runtime = Runtime(providers=PROVIDERS, sessions=sessions)
    rig.decider.budgets.spending = spending
    rig.decider.teller.log = ToldCalls()

    async def refused() -> int:
        answer = await rig.passing.over_budget(asked(line, headers), rig.grant(LIVE))
        return answer.answer.status_code if answer else 0

    assert asyncio.run(refused()) == 0
    spending.add("checkout", "", Decimal(5))
    assert asyncio.run(refused()) == (402 if is_refused else 0)
    spending.close()
    spending.file.write_bytes(b"no database" * 100)
    assert asyncio.run(refused()) == (503 if is_refused else 0), "it does not fail open"
    rig.decider.teller.log.close()
