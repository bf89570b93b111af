"""What is not for us: other hosts keep their TLS closed, other paths pass and are not recorded. And reverse mode."""

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from harness import Mitmdump, client_env, environment, openai_client
from loopback import Answer, Provider, Wait, from_recording, json_answer
from places import SHIPPED
from samples import CHAT, FIREWORKS_CHAT, MODEL, chunks_of, dumped, load


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(hosts=("api.fireworks.ai", "git.example.com")) as provider:
        yield provider


@pytest.mark.parametrize("mode", ["live", "record", "record-if-missing", "replay"])
def test_the_tls_of_a_host_that_is_no_provider_stays_closed(mode: str, provider: Provider, tmp_path: Path) -> None:
    provider.on("/x", json_answer({"hello": "there"}))
    # This client trusts the host's own authority and not the proxy's: it would see if its TLS were opened.
    trust = ssl.create_default_context(cafile=str(provider.ca_pem))
    with (
        Mitmdump(tmp_path / "recordings", mode, origin=provider) as proxy,
        httpx.Client(proxy=proxy.proxy_url, verify=trust, trust_env=False) as client,
    ):
        assert client.get("https://git.example.com/x").json() == {"hello": "there"}
        assert "git.example.com/x" not in proxy.log()
    assert not (tmp_path / "recordings").exists()


def test_in_replay_what_a_program_asks_for_beside_the_model_does_not_leave(tmp_path: Path) -> None:
    """Of hosts that are no provider's, some of which others ask too: their TLS is opened for that alone."""
    plugins = "https://github.com/openai/plugins.git/info/refs"
    with Provider(hosts=("github.com", "ab.chatgpt.com")) as others:
        others.on("*", json_answer({"hello": "there"}))
        with Mitmdump(tmp_path / "recordings", "replay", origin=others) as proxy:
            trust = ssl.create_default_context(cafile=str(others.ca_pem))
            with httpx.Client(proxy=proxy.proxy_url, verify=trust, trust_env=False) as client:
                assert client.get(plugins).json() == {"hello": "there"}
            with environment(client_env(proxy)), httpx.Client() as client:
                assert client.post("https://ab.chatgpt.com/otlp/v1/metrics").status_code == 200
                user_agent = {"user-agent": "codex_exec/0.171.0 (Debian 12.0.0; x86_64)"}
                asked = client.get("https://chatgpt.com/backend-api/codex/models", headers=user_agent)
                assert (asked.status_code, asked.content) == (200, b"")
                # As git asks.
                assert (client.get(plugins).status_code, client.get(plugins).content) == (200, b"")
                assert client.get("https://github.com/another").json() == {"hello": "there"}
            assert [each.path for each in others.requests] == ["/openai/plugins.git/info/refs", "/another"]
            assert proxy.stop() == 0
            assert "0 misses" in proxy.log()
            assert "4 beside the model ignored" in proxy.log()


def test_what_is_not_tls_passes_through_a_tunnel(tmp_path: Path) -> None:
    def greet() -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(connection.recv(100).upper())

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=greet, daemon=True).start()
        port = server.getsockname()[1]
        with (
            Mitmdump(tmp_path / "recordings", "record") as proxy,
            socket.create_connection(("127.0.0.1", proxy.port), 10) as client,
        ):
            client.sendall(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n".encode())
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
            client.sendall(b"ssh-2.0-hello\r\n")
            assert client.recv(100) == b"SSH-2.0-HELLO\r\n"


def test_plain_http_to_a_host_that_is_no_provider_passes(tmp_path: Path) -> None:
    go_on = threading.Event()
    with Provider(tls=False) as other:
        other.on("/v1/chat/completions", Answer(steps=[b"one", Wait(go_on), b"two"]))
        with (
            Mitmdump(tmp_path / "recordings", "record") as proxy,
            httpx.Client(proxy=proxy.proxy_url, trust_env=False) as client,
            client.stream("POST", f"{other.url}/v1/chat/completions", json={"model": "m"}) as answer,
        ):
            pieces = answer.iter_raw()
            assert next(pieces) == b"one"  # Not held back until the whole is there.
            go_on.set()
            assert b"".join(pieces) == b"two"
    assert not (tmp_path / "recordings").exists()


def test_the_provider_gets_the_clients_own_request(provider: Provider, tmp_path: Path) -> None:
    provider.on(FIREWORKS_CHAT, from_recording(CHAT))
    body = b'{ "stream":true,"messages" : [{"role":"user","content":"\\u0048i"}],"model":"m", "zzz": 1.0 }'
    with (
        Mitmdump(tmp_path / "recordings", "record", origin=provider) as proxy,
        environment(client_env(proxy)),
        httpx.Client() as client,
    ):
        client.post(
            f"https://api.fireworks.ai{FIREWORKS_CHAT}",
            content=body,
            headers={"x-mine": "1", "content-type": "application/json", "x-wiretape-test-id": "t"},
        )
    (received,) = provider.requests
    assert received.body == body
    assert received.header("x-mine") == "1"
    assert received.header("x-wiretape-test-id") is None
    assert not [name for name, _ in received.headers if name.lower() in ("via", "x-forwarded-for", "proxy-connection")]


def test_reverse_mode_records_and_replays_for_clients_without_a_proxy(provider: Provider, tmp_path: Path) -> None:
    provider.on(FIREWORKS_CHAT, from_recording(CHAT))
    reverse = "reverse:https://api.fireworks.ai@0"

    def ask(proxy: Mitmdump) -> list[object]:
        with openai_client(proxy, f"{proxy.proxy_url}/inference/v1") as client:
            stream = client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": "Hello, world!"}], stream=True
            )
            return [dumped(chunk) for chunk in stream]

    recordings = tmp_path / "recordings"
    with Mitmdump(recordings, "record", origin=provider, proxy_mode=reverse) as proxy, environment({}):
        assert ask(proxy) == chunks_of(load(CHAT))
        proxy.stop()
    assert (recordings / "default" / "responses" / CHAT.name).read_bytes() == CHAT.read_bytes()
    with Mitmdump(SHIPPED, "replay", proxy_mode=reverse) as proxy:
        assert ask(proxy) == chunks_of(load(CHAT))
        assert proxy.connects() == []
