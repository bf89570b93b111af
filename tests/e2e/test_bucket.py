"""Proxies that share a bucket: real mitmdump processes, a real S3 server, real SDK clients."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import pytest

from harness import Mitmdump, openai_client, wait_until
from loopback import Provider, Wait, from_recording
from s3 import BUCKET, S3Server
from samples import CHAT, FIREWORKS_CHAT, chunks_of, dumped, load
from wiretape.store.opening import StoreUrl

BODY: dict[str, Any] = {key: value for key, value in load(CHAT)["request"]["body"].items() if value != {}}
ALL = chunks_of(load(CHAT))
NAME = CHAT.stem


def ask(proxy: Mitmdump) -> list[Any]:
    with openai_client(proxy, max_retries=0) as client:
        return stream(client)


def stream(client: openai.OpenAI) -> list[Any]:
    return [dumped(chunk) for chunk in client.chat.completions.create(**BODY)]


@pytest.fixture
def server() -> Iterator[S3Server]:
    """One of the test's own, whose objects survive that it is killed."""
    with S3Server("rclone") as server:
        yield server


class Team:
    """Proxies on one bucket."""

    def __init__(self, server: S3Server, provider: Provider, tmp_path: Path, prefix: str) -> None:
        self.url = f"s3://{BUCKET}/{prefix}"
        self._server, self._provider, self._tmp_path = server, provider, tmp_path

    def proxy(self, mode: str, name: str = "one", **options: str) -> Mitmdump:
        env = self._server.env
        chosen = {"wiretape_local": str(self._tmp_path / name), **options}
        origin = None if mode == "replay" else self._provider
        return Mitmdump(self.url, mode, origin=origin, options=chosen, env=env)

    def stored(self, monkeypatch: pytest.MonkeyPatch, name: str = NAME) -> bytes | None:
        for key, value in self._server.env.items():
            monkeypatch.setenv(key, value)
        store = StoreUrl(self.url, str(self._tmp_path / "looking")).open()
        try:
            return store.read("default", name)
        finally:
            store.close()


@pytest.mark.parametrize("kind", ["moto", "rclone"])
def test_what_one_proxy_records_another_replays_without_a_restart(
    kind: str, request: pytest.FixtureRequest, provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.on(FIREWORKS_CHAT, from_recording(CHAT))
    team = Team(request.getfixturevalue(kind), provider, tmp_path, f"shared-{tmp_path.name}")
    with team.proxy("record-if-missing", "one") as one, team.proxy("replay", "two") as two:
        with pytest.raises(openai.BadRequestError, match="no recording"):
            ask(two)
        assert ask(one) == ALL
        one.wait_for_log(f"recorded {NAME}")
        # It was looked up before: within two seconds.
        assert wait_until(lambda: _hit(two)) == ALL
        assert not two.connects() or all("127.0.0.1" in host for host in two.connects())
    assert team.stored(monkeypatch) == CHAT.read_bytes()
    assert len(provider.requests) == 1


def _hit(proxy: Mitmdump) -> list[Any] | None:
    try:
        return ask(proxy)
    except (openai.BadRequestError, openai.InternalServerError):  # Not there yet, or the bucket is not there yet.
        return None


def test_two_proxies_that_record_the_same_at_once_leave_one_whole_recording(
    moto: S3Server, provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    provider.on(FIREWORKS_CHAT, from_recording(CHAT).insert(3, Wait(go_on)))
    team = Team(moto, provider, tmp_path, f"race-{tmp_path.name}")
    with (
        team.proxy("record-if-missing", "one") as one,
        team.proxy("record-if-missing", "two") as two,
        openai_client(one) as first,
        openai_client(two) as second,
        ThreadPoolExecutor(2) as pool,
    ):
        asked = [pool.submit(stream, client) for client in (first, second)]
        provider.wait_for_requests(2)
        go_on.set()
        assert [each.result() for each in asked] == [ALL, ALL]
        for proxy in (one, two):
            proxy.wait_for_log(f"recorded {NAME}")
    assert team.stored(monkeypatch) == CHAT.read_bytes()


def test_while_the_bucket_is_away_live_traffic_flows_and_recordings_wait(
    server: S3Server, provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.on(FIREWORKS_CHAT, from_recording(CHAT))
    team = Team(server, provider, tmp_path, "away")
    with team.proxy("record-if-missing", "one") as one, team.proxy("replay", "two") as two:
        server.kill()
        assert ask(one) == ALL
        one.wait_for_log(f"recorded {NAME}")
        # What waits is served by who has it, and by nobody else; who cannot look up does not say "not found".
        assert ask(one) == ALL
        with pytest.raises(openai.APIStatusError) as raised:
            ask(two)
        assert raised.value.status_code == 503
        assert raised.value.code == "recordings_unavailable"
        two.wait_for_log("cannot be looked up")
        server.start()
        assert wait_until(lambda: team.stored(monkeypatch)) == CHAT.read_bytes()
        assert wait_until(lambda: _hit(two)) == ALL
    assert len(provider.requests) == 1


def test_what_waits_goes_up_after_a_restart(
    server: S3Server, provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.on(FIREWORKS_CHAT, from_recording(CHAT))
    team = Team(server, provider, tmp_path, "restart")
    server.kill()
    with team.proxy("record") as proxy:
        assert ask(proxy) == ALL
        proxy.wait_for_log(f"recorded {NAME}")
        proxy.stop()
        assert "wait in" in proxy.log()
    server.start()
    with team.proxy("record-if-missing"):
        assert wait_until(lambda: team.stored(monkeypatch)) == CHAT.read_bytes()
