"""Equal requests at once: the provider is asked once, the others get its answer as it comes."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import httpx2
import openai
import pytest

from harness import Mitmdump, openai_client, wait_until
from loopback import Answer, Coding, Provider, Received, Reset, Wait, error_answer, from_recording, json_answer
from samples import CHAT, FIREWORKS_CHAT, chunks_of, dumped, load
from sharing import Shared
from talk import URL, body, httpx_client, post, question

BODY = load(CHAT)["request"]["body"]
ALL = chunks_of(load(CHAT))
CHOICE = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
WHOLE = {"id": "x-1", "object": "chat.completion", "created": 1758920391, "model": "m", "choices": [CHOICE]}


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


def test_what_depends_on_who_asks_or_when_is_for_those_who_waited_with_the_same_credentials(
    provider: Provider, pool: ThreadPoolExecutor, shared: Shared
) -> None:
    go_on = threading.Event()
    refused = replace(error_answer(429, "slow down"), before=[Wait(go_on)])

    def answer(received: Received) -> Answer:
        is_refused = received.header("authorization") == "Bearer poor"
        return refused if is_refused else json_answer(WHOLE)

    provider.on(FIREWORKS_CHAT, answer)
    with shared.lent("record-if-missing", provider) as proxy, httpx_client(proxy) as client:
        asking = [pool.submit(post, client, "Hello", authorization="Bearer poor")]
        provider.wait_for_requests(1)
        keys = ["poor", "rich", "richer", "poor"]
        asking += [pool.submit(post, client, "Hello", authorization=f"Bearer {key}") for key in keys]
        proxy.wait_for_log(r"(waiting for the answer to an equal request[\s\S]*){4}")
        go_on.set()
        assert [each.result().status_code for each in asking] == [429, 429, 200, 200, 429]
        asked = sorted(str(each.header("authorization")) for each in provider.requests)
        assert asked == ["Bearer poor", "Bearer rich", "Bearer richer"]
        proxy.wait_for_log("recorded")
        assert post(client, "Hello", authorization="Bearer poor").status_code == 200


def test_who_asks_after_it_asks_again(provider: Provider, pool: ThreadPoolExecutor, shared: Shared) -> None:
    """Its head has come, and the rest has not: it is still under way."""
    go_on = threading.Event()
    provider.on(FIREWORKS_CHAT, error_answer(503, "down").insert(0, Wait(go_on)), json_answer(WHOLE))
    with shared.lent("record-if-missing", provider) as proxy, httpx_client(proxy) as client:
        with client.stream("POST", URL, json=body("Hello", stream=False)) as leading:
            assert leading.status_code == 503
            assert post(client, "Hello").status_code == 200
            go_on.set()
        proxy.wait_for_log("not recorded")


def test_a_retry_is_asked_though_the_error_is_kept(provider: Provider, recordings: Path) -> None:
    refused = error_answer(429, "slow down", headers=(("retry-after-ms", "1"),))
    provider.on(FIREWORKS_CHAT, refused, refused, from_recording(CHAT))
    options = {"wiretape_record_errors": "true"}
    with (
        Mitmdump(recordings, "record-if-missing", origin=provider, options=options) as proxy,
        openai_client(proxy, max_retries=2) as client,
    ):
        for _ in range(3):
            answer = client.chat.completions.create(**BODY)
            assert [dumped(chunk) for chunk in answer] == ALL
            wait_until(lambda: any(b"Chunk" in path.read_bytes() for path in recordings.rglob("responses/*.json")))
    assert len(provider.requests) == 3


CODINGS: tuple[Coding, ...] = ("gzip", "br", "zstd")


def test_each_gets_what_it_can_read_as_it_comes(provider: Provider, pool: ThreadPoolExecutor, shared: Shared) -> None:
    def read(client: httpx.Client, coding: str, accepted: str, seen: list[bytes]) -> httpx.Headers:
        sent = {"accept-encoding": accepted, "authorization": f"Bearer {accepted!r}"}
        with client.stream("POST", URL, json=body(coding), headers=sent) as answer:
            for piece in answer.iter_bytes():
                seen.append(piece)
        return answer.headers

    plain, held = from_recording(CHAT), {coding: threading.Event() for coding in CODINGS}
    begun = b"".join(step for step in plain.steps[:3] if isinstance(step, bytes))
    coded = {each: replace(plain, coding=each).insert(3, Wait(held[each])) for each in CODINGS}
    provider.on(FIREWORKS_CHAT, lambda received: coded[question(received.json())])  # type: ignore[index]
    with shared.lent("record-if-missing", provider) as proxy, httpx_client(proxy) as client:
        for coding in CODINGS:
            accepts = [coding, f"{coding};q=0.5, identity", "identity", f"*, {coding};q=0", ""]
            seen: list[list[bytes]] = [[] for _ in accepts]
            asking = []
            for accepted, pieces in zip(accepts, seen, strict=True):
                asking.append(pool.submit(read, client, coding, accepted, pieces))
                # Before the rest has come, in whatever form.
                wait_until(lambda pieces=pieces: b"".join(pieces) == begun)  # type: ignore[misc]
            held[coding].set()
            headers = [each.result() for each in asking]
            assert [each.get("content-encoding") for each in headers] == [coding, coding, None, None, None]
            # What it tells of who leads is for nobody else.
            assert ["set-cookie" in each for each in headers] == [True, False, False, False, False]
            assert {b"".join(pieces) for pieces in seen} == {plain.body}
        assert len(provider.requests) == len(CODINGS)


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
