"""A checkout whose recordings mean harm: a real proxy serves none of it, and the commands name all of it."""

import gzip
import json
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli
import httpx
import pytest

from harness import Mitmdump, client_env, connect_head, environment
from loopback import Provider, json_answer
from samples import BASES, CHAT, FIREWORKS_CHAT, SAMPLES, load
from talk import httpx_client
from wiretape import recording
from wiretape.recording import capture

pytestmark = pytest.mark.skipif(os.name != "posix", reason="what there is on POSIX alone")

FIFO = SAMPLES["fireworks completions"]
ZEROS = SAMPLES["fireworks chat, two choices interleaved"]
SILENT = SAMPLES["cerebras completions"]
ODD_NAME = "\x1b[31m\nFAKE 0 faults\x07[bold]"
SPECIAL = ("zeros", "fifo", "loop", "socket", "folder", "large", "deep", "dangling")
NOBODY = {"model": "m", "messages": [{"role": "user", "content": "nobody recorded this"}]}


def captured(path: Path, **members: Any) -> str:
    sound = {"recording": capture.digest(path.read_bytes()), "status": 200, "headers": [], "chunks": []}
    return json.dumps(sound | {"chunks": [{"at": 1, "text": "data: [DONE]\n\n"}]} | members)


@pytest.fixture(name="checkout", scope="module")
def _checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("checkout") / "recordings"
    folder = root / "default" / "responses"
    folder.mkdir(parents=True)
    (root / "default" / "wire").mkdir()
    for path in (CHAT, SILENT):
        (folder / path.name).write_bytes(path.read_bytes())
    os.mkfifo(folder / FIFO.name)
    (folder / ZEROS.name).symlink_to("/dev/zero")
    (folder / "zeros.json").symlink_to("/dev/zero")
    os.mkfifo(folder / "fifo.json")
    (folder / "loop.json").symlink_to("loop.json")
    (folder / "dangling.json").symlink_to("nothing.json")
    (folder / "folder.json").mkdir()
    (folder / "large.json").write_bytes(b" " * 200_001)
    (folder / "deep.json").write_bytes(b'{"request": ' + b"[" * 900 + b"]" * 900 + b"}")
    (folder / f"{ODD_NAME}.json").write_text("{}")
    (folder / os.fsdecode(b"\xff.json")).write_text("{}")
    where = Path.cwd()
    os.chdir(folder)  # The path of a socket is short.
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("socket.json")
    finally:
        os.chdir(where)
    (root.parent / "home").mkdir()
    (root.parent / "home" / "responses").mkdir()
    (root.parent / "home" / "responses" / "private.json").write_bytes(CHAT.read_bytes())
    (root / "outside").symlink_to("../home")
    evil = [["content-type", "text/plain"], ["x-ratelimit-a", "1\r\nset-cookie: evil=1"]]
    (root / "default" / "wire" / CHAT.name).write_text(captured(CHAT, headers=evil))
    (root / "default" / "wire" / SILENT.name).write_text(captured(SILENT, status=204))
    return root


@pytest.fixture(name="proxy", scope="module")
def _proxy(checkout: Path) -> Iterator[Mitmdump]:
    with Mitmdump(checkout, "replay", options={"wiretape_max_recording": "200kB"}) as proxy:
        yield proxy


def raw(proxy: Mitmdump, path: Path | None) -> bytes:
    """All bytes of the answer to a recording's request, or to one that nobody recorded."""
    url = load(path)["request"]["url"] if path else "https://api.fireworks.ai"
    host = url.split("/")[2]
    target = url.removeprefix(f"https://{host}").replace("/v1/v1/", "/v1/") if path else FIREWORKS_CHAT
    sent = load(path)["request"]["body"] if path else NOBODY
    content = json.dumps({key: value for key, value in sent.items() if value != {}}).encode()
    context = ssl.create_default_context(cafile=str(proxy.ca_file))
    with socket.create_connection(("127.0.0.1", proxy.port), 20) as tunnel:
        tunnel.sendall(connect_head(proxy).replace(b"api.fireworks.ai", host.encode()))
        assert tunnel.recv(1000).startswith(b"HTTP/1.1 200")
        with context.wrap_socket(tunnel, server_hostname=host) as client:
            head = (
                f"POST {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {len(content)}\r\n\r\n"
            )
            client.sendall(head.encode() + content)
            return b"".join(iter(lambda: client.recv(65536), b""))


def test_what_is_sound_is_served_without_what_is_not(proxy: Mitmdump) -> None:
    answer = raw(proxy, CHAT)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream")
    assert b"set-cookie" not in answer
    assert answer.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")


def test_an_answer_without_content_has_none(proxy: Mitmdump) -> None:
    assert raw(proxy, SILENT) == b"HTTP/1.1 204 No Content\r\n\r\n"


@pytest.mark.parametrize("path", [FIFO, ZEROS], ids=["a FIFO", "a link to /dev/zero"])
def test_what_has_a_recordings_name_and_is_none_is_a_miss_and_said_once(proxy: Mitmdump, path: Path) -> None:
    for _ in range(3):
        assert b"recording_not_found" in raw(proxy, path)
    assert proxy.log().count(f"{path.name}: not a recording that can be served: ") == 1


def test_what_is_looked_through_for_a_miss_is_said_once_and_holds_nobody_up(proxy: Mitmdump) -> None:
    for _ in range(2):
        assert b"recording_not_found" in raw(proxy, None)
    assert raw(proxy, CHAT).startswith(b"HTTP/1.1 200 OK")
    for name in SPECIAL:
        assert proxy.log().count(f"{name}.json: no recording, passed over: ") == 1
    assert proxy.log().count("\\x1b[31m\\nFAKE 0 faults\\x07[bold].json: no recording, passed over: ") == 1
    assert "\x1b[31m" not in proxy.log()
    assert "private" not in proxy.log()
    proxy.assert_sound()


@pytest.mark.parametrize(
    "command", [("verify",), ("ls",), ("show", ""), ("convert", "--to", "2026", "--output", "new")]
)
def test_each_command_names_each_and_no_terminal_obeys_it(
    checkout: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    env = {**os.environ, "WIRETAPE_MAX_RECORDING": "200kB", "PYTHONIOENCODING": "ascii"}
    made = subprocess.run(
        [sys.executable, "-P", "-m", "wiretape.cli", *command, str(checkout)]
        if command[0] != "convert"
        else [sys.executable, "-P", "-m", "wiretape.cli", "convert", str(checkout), *command[1:]],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
        cwd=tmp_path,
        env=env,
    )
    said = made.stdout + made.stderr
    assert made.returncode == 1, said
    assert "Traceback" not in said
    assert not any(char in said for char in "\x1b\x07\r")
    for name, problem in {
        "zeros": "link out",
        "fifo": "a FIFO",
        "loop": "leads nowhere",
        "dangling": "leads nowhere",
        "socket": "a socket",
        "folder": "a folder",
        "large": "larger than 200,000 bytes",
        "deep": "nested too deeply",
        "\\x1b[31m\\nFAKE 0 faults\\x07[bold]": "no request",
        "\\udcff": "no request",
    }.items():
        assert any(f"{name}.json: " in line and problem in line for line in said.splitlines()), (name, said)
    assert any("recordings/outside: " in line and "link out" in line for line in said.splitlines())
    assert "private" not in said


def test_verify_faults_the_captures_by_name(checkout: Path) -> None:
    command = [sys.executable, "-P", "-m", "wiretape.cli", "verify", str(checkout), "--session", "default"]
    said = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False).stdout
    assert f"wire/{CHAT.name}: not a capture: the value of header x-ratelimit-a holds what no header can" in said


# -- what clients send -------------------------------------------------------------------------------------------------


def test_a_coded_request_is_the_same_request_and_a_bomb_is_passed_on(provider: Provider, tmp_path: Path) -> None:
    chat = json.loads(recording.dumps(recording.loads(CHAT.read_bytes())))["request"]["body"] | {"stream": False}
    text = json.dumps(chat).encode()
    answer = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": []}
    provider.on(FIREWORKS_CHAT, json_answer(answer))
    bomb = brotli.compress(bytes(1 << 28), quality=1)
    url = f"{BASES['api.fireworks.ai']}/chat/completions"
    with Mitmdump(tmp_path / "recordings", "record-if-missing", origin=provider) as proxy:
        with environment(client_env(proxy)), httpx.Client(timeout=60) as client:
            headers = {"content-type": "application/json"}
            assert client.post(url, content=gzip.compress(text), headers={**headers, "content-encoding": "gzip"}).json()
            proxy.wait_for_log(" recorded ")
            for body, more in ((text, {}), (gzip.compress(text), {"content-encoding": "gzip"})):
                assert client.post(url, content=body, headers={**headers, **more}).json()
            assert len(provider.requests) == 1
            assert client.post(url, content=bomb, headers={**headers, "content-encoding": "br"}).json()
            proxy.wait_for_log("not recorded: .*larger than")
        assert len(provider.requests) == 2
        proxy.assert_sound()


@pytest.mark.parametrize("http2", [False, True])
def test_a_large_answer_comes_whole(tmp_path: Path, http2: bool) -> None:
    content = load(CHAT)["request"]
    body = content["body"] | {"stream": False}
    words = "word " * 400_000
    data = {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"message": {"content": words}}],
    }
    answered = {"__type__": "openai.types.chat.chat_completion.ChatCompletion", "__data__": data}
    asked = recording.RecordedRequest(content["url"], body, content["endpoint"])
    made = recording.Recording(asked, recording.RecordedResponse(answered, is_streaming=False))
    folder = tmp_path / "default" / "responses"
    folder.mkdir(parents=True)
    (folder / f"{made.name}.json").write_bytes(recording.dumps(made))
    with Mitmdump(tmp_path, "replay") as proxy:
        with httpx_client(proxy, http2=http2) as client:
            for _ in range(3):
                got = client.post(f"{BASES['api.fireworks.ai']}/chat/completions", json=body)
                assert got.json()["choices"][0]["message"]["content"] == words
                assert int(got.headers["content-length"]) == len(got.content)
                assert got.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
        proxy.assert_sound()
