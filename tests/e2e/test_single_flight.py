"""Equal requests at once: the provider is asked once, the others get its answer as it comes."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx2
import openai
import pytest

from harness import Mitmdump, openai_client, wait_until
from loopback import Provider, Reset, Wait, error_answer, from_recording
from samples import CHAT, FIREWORKS_CHAT, chunks_of, dumped, load

BODY = load(CHAT)["request"]["body"]
ALL = chunks_of(load(CHAT))


class Client:
    """A client in a thread of its own, whose chunks can be looked at while they come."""

    def __init__(self, proxy: Mitmdump) -> None:
        self.chunks: list[object] = []
        # Made here and not in the thread: it takes proxy and CA from the environment, which is the process's.
        self._client = openai_client(proxy, max_retries=0)

    def ask(self) -> list[object]:
        with self._client as client:
            for chunk in client.chat.completions.create(**BODY):
                self.chunks.append(dumped(chunk))
        return self.chunks


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def followers(proxy: Mitmdump, pool: ThreadPoolExecutor, count: int) -> list[tuple[Client, Future[list[object]]]]:
    clients = [Client(proxy) for _ in range(count)]
    started = [(client, pool.submit(client.ask)) for client in clients]
    proxy.wait_for_log(rf"(following an equal request[\s\S]*){{{count}}}")
    return started


def test_followers_get_the_pieces_as_they_come(provider: Provider, pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    go_on = threading.Event()
    provider.on(FIREWORKS_CHAT, from_recording(CHAT).insert(3, Wait(go_on)))
    with Mitmdump(tmp_path / "recordings", "record-if-missing", origin=provider) as proxy:
        leader = Client(proxy)
        leading = pool.submit(leader.ask)
        wait_until(lambda: len(leader.chunks) == 3)
        following = followers(proxy, pool, 4)
        for client, _ in following:
            # From the first on, and before the provider has sent the rest.
            wait_until(lambda client=client: client.chunks == ALL[:3])  # type: ignore[misc]
        go_on.set()
        assert leading.result() == ALL
        assert [each.result() for _, each in following] == [ALL] * 4
        proxy.stop()
        assert "4 followed an equal one" in proxy.log()
    assert len(provider.requests) == 1
    assert (tmp_path / "recordings" / "default" / "responses" / CHAT.name).read_bytes() == CHAT.read_bytes()


def test_followers_that_come_before_the_answers_head(
    provider: Provider, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    go_on = threading.Event()
    provider.on(FIREWORKS_CHAT, from_recording(CHAT).insert(0, Wait(go_on)))
    with Mitmdump(tmp_path / "recordings", "record-if-missing", origin=provider) as proxy:
        leading = pool.submit(Client(proxy).ask)
        provider.wait_for_requests(1)
        following = followers(proxy, pool, 3)
        go_on.set()
        assert [each.result() for each in (leading, *(each for _, each in following))] == [ALL] * 4
    assert len(provider.requests) == 1


def test_when_the_leader_fails_so_do_they(provider: Provider, pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    go_on = threading.Event()
    provider.on(FIREWORKS_CHAT, from_recording(CHAT).insert(3, Wait(go_on), Reset()))
    with Mitmdump(tmp_path / "recordings", "record-if-missing", origin=provider) as proxy:
        leader = Client(proxy)
        leading = pool.submit(leader.ask)
        wait_until(lambda: len(leader.chunks) == 3)
        following = followers(proxy, pool, 2)
        go_on.set()
        for each in (leading, *(each for _, each in following)):
            with pytest.raises((openai.APIError, httpx2.TransportError)):
                each.result()
        proxy.wait_for_log("not recorded")
    assert len(provider.requests) == 1
    assert not [*(tmp_path / "recordings").rglob("*.json")]


def test_an_error_is_everybodys_and_the_next_one_asks_again(
    provider: Provider, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    go_on = threading.Event()
    provider.on(FIREWORKS_CHAT, error_answer(429, "slow down").insert(0, Wait(go_on)), from_recording(CHAT))
    with Mitmdump(tmp_path / "recordings", "record-if-missing", origin=provider) as proxy:
        leading = pool.submit(Client(proxy).ask)
        provider.wait_for_requests(1)
        following = followers(proxy, pool, 2)
        go_on.set()
        for each in (leading, *(each for _, each in following)):
            with pytest.raises(openai.RateLimitError, match="slow down"):
                each.result()
        proxy.wait_for_log("not recorded")
        assert Client(proxy).ask() == ALL


def test_a_follower_that_leaves_disturbs_nobody(provider: Provider, pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    go_on = threading.Event()
    provider.on(FIREWORKS_CHAT, from_recording(CHAT).insert(3, Wait(go_on)))
    with Mitmdump(tmp_path / "recordings", "record-if-missing", origin=provider) as proxy:
        leader = Client(proxy)
        leading = pool.submit(leader.ask)
        wait_until(lambda: len(leader.chunks) == 3)
        with openai_client(proxy, max_retries=0) as leaving:
            stream = leaving.chat.completions.create(**BODY)
            next(iter(stream))
            stream.close()
        proxy.wait_for_log("client disconnect")
        go_on.set()
        assert leading.result() == ALL
        proxy.stop()
        assert "Traceback" not in proxy.log()


def test_turned_off_each_asks_for_itself(provider: Provider, pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    go_on = threading.Event()
    provider.on(FIREWORKS_CHAT, from_recording(CHAT).insert(0, Wait(go_on)))
    options = {"wiretape_single_flight": "false"}
    with Mitmdump(tmp_path / "recordings", "record-if-missing", origin=provider, options=options) as proxy:
        asking = [pool.submit(Client(proxy).ask) for _ in range(3)]
        provider.wait_for_requests(3)
        go_on.set()
        assert [each.result() for each in asking] == [ALL] * 3
