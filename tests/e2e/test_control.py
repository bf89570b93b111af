"""The control API of real proxies: what a test suite, a page or a program asks of them, and what holds from then on."""

import os
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from forked import wiretape
from harness import Mitmdump, openai_client
from loopback import Provider, from_recording
from places import SHIPPED
from samples import CHAT, FIREWORKS_CHAT, call, chunks_of, dumped, load
from serving import Serve
from wiretape.cluster.balancer import Balance, has_reuseport
from wiretape.control.client import ControlClient, ControlError
from wiretape.sessions import token_file
from wiretape.sessions.model import Role
from wiretape.sessions.tokens import Tokens

CONTENT = load(CHAT)
NOBODY: dict[str, Any] = {"model": "another", "messages": []}


def control(proxy: Mitmdump, token: str = "") -> ControlClient:
    return ControlClient(proxy.wait_for_log(r"control API at (http://127\.0\.0\.1:\d+)")[1], token)


def ask(client: openai.OpenAI) -> None:
    assert [dumped(chunk) for chunk in call(client, CONTENT)] == chunks_of(CONTENT)


def miss(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(**NOBODY)


@pytest.fixture(scope="module")
def replaying() -> Iterator[Mitmdump]:
    with Mitmdump(SHIPPED, "replay", options={"wiretape_control": "0"}) as proxy:
        yield proxy


def test_two_clients_have_scopes_side_by_side_in_tunnels_that_stay_open(replaying: Mitmdump) -> None:
    with (
        control(replaying) as api,
        openai_client(replaying, credentials="gw0", max_retries=0) as one,
        openai_client(replaying, credentials="gw1", max_retries=0) as other,
    ):
        first = api.open_scope("gw0", session="default", test_id="test_a")
        ask(one)
        second = api.open_scope("gw1", session="default", test_id="test_b")
        ask(other)
        miss(other)
        account = api.end_scope(first["id"])
        assert (account["hits"], account["misses"], account["calls"]) == (1, [], 1)
        # The same client again, in the tunnel that it has: now in another scope.
        third = api.open_scope("gw0", session="default", test_id="test_c")
        ask(one)
        ask(one)
        account = api.end_scope(third["id"])
        assert (account["hits"], account["test_id"]) == (2, "test_c")
        account = api.end_scope(second["id"])
        assert account["hits"] == 1
        (told,) = account["misses"]
        assert told["test_id"] == "test_b"
        assert told["miss"]["nearest"] or told["miss"]["difference"]
        assert account["tokens"]["output"] > 0
        assert api.status()["proxy"] == replaying.proxy_url


def test_a_call_is_told_as_it_comes_with_its_request_and_its_answer(replaying: Mitmdump) -> None:
    came: list[dict[str, Any]] = []
    with control(replaying) as api, openai_client(replaying, max_retries=0) as client:
        events = api.events(since=api.calls()["next"])
        reader = threading.Thread(target=lambda: came.extend(next(events) for _ in range(2)), daemon=True)
        reader.start()
        ask(client)
        miss(client)
        reader.join(60)
        hit, missed = came
        assert (hit["outcome"], hit["recording"], hit["model"]) == ("hit", CHAT.stem, CONTENT["request"]["model"])
        assert hit["total_ms"] >= hit["first_byte_ms"] >= 0
        assert missed["outcome"] == "miss"
        kept = api.call(hit["id"])
        assert kept["answer"]["text"]
        assert kept["request"]["body"]["messages"] == CONTENT["request"]["body"]["messages"]
        assert api.call(missed["id"])["request"]["model"] == "another"


def test_what_is_put_for_a_session_holds_until_it_is_taken_back(replaying: Mitmdump) -> None:
    fault = {"status": 429, "retry_after": 1}
    with control(replaying) as api, openai_client(replaying, max_retries=0) as client:
        ask(client)
        assert api.set_session("default", faults=[fault]) == {"faults": [fault]}
        with pytest.raises(openai.RateLimitError):
            ask(client)
        api.reset_session("default")
        ask(client)
        with pytest.raises(ControlError, match="nobody can ask for live") as raised:
            api.set_session("default", mode="live")
        assert raised.value.status == 403
    replaying.assert_sound()


def test_a_recording_of_an_isolated_scope_is_its_tests_alone(recordings: Path, provider: Provider) -> None:
    provider.on(FIREWORKS_CHAT, from_recording(CHAT))
    on = {"wiretape_control": "0", "wiretape_format": "2026"}
    with (
        Mitmdump(recordings, "record-if-missing", origin=provider, options=on) as proxy,
        control(proxy) as api,
        openai_client(proxy, credentials="gw0", max_retries=0) as client,
    ):
        scope = api.open_scope("gw0", session="checkout", test_id="test_a", isolated=True)
        call(client, CONTENT)
        account = api.end_scope(scope["id"])
        (name,) = account["recorded"]
        (row,) = api.recordings("checkout")["recordings"]
        assert (row["name"], row["test_id"], row["asked_in_run"]) == (name, "test_a", True)
        scope = api.open_scope("gw0", session="checkout", test_id="test_a", isolated=True)
        assert [each["name"] for each in api.end_scope(scope["id"])["unused"]] == [name]


def test_with_tokens_the_api_needs_one_and_gives_what_it_is_good_for(tmp_path: Path) -> None:
    reading, content = Tokens().create("default", Role.READ)
    writing, content = content.create("default", Role.WRITE)
    token_file.write(tmp_path / "tokens.toml", content)
    # At one address they are one server.
    pages = {"wiretape_control": "127.0.0.1:0", "wiretape_metrics": "127.0.0.1:0"}
    options = {**pages, "wiretape_tokens": str(tmp_path / "tokens.toml")}
    with Mitmdump(SHIPPED, "replay", options=options) as proxy:
        with control(proxy) as nobody, pytest.raises(ControlError, match="needs a token of the proxy's"):
            nobody.status()
        with control(proxy, reading.text) as api:
            assert api.status()["mode"] == "replay"
            assert f"counters at {api._url}/metrics" in proxy.log()
            with pytest.raises(ControlError, match="needs a token of the role write"):
                api.open_scope("gw0")
        with (
            control(proxy, writing.text) as api,
            openai_client(proxy, credentials=f"gw0:{reading.text}", max_retries=0) as client,
        ):
            scope = api.open_scope("gw0", session="default")
            ask(client)
            assert api.end_scope(scope["id"])["hits"] == 1
        proxy.stop()
        assert reading.text not in proxy.log()


PROGRAM = """
import os, sys, urllib.request
from wiretape.control.client import ControlClient
with ControlClient(os.environ["WIRETAPE_CONTROL"]) as api:
    print(api.status()["mode"], api.open_scope("gw0")["client"])
# What reads proxy variables goes past the proxy.
print(urllib.request.urlopen(os.environ["WIRETAPE_CONTROL"] + "/healthz").read().decode().strip())
"""


@pytest.mark.parametrize("how", [(), ("--isolate=yes", "--allow", "none")], ids=["beside", "isolated"])
def test_a_command_of_run_finds_the_api(how: tuple[str, ...]) -> None:
    if how and not sys.platform.startswith("linux"):
        pytest.skip("there is no isolation")
    flags = ["--mode", "replay", "--no-fail-on-silence", "--recordings", str(SHIPPED), *(how or ("--isolate=no",))]
    done = wiretape("run", *flags, "--", sys.executable, "-P", "-c", PROGRAM)
    if "--isolate: " in done.stderr:
        pytest.skip("this system lets nothing be isolated")
    assert done.stdout.splitlines() == ["replay gw0", "ok"], done.stderr
    assert done.returncode == 0


@pytest.mark.skipif(not has_reuseport(), reason="the kernel cannot balance")
def test_a_scope_holds_for_all_workers_and_its_account_has_what_each_has_served() -> None:
    workers = Serve(SHIPPED, "replay", workers=2, balance=Balance.REUSEPORT, args=["--control", "127.0.0.1:0"])
    with workers as team, control(team) as api:
        team.wait_for_workers(2)
        scope = api.open_scope("gw0", session="default", test_id="test_a")
        served: set[str] = set()
        asked = 0
        # The kernel chooses a worker for each connection.
        while len(served) < 2:
            with openai_client(team, credentials="gw0", max_retries=0) as client:
                ask(client)
                asked += 1
            served = {*re.findall(r"^\[(\d)\] .*hit ", team.log(), re.MULTILINE)}
        account = api.end_scope(scope["id"])
        assert (account["hits"], account["calls"]) == (asked, asked), team.log()
        status = api.status()
        assert (status["workers"], len(status["pids"])) == (2, 2)
        assert {*status["pids"]} == {*team.workers()}
        with openai_client(team, credentials="gw0", max_retries=0) as client:
            miss(client)  # The scope has ended: it is a session of that name, which has nothing.
        assert api.scope(scope["id"])["calls"] == asked
        assert os.getpid() not in status["pids"]
