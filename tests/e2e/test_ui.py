"""The page, as its users start it: over recordings alone, and in a proxy that runs."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import openai
import pytest

from forked import WIRETAPE, wiretape
from harness import Mitmdump, openai_client, wait_until
from loopback import Provider, from_recording
from places import SHIPPED
from samples import CHAT, call, load
from wiretape.sessions import token_file
from wiretape.sessions.model import Role
from wiretape.sessions.tokens import Tokens

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


def post(url: str, token: str, origin: str = "", **fields: str | list[str]) -> tuple[int, str]:
    """Send a form as a page does; without an origin, as that page itself."""
    address = urlsplit(url)
    headers = {
        "Cookie": f"wiretape-token={token}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Origin": origin or f"{address.scheme}://{address.netloc}",
    }
    connection = HTTPConnection(address.hostname or "", address.port, timeout=60)
    try:
        connection.request("POST", address.path, urlencode(fields, doseq=True), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers.get("location", "")
    finally:
        connection.close()


def ask_anew(client: openai.OpenAI) -> None:
    """Ask what there is no recording of."""
    [*client.chat.completions.create(model="m", messages=[{"role": "user", "content": "What is new?"}], stream=True)]


def test_who_has_the_role_reviews_and_records_and_who_has_not_is_refused(tmp_path: Path) -> None:
    recordings = tmp_path / "recordings"
    for session, text in (("default", b"Hello!"), ("mine", b"Howdy!")):
        folder = recordings / session / "responses"
        folder.mkdir(parents=True)
        (folder / CHAT.name).write_bytes(CHAT.read_bytes().replace(b"Hello!", text))
    admin, content = Tokens().create("*", Role.ADMIN, "anna")
    reader, content = content.create("*", Role.READ, "ci")
    token_file.write(tmp_path / "tokens.toml", content)
    told = load(CHAT)
    options = {"wiretape_page": "0", "wiretape_tokens": str(tmp_path / "tokens.toml"), "wiretape_call_log": "on"}
    with Provider() as provider, Mitmdump(recordings, "replay", origin=provider, options=options) as proxy:
        provider.on("*", from_recording(told))
        url = proxy.wait_for_log(r"the page is at (http://127\.0\.0\.1:\d+)")[1]
        cookie = {"Cookie": f"wiretape-token={admin.text}"}
        plan = get(f"{url}/promote?source=mine&target=default", **cookie)
        (mark,) = re.findall(r'name="accepted" value="(\w+)"', plan)
        form = {"source": "mine", "target": "default", "accepted": mark}
        assert post(f"{url}/promote", reader.text, **form)[0] == 403
        assert post(f"{url}/promote", admin.text, "http://127.0.0.1:1", **form)[0] == 403
        assert post(f"{url}/promote", admin.text, **form)[0] == 303
        assert b"Howdy!" in (recordings / "default" / "responses" / CHAT.name).read_bytes()

        with openai_client(proxy, credentials=f"default:{admin.text}", max_retries=0) as client:
            assert "Howdy" in "".join(str(chunk) for chunk in call(client, told)), "the proxy plays what came in"
            with pytest.raises(openai.BadRequestError):
                ask_anew(client)
            miss = json.loads(get(f"{url}/v1/calls", Authorization=f"Bearer {admin.text}"))["calls"][-1]
            page = f"{url}/calls/{miss['id']}"
            assert "Record it" not in get(page, Cookie=f"wiretape-token={reader.text}")
            assert post(f"{page}/record", reader.text)[0] == 403
            assert "Record it" in get(page, **cookie)
            assert post(f"{page}/record", admin.text) == (303, f"/calls/{miss['id']}")
            assert "Record no more" in get(page, **cookie)
            ask_anew(client)
            wait_until(lambda: "Record no more" not in get(page, **cookie))
            ask_anew(client)
            assert len(provider.requests) == 1
