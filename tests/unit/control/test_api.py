"""What the API answers to whoever may ask: it knows no HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controlling import RUN, Told, configured, told
from samples import CHAT, load
from wiretape.call_log.call import MissTold, Outcome
from wiretape.control.api import Api, Request, start
from wiretape.control.authorization import OPEN
from wiretape.control.openapi import OPERATIONS
from wiretape.control.overriding import NotInForceError
from wiretape.control.refusal import ApiError
from wiretape.exceptions import StoreAwayError
from wiretape.matching.rules import Places
from wiretape.policy import Mode
from wiretape.recording import loads
from wiretape.sessions.access import AccessPolicy
from wiretape.sessions.model import Session
from wiretape.tape.kept_misses import KeptMisses
from wiretape.tape.tape import NOBODY

OPERATION = {each.name: each for each in OPERATIONS}


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Told]:
    with told(tmp_path) as proxy:
        yield proxy


@pytest.fixture
def api(proxy: Told) -> Api:
    return Api(proxy)


def ask(api: Api, name: str, body: Any = None, path: str = "", **query: str) -> Any:
    operation = OPERATION[name]
    in_path = dict.fromkeys(operation.in_path, path)
    return api.answer(operation, Request(OPEN, in_path, query, body))


def refused(api: Api, name: str, body: Any = None, path: str = "", **query: str) -> tuple[int, str, str]:
    with pytest.raises(ApiError) as raised:
        ask(api, name, body, path, **query)
    return raised.value.status, raised.value.code, str(raised.value)


# -- what is there -----------------------------------------------------------------------------------------------------


def test_the_state_has_the_counters_of_each_session_and_their_sum(proxy: Told, api: Api) -> None:
    proxy.ledger.of("a").hits = 2
    proxy.ledger.of("b").hits = 3
    status = ask(api, "status")
    assert status["counters"]["a"]["hits"] == 2
    assert status["total"]["hits"] == 5
    assert status["run"] == RUN
    assert status["proxy"] == "http://127.0.0.1:8080"
    assert status["uptime_s"] > 1e9, "it has begun at the beginning of 1970"


def test_calls_come_page_by_page_by_session_scope_and_time(proxy: Told, api: Api) -> None:
    for number in range(5):
        proxy.tell(request=str(number), session="a" if number % 2 else "b", scope="s" if number > 2 else "")

    def found(**query: str) -> list[str]:
        return [call["request"] for call in ask(api, "calls", **query)["calls"]]

    assert found() == ["0", "1", "2", "3", "4"]
    assert found(limit="2") == ["3", "4"], "without a place, the newest"
    assert found(since="0", limit="2") == ["0", "1"]
    assert found(since="2", limit="2") == ["2", "3"]
    assert found(session="a") == ["1", "3"]
    assert found(scope="s") == ["3", "4"]
    assert found(since="2027-01-15T08:00:00Z") == ["0", "1", "2", "3", "4"]
    assert found(since="2027-01-15T09:00:00.000 01:00") == ["0", "1", "2", "3", "4"], "a plus that came as a blank"
    assert found(since="2027-01-15T08:00:01Z") == []
    assert ask(api, "calls", since="2027-01-15T08:00:01Z")["next"] == 5
    assert ask(api, "calls", since="1", limit="2")["next"] == 3
    assert ask(api, "calls", since="5")["next"] == 5


@pytest.mark.parametrize("since", ["yesterday", "-1", "1.5", "٣", "2027-13-01T00:00:00Z"])
def test_a_place_that_is_none_is_refused(since: str) -> None:
    with pytest.raises(ApiError, match="since: it is the id of a call, or a time of RFC 3339"):
        start(since)


def test_a_hit_has_the_request_and_the_answer_of_its_recording(proxy: Told, api: Api) -> None:
    proxy.tell(recording=CHAT.stem, recorded_in="default")
    told_call = ask(api, "call", path="1")
    recorded = load(CHAT)
    assert told_call["call"]["recording"] == CHAT.stem
    assert told_call["request"]["body"] == recorded["request"]["body"]
    assert told_call["request"]["endpoint"] == "/v1/chat/completions"
    assert told_call["answer"]["body"] == recorded["response"]["body"]
    assert told_call["answer"]["status"] == 200
    assert told_call["answer"]["text"]


def test_a_miss_has_its_request_where_it_was_kept(proxy: Told, api: Api) -> None:
    request = loads(CHAT.read_bytes()).request
    assert proxy.store_.notes
    kept = KeptMisses(proxy.store_.notes, "default")
    kept.keep(request, NOBODY, Places())
    proxy.tell(Outcome.MISS, miss=MissTold(hash=kept.all()[0].hash))
    proxy.tell(Outcome.MISS, miss=MissTold(hash="another"))
    found = ask(api, "call", path="1")
    assert found["request"]["model"] == request.model
    assert found["answer"] is None
    assert ask(api, "call", path="2")["request"] is None


def test_a_call_whose_recording_has_gone_is_told_without_it(proxy: Told, api: Api) -> None:
    proxy.tell(recording="gone")
    assert ask(api, "call", path="1") == {
        "call": ask(api, "calls")["calls"][0],
        "request": None,
        "answer": None,
    }


def test_recordings_tell_whether_they_were_asked_for(proxy: Told, api: Api) -> None:
    (row,) = ask(api, "recordings", path="default")["recordings"]
    assert row["name"] == CHAT.stem
    assert (row["asked_in_run"], row["asked_ever"]) == (False, False)
    # Another session stands on this one.
    proxy.tell(session="above", recording=CHAT.stem, recorded_in="default")
    (row,) = ask(api, "recordings", path="default")["recordings"]
    assert (row["asked_in_run"], row["asked_ever"]) == (True, True)
    (row,) = ask(api, "recordings", path="default", run="another")["recordings"]
    assert (row["asked_in_run"], row["asked_ever"]) == (False, True)
    assert ask(api, "recordings", path="empty")["recordings"] == []


# -- what holds --------------------------------------------------------------------------------------------------------


def test_what_holds_for_a_session_is_put_whole_and_taken_back(proxy: Told, api: Api) -> None:
    assert ask(api, "put_session", {"mode": "record", "pace": "2x"}, "a") == {"mode": "record", "pace": "2x"}
    assert ask(api, "put_session", {"takes": "first"}, "a") == {"takes": "first"}
    assert proxy.overriding.overrides.sessions["a"].mode is None
    assert ask(api, "delete_session", path="a") == {}
    assert not proxy.overriding.overrides
    assert ask(api, "delete_session", path="a") == {}


def test_on_an_open_proxy_nobody_gets_a_mode_that_no_client_may_ask_for(proxy: Told, api: Api) -> None:
    proxy.policy_ = AccessPolicy(configured(), "default", Mode.REPLAY, askable=(Mode.REPLAY, Mode.RECORD))
    told_refusal = "session default is in mode replay, and nobody can ask for live: "
    for name, body, path in (
        ("put_session", {"mode": "live"}, "default"),
        ("post_scope", {"client": "gw0", "mode": "live"}, ""),
    ):
        status, code, message = refused(api, name, body, path)
        assert (status, code) == (403, "forbidden")
        assert message.startswith(told_refusal)
    scope = ask(api, "post_scope", {"client": "gw0", "mode": "record"})
    assert refused(api, "patch_scope", {"mode": "live"}, scope["id"])[0] == 403
    assert proxy.overriding.overrides.scopes["gw0"].override.mode is Mode.RECORD


def test_a_mode_that_a_session_does_not_have_is_refused(proxy: Told, api: Api) -> None:
    proxy.sessions = configured(a=Session("a", modes=(Mode.REPLAY,)))
    assert refused(api, "put_session", {"mode": "record"}, "a")[:2] == (422, "invalid")


def test_what_is_not_in_force_everywhere_is_no_success(proxy: Told, api: Api) -> None:
    proxy.overriding.fails_with = NotInForceError("worker 2 did not answer")
    assert refused(api, "post_scope", {"client": "gw0"}) == (503, "not_in_force", "worker 2 did not answer")


def test_a_store_that_is_away_is_told(proxy: Told, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: str) -> None:
        raise StoreAwayError("s3://bucket: no answer")

    monkeypatch.setattr(proxy.store_, "scan", away)
    assert refused(api, "recordings", path="default") == (503, "unavailable", "s3://bucket: no answer")


# -- scopes ------------------------------------------------------------------------------------------------------------


def test_a_scope_begins_changes_and_ends_with_its_account(proxy: Told, api: Api) -> None:
    scope = ask(api, "post_scope", {"client": "gw0", "session": "default", "test_id": "test_a", "isolated": True})
    held = proxy.overriding.overrides.scopes["gw0"]
    assert (held.id, held.test_id, held.is_isolated) == (scope["id"], "test_a", True)
    assert ask(api, "scopes")["scopes"] == [scope]
    assert ask(api, "patch_scope", {"pace": "recorded"}, scope["id"]) == {**scope, "pace": "recorded"}
    proxy.tell(scope=scope["id"], recording=CHAT.stem, recorded_in="default")
    proxy.tell(Outcome.MISS, scope=scope["id"], miss=MissTold(nearest="x"))
    proxy.tell(scope="another")
    so_far = ask(api, "scope", path=scope["id"])
    assert (so_far["is_open"], so_far["calls"], so_far["hits"]) == (True, 2, 1)
    account = ask(api, "delete_scope", path=scope["id"])
    assert account == {**so_far, "is_open": False}
    assert not proxy.overriding.overrides
    proxy.tell(scope=scope["id"])
    assert ask(api, "delete_scope", path=scope["id"]) == account, "who asks again gets the same"
    assert ask(api, "scope", path=scope["id"]) == account
    assert refused(api, "patch_scope", {}, scope["id"])[:2] == (404, "not_found")


def test_a_second_scope_of_a_client_ends_the_first(proxy: Told, api: Api) -> None:
    first = ask(api, "post_scope", {"client": "gw0"})
    proxy.tell(scope=first["id"])
    second = ask(api, "post_scope", {"client": "gw0"})
    ask(api, "post_scope", {"client": "gw1"})
    assert [each["client"] for each in ask(api, "scopes")["scopes"]] == ["gw0", "gw1"]
    assert ask(api, "scopes")["scopes"][0]["id"] == second["id"]
    ended = ask(api, "scope", path=first["id"])
    assert (ended["is_open"], ended["calls"]) == (False, 1)


def test_recordings_of_a_scope_that_nobody_asked_for(proxy: Told, api: Api) -> None:
    content = json.loads(CHAT.read_bytes())
    folder = Path(proxy.store_.url) / "default" / "responses"
    for name, test_id in (("of-a", "test_a"), ("of-b", "test_b")):
        (folder / f"{name}.json").write_text(json.dumps({"test_id": test_id, **content}))

    def unused(*asked: str, **scope: Any) -> list[str]:
        made = ask(api, "post_scope", {"client": "gw0", "session": "default", **scope})
        for name in asked:
            proxy.tell(scope=made["id"], recording=name, recorded_in="default")
        return [each["name"] for each in ask(api, "delete_scope", path=made["id"])["unused"]]

    assert unused(test_id="test_a") == ["of-a"]
    assert unused("of-a", test_id="test_a") == []
    assert unused("of-a") == sorted([CHAT.stem, "of-b"]), "a scope of no test has all of its session"


def test_takes_begin_again_everywhere(proxy: Told, api: Api) -> None:
    assert ask(api, "rewind") == {}
    assert proxy.overriding.rewound == 1


def test_there_are_so_many_scopes_at_most(api: Api) -> None:
    for number in range(1000):
        ask(api, "post_scope", {"client": f"gw{number}"})
    assert refused(api, "post_scope", {"client": "one-more"})[:2] == (409, "too_many")
