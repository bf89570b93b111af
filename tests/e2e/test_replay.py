"""Replay: a real client, a real mitmdump, no provider at all."""

import asyncio
import json
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from harness import Mitmdump, async_openai_client, client_env, environment, openai_client, start_expecting_failure
from loopback import Provider, json_answer
from places import SHIPPED
from samples import BASES, CHAT, MODEL, SAMPLES, base_url, call, chunks_of, dumped, load
from sharing import Shared

BODY = load(CHAT)["request"]["body"]


@pytest.fixture(scope="module")
def replay() -> Iterator[Mitmdump]:
    with Mitmdump(SHIPPED, "replay") as proxy:
        yield proxy
        assert proxy.connects() == []


@pytest.fixture
def own(shared: Shared) -> Iterator[tuple[Mitmdump, Path]]:
    """A proxy, and the recordings of its session, which are the samples: what a test may spoil."""
    with shared.lent("replay") as proxy:
        folder = proxy.folder / "responses"
        shutil.copytree(CHAT.parent, folder)
        yield proxy, folder
        assert proxy.connects() == []


def ask(client: openai.OpenAI, text: str = "Hello, world!", **arguments: Any) -> list[object]:
    stream = client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": text}], stream=True, **arguments
    )
    return [dumped(chunk) for chunk in stream]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_client_gets_the_chunks_of_the_recording(name: str, replay: Mitmdump) -> None:
    content = load(SAMPLES[name])
    with openai_client(replay, base_url(content)) as client:
        assert [dumped(chunk) for chunk in call(client, content)] == chunks_of(content)


def test_the_async_client_gets_the_same(replay: Mitmdump) -> None:
    async def ask_async() -> list[object]:
        async with async_openai_client(replay) as client:
            messages: Any = [{"role": "user", "content": "Hello, world!"}]
            stream = await client.chat.completions.create(model=MODEL, messages=messages, stream=True)
            return [dumped(chunk) async for chunk in stream]

    assert asyncio.run(ask_async()) == chunks_of(load(CHAT))


def test_the_providers_host_is_neither_looked_up_nor_called(replay: Mitmdump) -> None:
    with openai_client(replay) as client:
        ask(client)
    assert replay.connects() == []  # Not a connection, not a look-up: to_loopback.py notes both.


def test_the_stream_is_an_event_stream_that_ends_with_done(replay: Mitmdump) -> None:
    with openai_client(replay) as client:
        raw = client.chat.completions.with_streaming_response.create(
            model=MODEL, messages=[{"role": "user", "content": "Hello, world!"}], stream=True
        )
        with raw as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            body = response.read()
    events = body.decode().split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    assert len(events) - 2 == len(chunks_of(load(CHAT)))
    assert "service_tier" not in events[0]  # The class's null, which no provider sends.


def test_key_order_and_spelling_of_the_same_request_do_not_matter(replay: Mitmdump) -> None:
    body = load(CHAT)["request"]["body"]
    text = json.dumps(dict(reversed(body.items())), indent=3).replace("H", "\\u0048")
    with environment(client_env(replay)), httpx.Client() as client:
        answer = client.post(
            f"{BASES['api.fireworks.ai']}/chat/completions",
            content=text.encode(),
            headers={"content-type": "application/json"},
        )
    assert answer.status_code == 200


def test_a_miss_says_what_differs_and_how_to_record_it(replay: Mitmdump) -> None:
    with openai_client(replay, max_retries=5) as client, pytest.raises(openai.BadRequestError) as raised:
        ask(client, "Hello, worlds!")
    assert raised.value.response.headers["x-should-retry"] == "false"
    error: Any = raised.value.body
    assert (error["type"], error["code"], error["param"]) == ("recording_not_found", "recording_not_found", None)
    message = error["message"]
    for part in (
        "5534bfa78416",  # The name that its file would have, as the public recorder computes it.
        "nearest recording is e99f14805360",
        'messages[0].content: "Hello, worlds!" here, "Hello, world!" in the recording',
        "wiretape_mode=record-if-missing",
        '"default"',
    ):
        assert part in message
    # Raised at once: one request, no retries.
    replay.wait_for_log("miss: /v1/chat/completions")
    assert replay.log().count("miss: /v1/chat/completions") == 1


@pytest.mark.parametrize(
    "change", [{"temperature": 0.7}, {"n": 2}, {"extra_body": {"top_k": 1}}, {"user": "x"}, {"stream": False}]
)
def test_any_other_argument_is_another_request(change: dict[str, Any], replay: Mitmdump) -> None:
    arguments = {"stream": True, **change}
    expected = next(iter(change.get("extra_body", change)))
    with openai_client(replay) as client, pytest.raises(openai.BadRequestError, match=expected):
        client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "Hello, world!"}], **arguments
        )


def test_the_same_request_to_another_provider_is_another_request(replay: Mitmdump) -> None:
    with openai_client(replay, BASES["api.cerebras.ai"]) as client, pytest.raises(openai.BadRequestError, match="base"):
        ask(client)


@pytest.mark.parametrize("path", ["/inference/v1/files", "/", "/v1/accounts/me"])
def test_a_providers_other_paths_are_refused_in_replay(path: str, replay: Mitmdump) -> None:
    with environment(client_env(replay)), httpx.Client() as client:
        answer = client.get(f"https://api.fireworks.ai{path}")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "recording_not_found"


def test_no_key_at_all_is_no_obstacle_over_http2(replay: Mitmdump) -> None:
    # "Authorization: Bearer " with nothing behind it: what a shell sends when the variable is not set.
    url = f"{BASES['api.fireworks.ai']}/chat/completions"
    command = ["curl", "-sS", "--http2", url, "-H", "Authorization: Bearer ", "--json", json.dumps(BODY)]
    if not shutil.which("curl"):
        pytest.skip("curl is not on this machine")
    result = subprocess.run(command, env=client_env(replay), capture_output=True, text=True, check=True, timeout=60)
    assert result.stdout.endswith("data: [DONE]\n\n")


def test_ones_own_application_on_a_local_port_of_a_provider_is_reached(replay: Mitmdump) -> None:
    with Provider(tls=False) as application:
        application.on("/orders", json_answer({"my": "app"}))
        env = {"TO_LOOPBACK_ORIGIN": json.dumps({"localhost": application.port})}
        with (
            Mitmdump(SHIPPED, "replay", env=env) as proxy,
            httpx.Client(proxy=proxy.proxy_url, trust_env=False) as client,
        ):
            assert client.get("http://localhost:8000/orders").json() == {"my": "app"}
            answer = client.post("http://localhost:8000/v1/chat/completions", json=BODY)
            assert answer.json()["error"]["code"] == "recording_not_found"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_request_is_refused_not_crashed_on(body: bytes, replay: Mitmdump) -> None:
    with environment(client_env(replay)), httpx.Client() as client:
        answer = client.post(f"{BASES['api.fireworks.ai']}/chat/completions", content=body)
    assert answer.status_code == 400
    assert "the request's body is not" in answer.json()["error"]["message"]


SPOILED: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda text: text[: len(text) // 2],
    "empty": lambda text: b"",
    "not JSON": lambda text: b"<html>" + text,
    "a list": lambda text: b"[]",
    "another shape": lambda text: b'{"request": {"url": 1}, "response": []}',
    "no chunks": lambda text: text.replace(b'"body": [', b'"bodies": ['),
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_spoiled_recording_is_named_in_the_log_and_is_a_miss(how: str, own: tuple[Mitmdump, Path]) -> None:
    proxy, folder = own
    path = folder / CHAT.name
    path.write_bytes(SPOILED[how](path.read_bytes()))
    with openai_client(proxy) as client:
        with pytest.raises(openai.BadRequestError):
            ask(client)
        proxy.wait_for_log(f"{CHAT.name}: not a recording that can be served: ")
        content = load(SAMPLES["fireworks completions"])
        assert [dumped(chunk) for chunk in call(client, content)] == chunks_of(content)


def test_in_replay_nothing_leaves_even_where_wiretape_itself_fails(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text(
        "from wiretape.tape import tape\n\ndef fail(*_):\n    raise RuntimeError\n\ntape.Tape.lookup = fail\n"
    )
    with (
        Mitmdump(SHIPPED, "replay", args=["-s", str(broken)]) as proxy,
        openai_client(proxy) as client,
        pytest.raises(openai.InternalServerError, match="nothing is sent to a provider"),
    ):
        ask(client)
    assert proxy.connects() == []


def test_recordings_of_the_public_recorder_are_found_under_any_name(own: tuple[Mitmdump, Path]) -> None:
    proxy, folder = own
    (folder / CHAT.name).rename(folder / "my favourite.json")
    with openai_client(proxy) as client:
        assert ask(client) == chunks_of(load(CHAT))


def test_recordings_that_come_and_go_while_the_proxy_runs(own: tuple[Mitmdump, Path]) -> None:
    proxy, folder = own
    path = folder / CHAT.name
    elsewhere = folder.parent / "elsewhere.json"
    with openai_client(proxy) as client:
        ask(client)
        path.rename(elsewhere)
        with pytest.raises(openai.BadRequestError):
            ask(client)
        elsewhere.rename(folder / "another name.json")
        assert ask(client) == chunks_of(load(CHAT))


def test_a_session_is_a_folder_of_its_own(tmp_path: Path) -> None:
    shutil.copytree(CHAT.parent, tmp_path / "recordings" / "checkout" / "responses")
    with Mitmdump(tmp_path / "recordings", "replay", session="checkout") as proxy, openai_client(proxy) as client:
        assert ask(client) == chunks_of(load(CHAT))
        with pytest.raises(openai.APIStatusError):
            ask(client, text="Never asked")
        # Which session goes unnamed is the same for all lines: the one called default.
        proxy.wait_for_log(r"hit \w+: .*\(session checkout\)$")
        proxy.wait_for_log(r"miss: .*\(session checkout\): ")


def test_a_bad_option_stops_the_start_and_names_the_right_values() -> None:
    """Which values are bad is in test_addon.py."""
    code, output = start_expecting_failure(["--set", "wiretape_mode=repeat"])
    assert code != 0
    assert "Traceback" not in output
    assert "wiretape_mode" in output
    assert "live, record, replay, record-if-missing" in output


def test_it_listens_on_this_machine_alone_unless_told_otherwise() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    args = ["--listen-host", "", "--listen-port", str(port)]
    with Mitmdump(SHIPPED, "record-if-missing", args=args) as proxy:
        proxy.wait_for_log(rf"listening at 127\.0\.0\.1:{port}")
        with openai_client(proxy) as client:
            assert ask(client) == chunks_of(load(CHAT))
        listening = Path("/proc/net/tcp").read_text().splitlines() if Path("/proc/net/tcp").exists() else []
        mine = [line.split()[1] for line in listening[1:] if line.split()[1].endswith(f":{port:04X}")]
        assert {address.partition(":")[0] for address in mine} <= {"0100007F"}
    # In a mode in which a process is started that writes: the port has moved before.
