"""Every other path of a provider's host: files, polls, lists, whatever comes next month. And what web pages need."""

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness import Mitmdump, client_env, environment, openai_client, wait_until
from loopback import Answer, Provider, Received, json_answer
from sharing import Shared
from talk import httpx_client

OPENAI = "https://api.openai.com"
GEMINI = "https://generativelanguage.googleapis.com"
HOSTS = (
    "api.openai.com",
    "generativelanguage.googleapis.com",
    "api.mistral.ai",
    "x.services.ai.azure.com",
    "localhost",
)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(hosts=HOSTS) as provider:
        yield provider


def answers(content_type: str, *pieces: bytes, status: int = 200, **headers: str) -> Answer:
    named = [("content-type", content_type)] if content_type else []
    named += [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Answer(status, named, pieces, framing="chunked" if len(pieces) > 1 else "length")


def form(boundary: str) -> dict[str, Any]:
    disposition = 'form-data; name="file"; filename="a.jsonl"'
    body = f'--{boundary}\r\nContent-Disposition: {disposition}\r\n\r\n{{"a": 1}}\r\n--{boundary}--\r\n'
    return {"content": body.encode(), "headers": {"content-type": f"multipart/form-data; boundary={boundary}"}}


def related(boundary: str) -> dict[str, Any]:
    body = f"--{boundary}\r\ncontent-type: application/json\r\n\r\n{{}}\r\n--{boundary}\r\n\r\nfile\r\n--{boundary}--"
    return {"content": body.encode(), "headers": {"content-type": f"multipart/related; boundary={boundary}"}}


NOISE = bytes(range(256)) * 40
LINES = b'{"custom_id": "1", "x": 1.0}\n{"custom_id": "2"}\n'
# What is asked -> what comes. Of each the client gets the same bytes again.
ASKED: dict[str, tuple[str, str, dict[str, Any], Answer]] = {
    "a file goes up": ("POST", f"{OPENAI}/v1/files", form("one"), answers("application/json", b'{"id":"file-1"}')),
    "a file's lines come": ("GET", f"{OPENAI}/v1/files/f/content", {}, answers("application/octet-stream", LINES)),
    "one line comes": ("GET", f"{OPENAI}/v1/files/g/content", {}, answers("application/octet-stream", b'{"a": 1.0}\n')),
    "sound comes": ("GET", f"{OPENAI}/v1/videos/v/content?variant=mp4", {}, answers("video/mp4", NOISE, NOISE)),
    "a table comes": ("GET", f"{OPENAI}/v1/x.csv", {}, answers("text/csv", "a,\u00e9\r\n1,2\r\n".encode())),
    "the next page": ("GET", f"{OPENAI}/v1/files?after=f2&limit=2", {}, answers("application/json", b'{"data":[2]}')),
    "a page": ("GET", f"{OPENAI}/v1/files?limit=2", {}, answers("application/json", b'{"data":[1]}')),
    "a file goes": ("DELETE", f"{OPENAI}/v1/files/f", {}, answers("", status=204)),
    "an empty answer of a type": ("POST", f"{OPENAI}/v1/x/cancel", {}, answers("application/json", status=202)),
    "it is made": ("PUT", f"{OPENAI}/v1/x/1", {"json": {"a": 1}}, answers("application/json", b"[]", status=201)),
    "it is changed": ("PATCH", f"{OPENAI}/v1/x/1", {"json": [1]}, answers("application/json", b'"ok"')),
    "only a head": ("HEAD", f"{OPENAI}/v1/files/f/content", {}, answers("application/octet-stream")),
    "bytes go up": (
        "POST",
        f"{GEMINI}/upload/v1beta/files?key=secret",
        {"content": NOISE},
        answers("application/json", b'{"file":{}}'),
    ),
    "parts go up": ("POST", f"{GEMINI}/upload/x", related("one"), answers("application/json", b'{"file":{"n":1}}')),
    "no JSON goes up": (
        "POST",
        f"{GEMINI}/v1beta/odd",
        {"content": b"{", "headers": {"content-type": "application/json"}},
        answers("text/plain; charset=utf-8", b"odd?"),
    ),
    "it is not there": ("GET", f"{OPENAI}/v1/models/gpt-0", {}, answers("application/json", b"{}", status=404)),
    "FIM": (
        "POST",
        "https://api.mistral.ai/v1/fim/completions",
        {"json": {"p": 1}},
        answers("application/json", b"{}"),
    ),
    "Imagen": (
        "POST",
        f"{GEMINI}/v1beta/models/imagen-4:predict",
        {"json": {"instances": []}},
        answers("application/json", b'{"predictions":[]}'),
    ),
    "Claude on Azure": (
        "POST",
        "https://x.services.ai.azure.com/anthropic/v1/messages",
        {"json": {"model": "c", "messages": []}},
        answers("application/json", b'{"content":[]}'),
    ),
}


def ask(client: httpx.Client, name: str) -> tuple[int, bytes, str | None]:
    method, url, more, _ = ASKED[name]
    made = {"a file goes up": form("two"), "parts go up": related("two")}.get(name, more)
    answer = client.request(method, url, **made)
    return answer.status_code, answer.content, answer.headers.get("content-type")


def test_every_other_path_is_recorded_and_replayed(provider: Provider, shared: Shared) -> None:
    expected = {name: (answer.status, answer.body) for name, (*_, answer) in ASKED.items()}

    def answer(received: Received) -> Answer:
        path = received.path.partition("key=")[0].rstrip("?")
        (found,) = [
            answer
            for method, url, _, answer in ASKED.values()
            if received.method == method and url.partition("key=")[0].rstrip("?").endswith(path)
        ]
        return found

    provider.on("*", answer)
    with shared.lent("record", provider) as proxy:
        with httpx_client(proxy) as client:
            live = {name: ask(client, name) for name in ASKED}
        assert {name: came[:2] for name, came in live.items()} == expected
        wait_for_recordings(proxy, len(ASKED))
        assert "secret" not in "".join(path.read_text() for path in proxy.folder.rglob("*.json"))
        sent = len(provider.requests)
        proxy.in_mode("replay")
        for http2 in (False, True):
            with httpx_client(proxy, http2=http2) as client:
                assert {name: ask(client, name) for name in ASKED} == live
                # The page that was not asked for is no page that was.
                assert client.get(f"{OPENAI}/v1/files?limit=3").status_code == 400
        shutil.rmtree(proxy.folder / "wire")
        with httpx_client(proxy) as client:  # What is kept beside the recordings is not needed for it.
            assert {name: ask(client, name) for name in ASKED} == live
        assert len(provider.requests) == sent


def wait_for_recordings(proxy: Mitmdump, number: int) -> None:
    wait_until(lambda: proxy.log().count(" recorded ") >= number)


def copied(proxy: Shared) -> str:
    """A session with the same recordings, of which nothing was asked yet."""
    copy = f"{proxy.session}-copy"
    shutil.copytree(proxy.folder, proxy.folder.with_name(copy))
    return f"{copy}+replay"


def poll(proxy: Mitmdump, credentials: str = "") -> list[str]:
    """The states that a client sees who asks until it is done."""
    with openai_client(proxy, f"{OPENAI}/v1", credentials=credentials, max_retries=0) as client:
        job = client.responses.create(model="m", input="x", background=True)
        states = [str(job.status)]
        while states[-1] != "completed":
            states.append(str(client.responses.retrieve(job.id).status))
    return states


def _job(status: str) -> Answer:
    made = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "output": [], "tools": []}
    return json_answer({**made, "status": status, "parallel_tool_calls": True, "tool_choice": "auto"})


@pytest.mark.parametrize("mode", ["record", "record-if-missing"])
def test_a_poll_goes_on_from_state_to_state(mode: str, provider: Provider, shared: Shared) -> None:
    provider.on("/v1/responses", _job("queued"))
    states = ["queued", "queued", "in_progress", "completed"]
    provider.on("/v1/responses/resp_1", *map(_job, states))
    with shared.lent(mode, provider) as proxy:
        assert poll(proxy) == ["queued", *states]
        wait_for_recordings(proxy, 5)
        # Equal ones are one take.
        taken = [path.name for path in (proxy.folder / "responses").glob("*.json")]
        assert sorted(name.partition(".")[2] for name in taken) == ["2.json", "3.json", "json", "json"]
        sent = len(provider.requests)
        # Whoever asks in replay gets the states in their order, and the last one for ever.
        copy = copied(proxy)
        assert poll(proxy, copy) == ["queued", "queued", "in_progress", "completed"]
        assert poll(proxy, copy) == ["queued", "completed"]
        assert len(provider.requests) == sent


def test_what_comes_after_the_last_take_is_asked_for(provider: Provider, shared: Shared) -> None:
    numbers = count(1)
    provider.on("/v1/files", lambda _: json_answer({"n": next(numbers)}))
    provider.on("/v1/threads", lambda _: json_answer({"n": next(numbers)}))

    def get(client: httpx.Client) -> int:
        return int(client.get(f"{OPENAI}/v1/files").json()["n"])

    def post(client: httpx.Client) -> int:
        return int(client.post(f"{OPENAI}/v1/threads", json={}).json()["n"])

    with shared.lent("record-if-missing", provider) as proxy:
        with httpx_client(proxy) as client:
            assert [get(client), get(client), post(client)] == [1, 2, 3]
            wait_for_recordings(proxy, 3)
            # A POST is not sent again: it would do again what it did.
            assert [post(client), get(client)] == [3, 4]
            wait_for_recordings(proxy, 4)
        proxy.in_mode("record")
        with httpx_client(proxy) as client:
            assert [get(client), get(client)] == [5, 6]
            wait_for_recordings(proxy, 6)
        # What is recorded anew stands in place of all that was there.
        with httpx_client(proxy, copied(proxy)) as client:
            assert [get(client) for _ in range(3)] == [5, 6, 6]


PAGE = "http://localhost:3000"


def test_a_web_page_may_ask_and_read(provider: Provider, shared: Shared) -> None:
    url = f"{OPENAI}/v1/chat/completions"
    choice = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
    chat = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    live = json_answer(chat)
    allowed = (("access-control-allow-origin", PAGE), ("x-ratelimit-limit-requests", "9"))
    provider.on("/v1/chat/completions", Answer(200, (*live.headers, *allowed), live.steps, framing="length"))
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    asking = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
    with shared.lent("record", provider) as proxy:
        with httpx_client(proxy) as client:
            assert client.post(url, json=body, headers={"origin": PAGE}).status_code == 200
        proxy.wait_for_log(" recorded ")
        for http2, mode, page in (
            (False, "replay", PAGE),
            (True, "replay", "https://app.example"),
            (False, "record-if-missing", "null"),
        ):
            proxy.in_mode(mode)
            with httpx_client(proxy, http2=http2) as client:
                answer = client.options(url, headers={"origin": page, **asking})
                assert (answer.status_code, answer.content) == (204, b"")
                _assert_allows(answer, page)
                assert answer.headers["access-control-allow-methods"] == "POST"
                assert answer.headers["access-control-allow-headers"] == "authorization,content-type"
                for _ in range(2):  # From its file, and from memory.
                    answer = client.post(url, json=body, headers={"origin": page})
                    assert answer.json() == chat
                    _assert_allows(answer, page)
                    assert "x-ratelimit-limit-requests" in answer.headers["access-control-expose-headers"]
                # Who is no page gets what came.
                assert client.post(url, json=body).headers["access-control-allow-origin"] == PAGE
        proxy.in_mode("replay")
        with httpx_client(proxy) as client:
            # A page may read why there is no answer.
            missed = client.post(url, json={**body, "n": 2}, headers={"origin": PAGE})
            assert missed.json()["error"]["code"] == "recording_not_found"
            _assert_allows(missed, PAGE)
            answer = client.options(url, headers={"origin": PAGE})  # No preflight.
            assert answer.status_code == 400
    assert len(provider.requests) == 1


def _assert_allows(answer: httpx.Response, page: str) -> None:
    assert answer.headers.get_list("access-control-allow-origin") == [page]
    assert "origin" in answer.headers["vary"].lower()


SKIP = """
[[provider]]
name = "mine"
hosts = ["api.openai.com"]
base = "/v1"
skip = ["/organization*"]
ignore = ["/ping"]
"""


def test_what_is_not_recorded_is_said_and_counted(provider: Provider, tmp_path: Path) -> None:
    config = tmp_path / "wiretape.toml"
    config.write_text(SKIP)
    options = {"wiretape_config": str(config), "wiretape_max_request": "1kB"}
    provider.on("*", json_answer({}))
    provider.on("/v1/error", json_answer({}, status=500))
    socket = {"connection": "Upgrade", "upgrade": "websocket"}
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/v1/organization/users", {}),
        ("OPTIONS", "/v1/files", {}),
        ("GET", "/v1/realtime", {"headers": socket}),
        ("GET", "/v1/responses", {"headers": socket}),
        ("POST", "/v1/grpc", {"headers": {"content-type": "application/grpc"}}),
        ("POST", "/v1/files", {"content": b"x" * 2000}),
        ("GET", "/v1/error", {}),
        ("GET", "/v1/ping", {}),
        ("OPTIONS", "/v1/chat/completions", {"headers": {"origin": PAGE, "access-control-request-method": "POST"}}),
    ]
    with Mitmdump(tmp_path / "recordings", origin=provider, options=options) as proxy:
        with environment(client_env(proxy, "default+record")), httpx.Client() as client:
            for method, path, more in asked:
                client.request(method, f"{OPENAI}{path}", **more)
            refused = client.get(f"{OPENAI}/v1/responses", headers={**socket, "user-agent": "codex_exec/0.171.0"})
            assert (refused.status_code, refused.headers["upgrade"]) == (426, "HTTP/1.1")
        proxy.wait_for_log("not recorded: https://api.openai.com/v1/error")
        assert [each.path for each in provider.requests] == [path for _, path, _ in asked]
        with environment(client_env(proxy, "default+replay")), httpx.Client() as client:
            ping = client.get(f"{OPENAI}/v1/ping")
            assert (ping.status_code, ping.content) == (200, b"")
            refused = client.get(f"{OPENAI}/v1/organization/users")
            assert refused.status_code == 400
            assert "skip" in refused.json()["error"]["message"]
        assert len(provider.requests) == len(asked)
        assert proxy.stop() == 0
        log = proxy.log()
    for method, path in [
        ("GET", "organization/users"),
        ("OPTIONS", "files"),
        ("GET", "realtime"),
        ("GET", "responses"),
        ("POST", "grpc"),
    ]:
        assert log.count(f"not recorded: {method} api.openai.com/v1/{path}: ") == 1
    assert [line for line in log.splitlines() if "api.openai.com/v1/ping" in line and "GET https" not in line] == [
        line for line in log.splitlines() if "ignored: GET api.openai.com/v1/ping" in line
    ]
    assert "1 beside the model ignored" in log
    assert ", 1 miss, 0 recorded" in log
    told = log.partition("7 answers NOT recorded (")[2]
    for reason in ("3 as a WebSocket or gRPC", "1 excluded by skip", "1 too large", "1 with an error"):
        assert reason in told
    assert not (tmp_path / "recordings").exists()
