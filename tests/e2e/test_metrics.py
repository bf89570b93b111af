"""The page of counters of one mitmdump, and what is on it after real requests."""

import socket
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

import openai
import pytest

from harness import Mitmdump, openai_client, start_expecting_failure, wait_until
from loopback import Provider, from_recording
from places import SHIPPED
from samples import CHAT, FIREWORKS_CHAT, call, chunks_of, dumped, load
from wiretape.metrics import prometheus
from wiretape.metrics.counters import Counters

CONTENT = load(CHAT)
ON = {"wiretape_metrics": "0"}


def page(proxy: Mitmdump, path: str = "/metrics") -> str:
    url = proxy.wait_for_log(r"counters at (http://127\.0\.0\.1:\d+)/metrics")[1]
    with build_opener(ProxyHandler({})).open(url + path, timeout=60) as answer:
        text: str = answer.read().decode()
    return text


def counters(proxy: Mitmdump, session: str = "default") -> Counters:
    return prometheus.parse(page(proxy))[session]


def ask(proxy: Mitmdump) -> None:
    with openai_client(proxy, max_retries=0) as client:
        assert [dumped(chunk) for chunk in call(client, CONTENT)] == chunks_of(CONTENT)


def test_a_replay_counts_hits_bytes_and_tokens_and_no_connection() -> None:
    with Mitmdump(SHIPPED, "replay", options=ON) as proxy:
        for _ in range(3):
            ask(proxy)
        with openai_client(proxy, max_retries=0) as client, pytest.raises(openai.BadRequestError):
            client.chat.completions.create(model="another", messages=[])
        counted = counters(proxy)
        assert (counted.hits, counted.misses) == (3, 1)
        assert counted.tokens > 0
        assert counted.bytes > 3 * 1000
        assert (counted.upstream, counted.connections) == (0, 0)
        assert page(proxy, "/healthz") == "ok\n"
        with pytest.raises(HTTPError, match="404"):
            page(proxy, "/other")


def test_a_recording_counts_what_went_to_the_provider(recordings: Path, provider: Provider) -> None:
    provider.on(FIREWORKS_CHAT, from_recording(CHAT))
    with Mitmdump(recordings, "record", origin=provider, options=ON, session="checkout") as proxy:
        ask(proxy)
        wait_until(lambda: counters(proxy, "checkout").recorded == 1)
        counted = counters(proxy, "checkout")
        assert (counted.upstream, counted.connections, counted.hits) == (1, 1, 0)


def test_without_the_option_there_is_no_page() -> None:
    with Mitmdump(SHIPPED, "replay") as proxy:
        ask(proxy)
        proxy.stop()
        assert "counters at" not in proxy.log()


def test_the_page_ends_with_the_proxy() -> None:
    with Mitmdump(SHIPPED, "replay", options=ON) as proxy:
        page(proxy)
        assert proxy.stop() == 0
        with pytest.raises(URLError):
            page(proxy)


def test_a_port_that_is_taken_ends_the_start() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, output = start_expecting_failure(["--set", f"wiretape_metrics={taken.getsockname()[1]}"])
    assert code != 0
    assert "wiretape_metrics: no page at" in output
