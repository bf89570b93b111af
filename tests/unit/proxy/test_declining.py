"""What a client is told that gets no answer: by which status, in which words, and whether it is to ask again."""

import asyncio
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from mitmproxy import http

from builders import RecordingTape, chat, route, tape_of
from deciding import make_decider
from wiretape.call_log.call import Outcome as Told
from wiretape.policy import Mode
from wiretape.proxy.admission import Grant
from wiretape.proxy.calls import (
    BodyState,
    BudgetReached,
    EndpointRequest,
    Ignored,
    Missed,
    StoreUnavailable,
    Unreadable,
    Untold,
)
from wiretape.proxy.decide import Decider
from wiretape.proxy.declining import Declining
from wiretape.proxy.open_call import OpenCall
from wiretape.store.directory import DirectoryStore

LABEL = "/v1/chat/completions m"
URL = "https://api.openai.com/v1/chat/completions"


class BrokenStore(DirectoryStore):
    """A store that can tell nothing."""

    def scan(self, session: str) -> Any:
        raise OSError("the disk is broken")


@dataclass
class Rig:
    """What declines, on a folder."""

    decider: Decider
    tape: RecordingTape
    call: OpenCall = field(init=False)
    """What is told of the request that was answered last."""

    def request(self, problem: str = "") -> EndpointRequest:
        grant = Grant(self.tape)
        if problem:
            return EndpointRequest(grant, route(), 0.0, BodyState.NO_RECORDING, problem=problem)
        return EndpointRequest(grant, route(), 0.0, BodyState.READ, chat("Hello"))

    def told(
        self, outcome: Missed | Unreadable | StoreUnavailable | BudgetReached
    ) -> tuple[http.Response, dict[str, Any]]:
        response = self.answer(outcome)
        return response, json.loads(response.content or b"")["error"]

    def answer(self, outcome: Missed | Unreadable | StoreUnavailable | BudgetReached | Ignored) -> http.Response:
        self.call = self.decider.teller.open(outcome.request.grant, 0.0)
        self.call.ask(outcome.request)
        return asyncio.run(Declining(self.decider).answer(outcome, "api.openai.com", self.call))


@pytest.fixture(name="rig", params=[DirectoryStore])
def _rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    decider = make_decider()
    yield Rig(decider, tape_of(request.param(tmp_path), "checkout", Mode.REPLAY))
    decider.close()


def test_a_budget_that_is_spent_is_told_and_is_not_asked_again(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    response, error = rig.told(BudgetReached(rig.request(), "the budget is used up"))
    assert (response.status_code, error["code"]) == (402, "budget_reached")
    assert error["message"] == "wiretape: the budget is used up."
    assert response.headers["x-should-retry"] == "false"
    assert (rig.call.outcome, rig.call.why) == (Told.REFUSED, ["the budget is used up"])
    assert f"refused: {LABEL}: the budget is used up" in caplog.text


def test_what_was_spent_and_cannot_be_told_is_asked_for_again(rig: Rig) -> None:
    response, error = rig.told(StoreUnavailable(rig.request(), Untold.SPENT, "the disk is broken"))
    assert response.status_code == 503
    assert "what this session has spent cannot be looked up now (the disk is broken)" in error["message"]
    assert "x-should-retry" not in response.headers


def test_a_miss_is_told_and_is_not_asked_again(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    response, error = rig.told(Missed(rig.request()))
    assert (response.status_code, error["code"]) == (400, "recording_not_found")
    assert response.headers["x-should-retry"] == "false"
    assert "checkout" in error["message"]
    assert rig.decider.teller.report.missed == 1
    assert f"miss: {LABEL} (session checkout)" in caplog.text
    assert rig.call.miss
    assert (rig.call.outcome, rig.call.miss.text) == (Told.MISS, error["message"])


def test_what_has_expired_is_a_miss_that_says_so(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    response, error = rig.told(Missed(rig.request(), "it is 90 days old"))
    assert (response.status_code, error["code"]) == (400, "recording_expired")
    assert response.headers["x-should-retry"] == "false"
    assert "has expired: it is 90 days old. Record it anew: wiretape refresh --session checkout" in error["message"]
    assert rig.decider.teller.report.missed == 1
    assert f"expired: {LABEL} (session checkout): it is 90 days old" in caplog.text


def test_what_is_beside_the_model_is_answered_with_nothing_and_counted(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    response = rig.answer(Ignored(rig.request()))
    assert (response.status_code, response.content) == (200, b"")
    assert (rig.tape.counters.ignored, rig.tape.counters.misses, rig.decider.teller.report.missed) == (1, 0, 0)
    assert f"ignored: POST {URL} (session checkout)" in caplog.text
    assert rig.call.outcome is Told.IGNORED


def test_what_no_recording_can_be_of_is_a_miss_too(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    response, error = rig.told(Unreadable(rig.request("the body is not JSON")))
    assert (response.status_code, error["code"]) == (400, "recording_not_found")
    assert response.headers["x-should-retry"] == "false"
    assert error["message"] == "wiretape: the body is not JSON; in replay nothing is sent to a provider."
    assert (rig.decider.teller.report.missed, rig.tape.counters.misses) == (1, 1)
    assert f"miss: {URL}: the body is not JSON (session checkout)" in caplog.text
    assert rig.call.miss
    assert (rig.call.outcome, rig.call.miss.difference) == (Told.MISS, "the body is not JSON")


@pytest.mark.parametrize(("untold", "label"), [(Untold.RECORDING, LABEL), (Untold.FROZEN, URL)])
def test_what_cannot_be_told_now_may_be_asked_again(
    untold: Untold, label: str, rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    response, error = rig.told(StoreUnavailable(rig.request(), untold, "it is away"))
    assert (response.status_code, error["code"]) == (503, "recordings_unavailable")
    assert "x-should-retry" not in response.headers
    assert "(it is away), so nothing is sent to a provider" in error["message"]
    assert rig.decider.teller.report.missed == 0
    assert caplog.record_tuples[-1][1:] == (
        logging.ERROR,
        f"cannot be looked up: {label} (session checkout): it is away",
    )


@pytest.mark.parametrize("rig", [BrokenStore], indirect=True)
def test_a_miss_that_cannot_be_explained_is_none_for_sure(rig: Rig) -> None:
    response, error = rig.told(Missed(rig.request()))
    assert (response.status_code, error["code"]) == (503, "recordings_unavailable")
    assert "the disk is broken" in error["message"]
    assert rig.call.outcome is Told.REFUSED
    assert rig.decider.teller.report.missed == 0
