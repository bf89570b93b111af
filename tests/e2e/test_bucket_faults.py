"""A bucket that is slow or wrong, behind real proxies: nobody gets what was not written, nobody waits for another."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from between import Between, Fault, Request
from harness import Mitmdump, wait_until
from loopback import Provider
from s3 import BUCKET, S3Server
from talk import Talk, httpx_client, post, said

TEXTS = [f"question {number}" for number in range(6)]


@pytest.fixture(name="between")
def _between(moto: S3Server) -> Iterator[Between]:
    with Between(moto.port) as between:
        yield between


class Team:
    """Proxies on one bucket, all behind the same ``Between``."""

    def __init__(self, moto: S3Server, between: Between, provider: Provider, tmp_path: Path) -> None:
        self._env = moto.env | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{between.port}"}
        self._url = f"s3://{BUCKET}/{tmp_path.name}"
        self._tmp_path, self._provider = tmp_path, provider

    def proxy(self, mode: str, name: str) -> Mitmdump:
        origin = None if mode == "replay" else self._provider
        options = {"wiretape_local": str(self._tmp_path / name), "wiretape_cache": "0"}
        return Mitmdump(self._url, mode, origin=origin, options=options, env=self._env)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


UNAVAILABLE = 503, "recordings_unavailable"
MISS = 400, "recording_not_found"


def of_recordings(fault: Fault, times: int = 1 << 30) -> Callable[[Request], Fault]:
    """The fault, so many times, where a recording or a capture is read."""
    left = iter(range(times))

    def choose(request: Request) -> Fault:
        path = request.path.partition("?")[0]
        is_read = request.method == "GET" and ("/responses/" in path or "/wire/" in path)
        return fault if is_read and next(left, None) is not None else Fault.NONE

    return choose


def always(fault: Fault) -> Callable[[Request], Fault]:
    return lambda _: fault


def ask_in_replay(proxy: Mitmdump, text: str) -> httpx.Response:
    with httpx_client(proxy, "default+replay:x") as client:
        return post(client, text)


def test_a_bucket_that_is_wrong_is_not_believed_and_nobody_is_asked_again(
    moto: S3Server, between: Between, provider: Provider, tmp_path: Path
) -> None:
    talk = Talk(provider)
    team = Team(moto, between, provider, tmp_path)
    with team.proxy("record-if-missing", "one") as proxy, httpx_client(proxy) as client:
        answers = {text: said(post(client, text)) for text in TEXTS}
        wait_until(lambda: proxy.log().count("recorded ") == len(TEXTS))
        # The process that records has written them: this one has seen none of them.
        for text, fault in zip(TEXTS, (Fault.FLIP, Fault.HALF, Fault.CUT), strict=False):
            between.fault = of_recordings(fault)
            assert code(post(client, text)) == UNAVAILABLE, fault
            between.fault = of_recordings(fault, 2)
            assert said(post(client, text)) == answers[text], fault
        assert talk.questions == TEXTS

        held = TEXTS[3]
        between.fault = of_recordings(Fault.HOLD, 1)
        before = len(between.recordings)
        with ThreadPoolExecutor(1) as pool, httpx_client(proxy) as other:
            waiting = pool.submit(post, other, held)
            wait_until(lambda: len(between.recordings) > before)
            for text in TEXTS[4:]:
                assert said(post(client, text)) == answers[text], "nobody waits for another's"
            assert not waiting.done()
            assert code(waiting.result()) == UNAVAILABLE
        wait_until(lambda: post(client, held).status_code == 200)
        assert said(post(client, held)) == answers[held]
        assert talk.questions == TEXTS

        for number, fault in enumerate((Fault.PAGE, Fault.MISSING)):
            between.fault = always(fault)
            assert code(ask_in_replay(proxy, "unknown")) == UNAVAILABLE, fault
            new = f"new {number}"
            live = said(post(client, new))  # Nothing is frozen by a page, and live traffic flows.
            assert said(post(client, new)) == live, "from where it waits"
            between.fault = lambda _: Fault.NONE
            wait_until(lambda: ask_in_replay(proxy, "unknown").status_code == MISS[0])
        assert talk.questions == [*TEXTS, "new 0", "new 1"]
        assert "so it is sent to the provider" in proxy.log()
    between.asked.clear()
    with team.proxy("replay", "one") as proxy, httpx_client(proxy) as client:
        for number in range(4):
            answer = post(client, f"unknown {number}")
            assert code(answer) == MISS
            assert "The nearest recording is" in answer.json()["error"]["message"]
        # What the others ask is known on this machine.
        assert len(between.recordings) <= 2, "those that waited are others now"
