"""A flow's hooks, of the real addon in this process: which requests are answered, refused or sent on, and who waits."""

import asyncio
import gzip
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mitmproxy import flow as mitmproxy_flow
from mitmproxy import hooks, http
from mitmproxy.connection import ConnectionState
from mitmproxy.test import tflow

from places import SHIPPED
from samples import CHAT, FIREWORKS_CHAT, load
from wiretape.metrics.counters import Counters
from wiretape.proxy import flow_state, sharing
from wiretape.proxy.calls import Forwarded, Keeping, Missed, Outcome, Replayed, Unreadable
from wiretape.replay.single_flight import SharedResponse

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mitmproxy's, of pyparsing's new names.
    from mitmproxy.addons.proxyserver import Proxyserver
    from mitmproxy.test import taddons

    from wiretape.proxy.addon import Wiretape

HOST = "api.fireworks.ai"
KNOWN = json.dumps(load(CHAT)["request"]["body"]).encode()
UNKNOWN = json.dumps({"model": "m", "messages": [{"role": "user", "content": "never asked"}]}).encode()
FAULT = '[[fault]]\nendpoint = "/v1/chat/completions"\nslow = "1ms"\n'


class Rig:
    """The addon, and flows that go through its hooks as mitmproxy has them."""

    def __init__(self, tctx: taddons.context) -> None:
        self.tctx = tctx
        self.addon = Wiretape()
        self.hooks = self.addon._requests

    def choose(self, mode: str, *options: str) -> None:
        self.tctx.options.set(f"wiretape_mode={mode}", *options)

    @property
    def counters(self) -> Counters:
        return self.addon.counters

    async def ask(self, body: bytes = UNKNOWN, path: str = FIREWORKS_CHAT, host: str = HOST, **headers: str) -> Any:
        """Return the flow of a request after its hooks."""
        flow = self.begin(body, path, host, **headers)
        await self.go_on(flow)
        return flow

    @staticmethod
    def begin(body: bytes = UNKNOWN, path: str = FIREWORKS_CHAT, host: str = HOST, **headers: str) -> http.HTTPFlow:
        request = http.Request.make("POST", f"https://{host}{path}", body)
        request.headers["content-type"] = "application/json"
        for name, value in headers.items():
            request.headers[name.replace("_", "-")] = value
        flow = tflow.tflow(req=request)
        flow.client_conn.sni = host
        return flow

    async def go_on(self, flow: http.HTTPFlow) -> None:
        await self.hooks.requestheaders(flow)
        await self.hooks.request(flow)

    def fail(self, flow: http.HTTPFlow, message: str) -> None:
        """The provider breaks off."""
        flow.error = mitmproxy_flow.Error(message)
        self.hooks.error(flow)

    def leave(self, flow: http.HTTPFlow) -> None:
        """The client closes its connection."""
        flow.client_conn.state = ConnectionState.CLOSED
        self.fail(flow, "Client disconnected.")


@pytest.fixture(name="rig")
def _rig(tmp_path: Path) -> Iterator[Rig]:
    tctx = taddons.context(Proxyserver())
    with tctx:
        rig = Rig(tctx)
        tctx.master.addons.add(rig.addon)
        tctx.options.set(f"wiretape_recordings={tmp_path / 'recordings'}")
        yield rig
        tctx.master.addons.invoke_addon_sync(rig.addon, hooks.DoneHook())


def outcome_of(flow: http.HTTPFlow) -> Outcome | None:
    return flow_state.of(flow).outcome


def become(flow: http.HTTPFlow) -> str:
    """What has become of a flow: a status, or that it may leave."""
    is_leaving = flow_state.of(flow).leaves
    assert is_leaving is (flow.response is None), "one or the other"
    return "sent" if flow.response is None else str(flow.response.status_code)


@pytest.mark.parametrize(
    ("mode", "unknown", "another_path", "foreign"),
    [
        ("live", "sent", "sent", "sent"),
        ("record", "sent", "sent", "sent"),
        ("replay", "400", "400", "sent"),
        ("record-if-missing", "sent", "sent", "sent"),
    ],
)
def test_what_is_sent_on(mode: str, unknown: str, another_path: str, foreign: str, rig: Rig) -> None:
    async def ask() -> list[str]:
        asked = [await rig.ask(), await rig.ask(path="/v1/realtime"), await rig.ask(host="other.example")]
        return [become(each) for each in asked]

    rig.choose(mode)
    assert asyncio.run(ask()) == [unknown, another_path, foreign]


def test_a_hit_is_its_recordings_answer_whatever_its_coding(rig: Rig) -> None:
    async def ask() -> None:
        plain = await rig.ask(KNOWN)
        coded = await rig.ask(gzip.compress(KNOWN), content_encoding="gzip")
        for flow in (plain, coded):
            assert become(flow) == "200"
            assert isinstance(outcome_of(flow), Replayed)
        assert plain.response.raw_content == coded.response.raw_content
        assert rig.counters.hits == 2

    rig.choose("replay", f"wiretape_recordings={SHIPPED}")
    asyncio.run(ask())


@pytest.mark.parametrize(
    ("mode", "status", "kind"),
    [("replay", "400", Unreadable), ("record-if-missing", "sent", Forwarded), ("record", "sent", Forwarded)],
)
def test_a_request_that_is_too_large_when_decoded_is_no_recording(
    mode: str, status: str, kind: type[Outcome], rig: Rig
) -> None:
    rig.choose(mode, "wiretape_max_request=1000")
    flow = asyncio.run(rig.ask(gzip.compress(bytes(5000)), content_encoding="gzip"))
    outcome = outcome_of(flow)
    assert isinstance(outcome, kind)
    assert become(flow) == status
    assert not isinstance(outcome, Forwarded) or outcome.keeping is Keeping.UNREADABLE
    assert flow_state.of(flow).exchange is None


def test_headers_of_ours_are_for_us_alone(rig: Rig) -> None:
    rig.choose("record")
    asking = rig.ask(x_wiretape_test_id="t", proxy_authorization="Basic b25lOg==", x_wiretape_session="two")
    flow = asyncio.run(asking)
    assert {*flow.request.headers} == {"content-type", "content-length"}
    state = flow_state.of(flow)
    assert state.grant
    assert (state.grant.tape.session, state.test_id) == ("one", "t")


def test_a_proxy_that_stops_sends_nothing_on(rig: Rig) -> None:
    async def ask() -> http.HTTPFlow:
        flow = rig.begin()
        await rig.hooks.requestheaders(flow)
        rig.addon._admission.stop()
        await rig.hooks.request(flow)
        return flow

    rig.choose("record")
    assert become(asyncio.run(ask())) == "503"


def test_what_was_decided_for_a_session_that_is_frozen_by_now_is_decided_anew(rig: Rig) -> None:
    async def ask() -> http.HTTPFlow:
        rig.choose("record-if-missing")
        former = await rig.ask()
        assert isinstance(outcome_of(former), Forwarded)
        rig.choose("replay")
        flow = rig.begin()
        flow_state.of(flow).outcome = outcome_of(former)
        await rig.go_on(flow)
        return flow

    flow = asyncio.run(ask())
    assert isinstance(outcome_of(flow), Missed)
    assert become(flow) == "400"


# -- equal requests at once --------------------------------------------------------------------------------------------


class Waits:
    """Tells how often a flow has begun to wait for the answer to an equal one."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._original = sharing._changed
        self._more = asyncio.Event()
        self._count = 0
        patch.setattr(sharing, "_changed", self._wait)

    async def _wait(self, flight: SharedResponse) -> None:
        self._count += 1
        self._more.set()
        await self._original(flight)

    async def have_been(self, count: int) -> None:
        while self._count < count:
            self._more.clear()
            await self._more.wait()


@pytest.fixture(name="waits")
def _waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    return Waits(monkeypatch)


async def waiting(
    rig: Rig, waits: Waits, count: int
) -> tuple[http.HTTPFlow, list[tuple[http.HTTPFlow, asyncio.Task[None]]]]:
    """Return a flow that leads, and so many equal ones that wait for its answer."""
    leader = await rig.ask()
    assert become(leader) == "sent"
    followers = [rig.begin() for _ in range(count)]
    tasks = [asyncio.create_task(rig.go_on(each)) for each in followers]
    await waits.have_been(count)
    return leader, [*zip(followers, tasks, strict=True)]


def test_a_provider_that_fails_before_its_answers_head_is_asked_once_for_all_who_waited(rig: Rig, waits: Waits) -> None:
    async def ask() -> None:
        leader, followers = await waiting(rig, waits, 3)
        rig.fail(leader, "connection refused")
        for flow, task in followers:
            await task
            assert become(flow) == "502"
            assert flow.response
            assert flow.response.text == "connection refused"
        assert (rig.counters.upstream, rig.counters.followed) == (1, 3)
        # Who comes then asks again.
        assert become(await rig.ask()) == "sent"

    rig.choose("record-if-missing")
    asyncio.run(ask())


def test_when_the_client_of_the_first_leaves_one_of_those_who_waited_is_the_first(rig: Rig, waits: Waits) -> None:
    async def ask() -> None:
        leader, followers = await waiting(rig, waits, 3)
        rig.leave(leader)
        await waits.have_been(3 + 2)
        (second,) = [flow for flow, _ in followers if flow_state.of(flow).leaves]
        assert become(second) == "sent"
        rig.fail(second, "connection refused")
        for flow, task in followers:
            await task
            assert become(flow) == ("sent" if flow is second else "502")
        assert rig.counters.upstream == 2

    rig.choose("record-if-missing")
    asyncio.run(ask())


def test_an_answer_with_a_fault_is_shared_with_nobody_and_not_recorded(rig: Rig, tmp_path: Path) -> None:
    async def ask() -> None:
        for _ in range(2):
            flow = await rig.ask()
            outcome = outcome_of(flow)
            assert isinstance(outcome, Forwarded)
            assert (outcome.keeping, flow_state.of(flow).exchange) == (Keeping.FAULT, None)
            assert flow_state.of(flow).fault is outcome.fault is not None

    (tmp_path / "faults.toml").write_text(FAULT)
    rig.choose("record-if-missing", f"wiretape_config={tmp_path / 'faults.toml'}")
    asyncio.run(ask())
