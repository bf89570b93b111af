"""Scopes, from their begins to their accounts, as the API has them."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controlling import Told, asked, refused, told
from samples import CHAT
from wiretape.call_log.call import MissTold, Outcome
from wiretape.control.api import Api
from wiretape.control.overriding import NotInForceError


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Told]:
    with told(tmp_path) as proxy:
        yield proxy


@pytest.fixture
def api(proxy: Told) -> Api:
    return Api(proxy)


def test_a_scope_begins_changes_and_ends_with_its_account(proxy: Told, api: Api) -> None:
    scope = asked(api, "post_scope", {"client": "gw0", "session": "default", "test_id": "test_a", "isolated": True})
    held = proxy.overriding.overrides.scopes["gw0"]
    assert (held.id, held.test_id, held.is_isolated) == (scope["id"], "test_a", True)
    assert asked(api, "scopes")["scopes"] == [scope]
    assert asked(api, "patch_scope", {"pace": "recorded"}, scope["id"]) == {**scope, "pace": "recorded"}
    proxy.tell(scope=scope["id"], recording=CHAT.stem, recorded_in="default")
    proxy.tell(Outcome.MISS, scope=scope["id"], miss=MissTold(nearest="x"))
    proxy.tell(scope="another")
    so_far = asked(api, "scope", path=scope["id"])
    assert (so_far["is_open"], so_far["calls"], so_far["hits"]) == (True, 2, 1)
    account = asked(api, "delete_scope", path=scope["id"])
    assert account == {**so_far, "is_open": False}
    assert not proxy.overriding.overrides
    proxy.tell(scope=scope["id"])
    assert asked(api, "delete_scope", path=scope["id"]) == account, "who asks again gets the same"
    assert asked(api, "scope", path=scope["id"]) == account
    assert refused(api, "patch_scope", {}, scope["id"])[:2] == (404, "not_found")


def test_an_end_that_fails_half_way_can_be_asked_for_again(
    proxy: Told, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = asked(api, "post_scope", {"client": "gw0"})
    proxy.tell(scope=scope["id"])

    def fail() -> None:
        raise NotInForceError("worker 2 did not answer")

    with monkeypatch.context() as failing:
        failing.setattr(proxy.overriding, "flush", fail)
        assert refused(api, "delete_scope", path=scope["id"])[:2] == (503, "not_in_force")
    assert not proxy.overriding.overrides, "it has ended all the same"
    assert asked(api, "delete_scope", path=scope["id"])["calls"] == 1


def test_the_end_of_one_scope_holds_up_no_other(proxy: Told, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    scope = asked(api, "post_scope", {"client": "gw0"})
    waiting = threading.Event()
    go_on = threading.Event()

    def wait() -> None:
        waiting.set()
        assert go_on.wait(60)

    monkeypatch.setattr(proxy.overriding, "flush", wait)
    ending = threading.Thread(target=lambda: asked(api, "delete_scope", path=scope["id"]))
    ending.start()
    assert waiting.wait(60)
    asked(api, "post_scope", {"client": "gw1"})
    go_on.set()
    ending.join(60)
    assert not ending.is_alive()


def test_a_second_scope_of_a_client_ends_the_first(proxy: Told, api: Api) -> None:
    first = asked(api, "post_scope", {"client": "gw0"})
    proxy.tell(scope=first["id"])
    second = asked(api, "post_scope", {"client": "gw0"})
    asked(api, "post_scope", {"client": "gw1"})
    assert [each["client"] for each in asked(api, "scopes")["scopes"]] == ["gw0", "gw1"]
    assert asked(api, "scopes")["scopes"][0]["id"] == second["id"]
    ended = asked(api, "scope", path=first["id"])
    assert (ended["is_open"], ended["calls"]) == (False, 1)


def test_recordings_of_a_scope_that_nobody_asked_for(proxy: Told, api: Api) -> None:
    content = json.loads(CHAT.read_bytes())
    folder = Path(proxy.store_.url) / "default" / "responses"
    for name, test_id in (("of-a", "test_a"), ("of-b", "test_b")):
        (folder / f"{name}.json").write_text(json.dumps({"test_id": test_id, **content}))

    def unused(*hit: str, **scope: Any) -> list[str]:
        made = asked(api, "post_scope", {"client": "gw0", "session": "default", **scope})
        for name in hit:
            proxy.tell(scope=made["id"], recording=name, recorded_in="default")
        return [each["name"] for each in asked(api, "delete_scope", path=made["id"])["unused"]]

    assert unused(test_id="test_a") == ["of-a"]
    assert unused("of-a", test_id="test_a") == []
    assert unused("of-a") == sorted([CHAT.stem, "of-b"]), "a scope of no test has all of its session"


def test_there_are_so_many_scopes_at_most(api: Api) -> None:
    for number in range(1000):
        asked(api, "post_scope", {"client": f"gw{number}"})
    assert refused(api, "post_scope", {"client": "one-more"})[:2] == (409, "too_many")
