"""What the API answers to whoever may ask: it knows no HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controlling import RUN, Told, asked, configured, refused, told
from samples import CHAT, load
from wiretape.call_log.call import MissTold, Outcome
from wiretape.control.api import Api, start
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


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Told]:
    with told(tmp_path) as proxy:
        yield proxy


@pytest.fixture
def api(proxy: Told) -> Api:
    return Api(proxy)


# -- what is there -----------------------------------------------------------------------------------------------------


def test_the_state_has_the_counters_of_each_session_and_their_sum(proxy: Told, api: Api) -> None:
    proxy.ledger.of("a").hits = 2
    proxy.ledger.of("b").hits = 3
    status = asked(api, "status")
    assert status["counters"]["a"]["hits"] == 2
    assert status["total"]["hits"] == 5
    assert status["run"] == RUN
    assert status["proxy"] == "http://127.0.0.1:8080"
    assert status["uptime_s"] > 1e9, "it has begun at the beginning of 1970"


def test_calls_come_page_by_page_by_session_scope_and_time(proxy: Told, api: Api) -> None:
    for number in range(5):
        proxy.tell(request=str(number), session="a" if number % 2 else "b", scope="s" if number > 2 else "")

    def found(**query: str) -> list[str]:
        return [call["request"] for call in asked(api, "calls", **query)["calls"]]

    assert found() == ["0", "1", "2", "3", "4"]
    assert found(limit="2") == ["3", "4"], "without a place, the newest"
    assert found(since="0", limit="2") == ["0", "1"]
    assert found(since="2", limit="2") == ["2", "3"]
    assert found(session="a") == ["1", "3"]
    assert found(scope="s") == ["3", "4"]
    assert found(since="2027-01-15T08:00:00Z") == ["0", "1", "2", "3", "4"]
    assert found(since="2027-01-15T09:00:00.000 01:00") == ["0", "1", "2", "3", "4"], "a plus that came as a blank"
    assert found(since="2027-01-15T08:00:01Z") == []
    assert asked(api, "calls", since="2027-01-15T08:00:01Z")["next"] == 5
    assert asked(api, "calls", since="1", limit="2")["next"] == 3
    assert asked(api, "calls", since="5")["next"] == 5


@pytest.mark.parametrize("since", ["yesterday", "-1", "1.5", "٣", "2027-13-01T00:00:00Z"])
def test_a_place_that_is_none_is_refused(since: str) -> None:
    with pytest.raises(ApiError, match="since: it is the id of a call, or a time of RFC 3339"):
        start(since)


def test_a_hit_has_the_request_and_the_answer_of_its_recording(proxy: Told, api: Api) -> None:
    proxy.tell(recording=CHAT.stem, recorded_in="default")
    told_call = asked(api, "call", path="1")
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
    found = asked(api, "call", path="1")
    assert found["request"]["model"] == request.model
    assert found["answer"] is None
    assert asked(api, "call", path="2")["request"] is None


def test_a_call_whose_recording_has_gone_is_told_without_it(proxy: Told, api: Api) -> None:
    proxy.tell(recording="gone")
    assert asked(api, "call", path="1") == {
        "call": asked(api, "calls")["calls"][0],
        "request": None,
        "answer": None,
    }


def test_recordings_tell_whether_they_were_asked_for(proxy: Told, api: Api) -> None:
    (row,) = asked(api, "recordings", path="default")["recordings"]
    assert row["name"] == CHAT.stem
    assert (row["asked_in_run"], row["asked_ever"]) == (False, False)
    # Another session stands on this one.
    proxy.tell(session="above", recording=CHAT.stem, recorded_in="default")
    (row,) = asked(api, "recordings", path="default")["recordings"]
    assert (row["asked_in_run"], row["asked_ever"]) == (True, True)
    (row,) = asked(api, "recordings", path="default", run="another")["recordings"]
    assert (row["asked_in_run"], row["asked_ever"]) == (False, True)
    assert asked(api, "recordings", path="empty")["recordings"] == []


# -- what holds --------------------------------------------------------------------------------------------------------


def test_what_holds_for_a_session_is_put_whole_and_taken_back(proxy: Told, api: Api) -> None:
    assert asked(api, "put_session", {"mode": "record", "pace": "2x"}, "a") == {"mode": "record", "pace": "2x"}
    assert asked(api, "put_session", {"takes": "first"}, "a") == {"takes": "first"}
    assert proxy.overriding.overrides.sessions["a"].mode is None
    assert asked(api, "delete_session", path="a") == {}
    assert not proxy.overriding.overrides
    assert asked(api, "delete_session", path="a") == {}


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
    scope = asked(api, "post_scope", {"client": "gw0", "mode": "record"})
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


def test_takes_begin_again_everywhere(proxy: Told, api: Api) -> None:
    assert asked(api, "rewind") == {}
    assert proxy.overriding.rewound == 1
