"""config/haproxy.cfg before two real proxies, of which one dies: only names and ports are other ones here."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness import Mitmdump, openai_client, wait_until
from places import CONFIG, SHIPPED
from samples import CHAT, call, chunks_of, dumped, load
from wiretape.cluster.balancer import free_ports, haproxy

CONTENT = load(CHAT)
pytestmark = pytest.mark.skipif(haproxy() is None, reason="HAProxy is not on this machine")


class Behind(Mitmdump):
    """A proxy that clients reach by another port."""

    front = 0

    def url_for(self, credentials: str) -> str:
        return super().url_for(credentials).replace(f":{self.port}", f":{self.front}")

    def page(self) -> str:
        return self.wait_for_log(r"counters at http://127\.0\.0\.1:(\d+)/metrics")[1]

    def connections(self) -> int:
        return len(re.findall(r"client connect$", self.log(), re.MULTILINE))


@contextmanager
def balancer(file: Path, port: int, proxies: list[Behind]) -> Iterator[None]:
    text = (CONFIG / "haproxy.cfg").read_text("utf-8")
    text = text.replace("bind :8080", f"bind 127.0.0.1:{port}")
    for number, proxy in enumerate(proxies, 1):
        line = f"server proxy{number} proxy{number}:8080"
        assert line in text
        text = text.replace(line, f"server proxy{number} 127.0.0.1:{proxy.port} port {proxy.page()}")
        proxy.front = port
    file.write_text(text, "utf-8")
    with subprocess.Popen([haproxy() or "", "-db", "-f", str(file)], stdout=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def ask(proxy: Behind, retries: int) -> list[Any]:
    with openai_client(proxy, max_retries=retries) as client:
        return [dumped(chunk) for chunk in call(client, CONTENT)]


def test_both_proxies_are_used_and_one_of_them_is_enough(tmp_path: Path) -> None:
    options = {"wiretape_metrics": "0"}
    (port,) = free_ports(1)
    with (
        Behind(SHIPPED, "replay", options=options) as one,
        Behind(SHIPPED, "replay", options=options) as two,
        balancer(tmp_path / "haproxy.cfg", port, [one, two]),
    ):
        # Until it listens, a client that tries again gets through.
        assert ask(one, retries=5) == chunks_of(CONTENT)
        for _ in range(12):
            assert ask(one, retries=0) == chunks_of(CONTENT)
        assert min(one.connections(), two.connections()) >= 3
        one.process.kill()
        one.process.wait()
        before = two.connections()
        for _ in range(6):
            assert ask(two, retries=0) == chunks_of(CONTENT)
        wait_until(lambda: two.connections() == before + 6)
