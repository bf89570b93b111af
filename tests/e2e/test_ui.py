"""The page, as its users start it: over recordings alone, and in a proxy that runs."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from forked import WIRETAPE, wiretape
from harness import Mitmdump, openai_client
from places import SHIPPED
from samples import CHAT, call, load

OPENER = build_opener(ProxyHandler({}))


def get(url: str, **headers: str) -> str:
    with OPENER.open(Request(url, headers=headers), timeout=60) as answer:
        text: str = answer.read().decode()
    return text


@contextmanager
def showing(*args: str) -> Iterator[str]:
    """Start ``wiretape ui``; give its address, and end it as a user does."""
    command = [str(WIRETAPE), "ui", *args, "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        yield found[0]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def test_recordings_can_be_looked_at_without_a_proxy() -> None:
    with showing(str(SHIPPED)) as url:
        assert 'href="/sessions/default"' in get(url)
        assert "Hello, world!" in get(f"{url}/sessions/default")
        page = get(f"{url}/sessions/default/{CHAT.stem}")
        assert "It&#39;s nice to meet you." in page
        with pytest.raises(OSError, match="421"):
            get(url, Host="evil.example")
        with pytest.raises(OSError, match="404"):
            get(f"{url}/v1/status")


def test_a_proxy_shows_its_calls() -> None:
    with Mitmdump(SHIPPED, "replay", options={"wiretape_page": "0"}) as proxy:
        url = proxy.wait_for_log(r"the page is at (http://127\.0\.0\.1:\d+)")[1]
        with openai_client(proxy, max_retries=0) as client:
            [*call(client, load(CHAT))]
        with OPENER.open(f"{url}/v1/calls/events?since=0", timeout=60) as events:
            told = next(line for line in events if line.startswith(b"data: "))
        made = json.loads(told.removeprefix(b"data: "))
        assert (made["outcome"], made["recording"]) == ("hit", CHAT.stem)
        page = get(f"{url}/calls")
        assert 'class="outcome hit"' in page
        assert f"/sessions/default/{CHAT.stem}" in page
        assert CHAT.stem in get(f"{url}/calls/{made['id']}")


def test_recordings_are_handed_on_as_one_file(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    arguments = ("export", "html", SHIPPED, "--output", file)
    done = wiretape(*arguments)
    assert done.returncode == 0, done.stderr
    assert "4 recordings" in done.stderr
    assert "Hello, world!" in file.read_text("utf-8")
    missing = wiretape(*arguments, "--session", "nobody")
    assert missing.returncode != 0
    assert "there are default" in missing.stderr
