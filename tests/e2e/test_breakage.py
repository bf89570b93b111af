"""What goes wrong by itself, or is very large: the client has its bytes, no recording lies, the next request works.

The SDK's own view of resets, early ends and clients that leave is in test_record.py.
"""

import base64
import contextlib
import json
import os
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

import harness
from harness import client_env, connect_head, environment, openai_client, wait_until
from loopback import Answer, Close, EndEarly, Framing, Provider, Reset, Step, Wait, from_recording, json_answer, sse
from loopback.answers import coded
from samples import BASES, CHAT, FIREWORKS_CHAT, MODEL, SAMPLES, chunks_of, dumped, load
from sharing import Shared

BODY: dict[str, Any] = load(CHAT)["request"]["body"]
ASKED = "https://api.fireworks.ai/inference/v1/chat/completions"
"""As the log has it."""
URL = f"{BASES['api.fireworks.ai']}/chat/completions"
ALL = from_recording(CHAT)
OTHER = SAMPLES["fireworks completions"]


class Mitmdump(harness.Mitmdump):
    """One whose log has no traceback of an addon's at its end, whatever happened."""

    def __enter__(self) -> Self:
        return super().__enter__()

    def __exit__(self, *exc: object) -> None:
        super().__exit__(*exc)
        if exc[0] is None:
            self.assert_sound()


def written(recordings: Path) -> list[Path]:
    """All files, temporary ones and captures too."""
    return sorted(path for path in recordings.rglob("*") if path.is_file())


def recorded(recordings: Path) -> list[str]:
    """The names of the recordings; there is no other file but their captures."""
    files = written(recordings)
    names = [path.stem for path in files if path.parent.name == "responses"]
    assert [path.stem for path in files if path.parent.name == "wire"] == names
    assert len(files) == 2 * len(names)
    return names


@contextlib.contextmanager
def client_of(proxy: harness.Mitmdump) -> Iterator[httpx.Client]:
    with environment(client_env(proxy)):
        client = httpx.Client(timeout=60)
    with client:
        yield client


def post(proxy: harness.Mitmdump, url: str = URL, body: Any = BODY) -> bytes:
    """The raw body of an answer, in its content coding, that came to its end."""
    with client_of(proxy) as client, client.stream("POST", url, json=body) as answer:
        return b"".join(answer.iter_raw())


def post_until_it_breaks(proxy: harness.Mitmdump, size: int, go_on: threading.Event) -> tuple[bytes, bool]:
    """The raw body, and whether it broke off; ``go_on`` is set when ``size`` bytes of it are here."""
    got = bytearray()
    with client_of(proxy) as client, client.stream("POST", URL, json=BODY) as answer:
        try:
            for piece in answer.iter_raw():
                got += piece
                if len(got) >= size:
                    go_on.set()
        except httpx.TransportError:
            return bytes(got), True
    return bytes(got), False


def body_for(words: object) -> dict[str, Any]:
    return {**BODY, "messages": [{"role": "user", "content": str(words)}]}


def still_works(proxy: harness.Mitmdump, provider: Provider) -> None:
    """Another request is answered, and recorded."""
    provider.on("/inference/v1/completions", from_recording(OTHER))
    content = load(OTHER)
    with openai_client(proxy) as client:
        arguments = {key: value for key, value in content["request"]["body"].items() if value != {}}
        assert [dumped(chunk) for chunk in client.completions.create(**arguments)] == chunks_of(content)
    proxy.wait_for_log(f"(recorded|hit) {OTHER.stem}")


# -- the stream ends as it should not ----------------------------------------------------------------------------------

ENDS: dict[str, tuple[Framing, Step, bool, bool]] = {
    # The framing, what happens, whether over HTTP/2, whether the client can tell.
    "reset": ("chunked", Reset(), False, True),
    "closed": ("chunked", Close(), False, True),
    "ended without [DONE]": ("chunked", EndEarly(), False, False),
    "reset, of a known length": ("length", Reset(), False, True),
    "closed, of a known length": ("length", Close(), False, True),
    # Here the end of the connection is the end of the answer: nothing but the missing [DONE] tells.
    "reset, without framing": ("close", Reset(), False, False),
    "closed, without framing": ("close", Close(), False, False),
    "reset, over HTTP/2": ("chunked", Reset(), True, True),
    "one stream reset, over HTTP/2": ("chunked", Reset(stream_only=True), True, True),
    "ended without [DONE], over HTTP/2": ("chunked", EndEarly(), True, False),
}


@pytest.mark.parametrize("how", ENDS)
def test_a_stream_that_breaks_off_reaches_the_client_up_to_there(how: str, shared: Shared) -> None:
    framing, step, http2, tells = ENDS[how]
    go_on = threading.Event()
    answer = replace(ALL, framing=framing).insert(9, Wait(go_on), step)
    sent = replace(ALL, steps=ALL.steps[:9]).body
    with Provider(http2=http2) as provider:
        provider.on(FIREWORKS_CHAT, answer)
        with shared.lent("record", provider) as proxy:
            if http2:
                assert curl_until_it_breaks(proxy, sent, go_on) == (sent, tells)
                assert over_http2(provider)
            else:
                assert post_until_it_breaks(proxy, len(sent), go_on) == (sent, tells)
            proxy.wait_for_log(f"not recorded: {ASKED}: .*broke off")
            still_works(proxy, provider)
            assert recorded(proxy.folder) == [OTHER.stem]


def curl_until_it_breaks(proxy: harness.Mitmdump, sent: bytes, go_on: threading.Event) -> tuple[bytes, bool]:
    with subprocess.Popen(curl("--http2", "-N"), env=client_env(proxy), stdout=subprocess.PIPE) as process:
        assert process.stdout
        got = process.stdout.read(len(sent))
        go_on.set()
        got += process.stdout.read()
    return got, process.returncode != 0


def error(message: str, **more: Any) -> bytes:
    return b"data: %s\n\n" % json.dumps({"error": {"message": message, **more}}).encode()


ANTHROPIC = sse(
    [
        b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant",'
        b'"content":[],"model":"c","usage":{"input_tokens":1,"output_tokens":1}}}\n\n',
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta",'
        b'"text":"Hi"}}\n\n',
    ],
    done=False,
)
RESPONSES = sse(
    [b'event: response.created\ndata: {"type":"response.created","sequence_number":0,"response":{"id":"r"}}\n\n'],
    done=False,
)
ERROR_EVENTS: dict[str, tuple[str, list[Step], bytes]] = {
    "openai": (URL, [*ALL.steps[:3]], error("The server had an error", type="server_error")),
    "openai responses": (
        "https://api.openai.com/v1/responses",
        [*RESPONSES],
        b'event: error\ndata: {"type":"error","code":"server_error","message":"oh","param":null,'
        b'"sequence_number":1}\n\n',
    ),
    "openrouter": (
        "https://openrouter.ai/api/v1/chat/completions",
        [b": OPENROUTER PROCESSING\n\n", *ALL.steps[:3]],
        b'data: {"id":"1","object":"chat.completion.chunk","error":{"code":502,"message":"Provider disconnected"},'
        b'"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}\n\n',
    ),
    "anthropic": (
        "https://api.anthropic.com/v1/messages",
        [*ANTHROPIC],
        b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
    ),
}


@pytest.mark.parametrize("style", ERROR_EVENTS)
def test_an_error_event_in_the_middle_reaches_the_client_and_is_not_recorded(
    style: str, provider: Provider, shared: Shared
) -> None:
    url, before, event = ERROR_EVENTS[style]
    # Some end the stream with the error, some as if nothing had been.
    ends = Answer(steps=[*before, event]), Answer(steps=[*before, event, b"data: [DONE]\n\n"])
    provider.on(httpx.URL(url).path, *ends)
    with shared.lent("record", provider) as proxy:
        for times, answer in enumerate(ends, 1):
            assert post(proxy, url) == answer.body
            proxy.wait_for_log(rf"(not recorded: .*: the stream holds an error[\s\S]*){{{times}}}")
        still_works(proxy, provider)
        assert recorded(proxy.folder) == [OTHER.stem]


# -- the client leaves -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coding", [None, "gzip"])
def test_a_client_that_leaves_before_the_end_and_one_after_it(coding: Any, provider: Provider, shared: Shared) -> None:
    forever = threading.Event()
    # Compressed, the coding's own trailer is still to come when the client has read [DONE].
    whole = Answer(steps=[*ALL.steps, Wait(forever)], coding=coding)
    provider.on(FIREWORKS_CHAT, replace(ALL, coding=coding).insert(9, Wait(forever)), whole)
    with shared.lent("record", provider) as proxy:
        for pieces in (9, len(ALL.steps)):
            provider.left.clear()
            sent = b"".join(step for step in coded(whole)[:pieces] if isinstance(step, bytes))
            with client_of(proxy) as client, client.stream("POST", URL, json=BODY) as answer:
                got = bytearray()
                for piece in answer.iter_raw():
                    got += piece
                    if len(got) >= len(sent):
                        break
                assert got == sent
            assert provider.left.wait(60)  # The provider is not left to talk to nobody.
            proxy.wait_for_log("not recorded: .*broke off" if pieces == 9 else f"recorded {CHAT.stem}")
        still_works(proxy, provider)
        assert recorded(proxy.folder) == sorted([CHAT.stem, OTHER.stem])
        assert (proxy.folder / "responses" / CHAT.name).read_bytes() == CHAT.read_bytes()


# -- odd and large -----------------------------------------------------------------------------------------------------


def test_a_stream_that_trickles_byte_by_byte(provider: Provider, shared: Shared) -> None:
    provider.on(FIREWORKS_CHAT, Answer(steps=[bytes([byte]) for byte in ALL.body]))
    with shared.lent("record", provider) as proxy:
        assert post(proxy) == ALL.body
        proxy.wait_for_log(f"recorded {CHAT.stem}")
        still_works(proxy, provider)
        assert (proxy.folder / "responses" / CHAT.name).read_bytes() == CHAT.read_bytes()


def test_a_thousand_comments_before_the_first_chunk(provider: Provider, shared: Shared) -> None:
    # A minute of keep-alives, but for the minute: no clock of ours runs meanwhile.
    steps = [b": keep-alive\n\n"] * 1000 + [*ALL.steps]
    provider.on(FIREWORKS_CHAT, Answer(steps=steps))
    with shared.lent("record", provider) as proxy:
        assert post(proxy) == Answer(steps=steps).body
        proxy.wait_for_log(f"recorded {CHAT.stem}")
        still_works(proxy, provider)
        assert (proxy.folder / "responses" / CHAT.name).read_bytes() == CHAT.read_bytes()


def large(size: int) -> dict[str, Any]:
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
    return {**chunk, "choices": [{"index": 0, "delta": {"content": "x" * size}, "finish_reason": None}]}


@pytest.mark.parametrize(("count", "size"), [(1, 5_000_000), (500, 100_000)])
def test_large_answers_are_passed_on_and_recorded(count: int, size: int, provider: Provider, shared: Shared) -> None:
    steps = sse([large(size)] * count)
    provider.on(FIREWORKS_CHAT, Answer(steps=list(steps)))
    with shared.lent("record-if-missing", provider) as proxy:
        assert post(proxy) == b"".join(steps)
        still_works(proxy, provider)  # Its recording waits behind the large one.
        proxy.wait_for_log(f"recorded {CHAT.stem}", 60)
        assert post(proxy) == b"".join(steps)
        assert recorded(proxy.folder) == sorted([CHAT.stem, OTHER.stem])
    assert len(provider.requests) == 2


def test_a_request_of_thirty_megabytes(provider: Provider, shared: Shared) -> None:
    image = base64.b64encode(os.urandom(22_500_000)).decode()
    part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{image}"}}
    body = {"model": MODEL, "messages": [{"role": "user", "content": [part]}], "stream": True}
    provider.on(FIREWORKS_CHAT, ALL)
    with shared.lent("record-if-missing", provider) as proxy:
        assert post(proxy, body=body) == ALL.body
        proxy.wait_for_log("recorded ", 60)
        assert post(proxy, body=body) == ALL.body
        still_works(proxy, provider)
    assert len(provider.requests) == 2
    assert json.loads(provider.requests[0].body) == body


# -- content codings ---------------------------------------------------------------------------------------------------


def bytes_of(steps: list[Step]) -> bytes:
    return b"".join(step for step in steps if isinstance(step, bytes))


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_compressed_stream_whole_and_cut(coding: Any, provider: Provider, shared: Shared) -> None:
    whole = bytes_of(coded(replace(ALL, coding=coding)))
    cut, go_on = whole[: len(whole) // 2], threading.Event()
    headers = (*ALL.headers, ("content-encoding", coding))
    provider.on(
        FIREWORKS_CHAT,
        Answer(headers=headers, steps=[cut, Wait(go_on), Close()]),
        Answer(headers=headers, steps=[cut]),  # The framing ends well, the coding does not.
        replace(ALL, coding=coding),
    )
    with shared.lent("record", provider) as proxy:
        assert post_until_it_breaks(proxy, len(cut), go_on) == (cut, True)
        assert post(proxy) == cut
        proxy.wait_for_log(r"(not recorded: [\s\S]*broke off[\s\S]*){2}")
        assert written(proxy.folder) == []
        assert post(proxy) == whole
        proxy.wait_for_log(f"recorded {CHAT.stem}")
        assert recorded(proxy.folder) == [CHAT.stem]
        assert (proxy.folder / "responses" / CHAT.name).read_bytes() == CHAT.read_bytes()


def test_an_answer_that_is_not_what_its_coding_says(provider: Provider, shared: Shared) -> None:
    answer = json_answer({"object": "chat.completion", "choices": []})
    broken = zlib.compress(answer.body, wbits=31)[:-20]
    headers = (*answer.headers, ("content-encoding", "gzip"))
    provider.on(
        FIREWORKS_CHAT,
        Answer(headers=headers, steps=[answer.body]),
        Answer(headers=headers, steps=[broken], framing="length"),
    )
    with shared.lent("record", provider) as proxy:
        body = {**BODY, "stream": False}
        assert post(proxy, body=body) == answer.body
        proxy.wait_for_log("not recorded: .*is not what its content coding says")
        assert post(proxy, body=body) == broken
        proxy.wait_for_log("not recorded: .*is not JSON")
        still_works(proxy, provider)
        assert recorded(proxy.folder) == [OTHER.stem]


# -- HTTP --------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def tunnel(proxy: harness.Mitmdump, *alpn: str) -> Iterator[ssl.SSLSocket]:
    context = ssl.create_default_context(cafile=str(proxy.ca_file))
    if alpn:
        context.set_alpn_protocols(alpn)
    with socket.create_connection(("127.0.0.1", proxy.port), 10) as plain:
        plain.sendall(connect_head(proxy))
        assert plain.recv(1000).startswith(b"HTTP/1.1 200")
        with context.wrap_socket(plain, server_hostname="api.fireworks.ai") as client:
            yield client


@pytest.mark.parametrize("http2", [False, True])
def test_expect_100_continue(http2: bool, shared: Shared) -> None:
    content = json.dumps(BODY).encode()
    head = (
        f"POST {FIREWORKS_CHAT} HTTP/1.1\r\nhost: api.fireworks.ai\r\nexpect: 100-continue\r\n"
        f"content-length: {len(content)}\r\nconnection: close\r\n\r\n"
    )
    with Provider(http2=http2) as provider:
        provider.on(FIREWORKS_CHAT, ALL)
        with shared.lent("record-if-missing", provider) as proxy:
            for _ in ("live", "from the recording"):
                with tunnel(proxy, "http/1.1", "h2") as client, client.makefile("rb") as answer:
                    client.sendall(head.encode())
                    assert answer.readline().startswith(b"HTTP/1.1 100")
                    assert answer.readline() == b"\r\n"
                    client.sendall(content)
                    assert answer.readline().startswith(b"HTTP/1.1 200")
                    assert b"[DONE]" in answer.read()
                proxy.wait_for_log(f"recorded {CHAT.stem}")
            assert (proxy.folder / "responses" / CHAT.name).read_bytes() == CHAT.read_bytes()
        assert [request.body for request in provider.requests] == [content]
        assert over_http2(provider) == http2


def curl(*options: str) -> list[str]:
    if not shutil.which("curl"):
        pytest.skip("curl is not on this machine")
    return ["curl", "-sS", URL, "-H", "content-type: application/json", "-d", json.dumps(BODY), *options]


def over_http2(provider: Provider) -> bool:
    """Whether the last request came so: the host is then no header."""
    return provider.requests[-1].header("host") is None


def ask_over_http1(proxy: harness.Mitmdump) -> tuple[str, bytes]:
    # mitmproxy offers the provider what the client offers: this one prefers HTTP/1.1 and could do HTTP/2.
    with environment(client_env(proxy)):
        client = httpx.Client(http1=True, http2=True)
    with client, client.stream("POST", URL, json=BODY) as answer:
        return answer.http_version.removeprefix("HTTP/"), b"".join(answer.iter_raw())


def ask_over_http2(proxy: harness.Mitmdump) -> tuple[str, bytes]:
    command = curl("--http2", "-w", "%{stderr}%{http_version}")
    result = subprocess.run(command, env=client_env(proxy), capture_output=True, check=True, timeout=60)
    return result.stderr.decode(), result.stdout


@pytest.mark.parametrize(("upstream", "client"), [("2", "1.1"), ("1.1", "2"), ("2", "2")])
def test_http2_on_either_side(upstream: str, client: str, shared: Shared) -> None:
    ask = ask_over_http2 if client == "2" else ask_over_http1
    with Provider(http2=upstream == "2") as provider:
        provider.on(FIREWORKS_CHAT, ALL)
        with shared.lent("record-if-missing", provider) as proxy:
            assert ask(proxy) == (client, ALL.body)
            assert over_http2(provider) == (upstream == "2")
            proxy.wait_for_log(f"recorded {CHAT.stem}")
            assert ask(proxy) == (client, ALL.body)
            assert (proxy.folder / "responses" / CHAT.name).read_bytes() == CHAT.read_bytes()
        assert len(provider.requests) == 1


# -- the disk ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["between two requests", "in the middle of a stream"])
def test_the_folder_vanishes_while_it_runs(when: str, provider: Provider, recordings: Path) -> None:
    go_on, middle = threading.Event(), when == "in the middle of a stream"
    provider.on(FIREWORKS_CHAT, ALL, ALL.insert(9, Wait(go_on)) if middle else ALL)
    with Mitmdump(recordings, "record-if-missing", origin=provider) as proxy:
        assert post(proxy) == ALL.body
        proxy.wait_for_log(f"recorded {CHAT.stem}")
        if middle:
            asked = body_for("another") | {"seed": 1}
            with client_of(proxy) as client, client.stream("POST", URL, json=asked) as answer:
                shutil.rmtree(recordings)
                go_on.set()
                assert b"".join(answer.iter_raw()) == ALL.body
        else:
            shutil.rmtree(recordings)
            assert post(proxy) == ALL.body
        proxy.wait_for_log(r"(recorded \w{12}[\s\S]*){2}")
        still_works(proxy, provider)
    assert len(provider.requests) == 3
    assert len(recorded(recordings)) == 2


def test_a_file_that_may_not_grow_is_loud_and_harms_no_client(provider: Provider, recordings: Path) -> None:
    provider.on(FIREWORKS_CHAT, ALL)
    with Mitmdump(recordings, "record-if-missing", origin=provider) as proxy:
        # No file of this process may grow beyond 100 bytes: as with a quota.
        resource.prlimit(proxy.process.pid, resource.RLIMIT_FSIZE, (100, 100))
        for times in (1, 2):
            assert post(proxy) == ALL.body
            proxy.wait_for_log(rf"(RECORDING LOST: .*cannot be written[\s\S]*){{{times}}}")
    assert written(recordings) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 kB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, left: int) -> Path:
    """Fill a disk but for so many bytes."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    os.truncate(filler, filler.stat().st_size - left)
    return filler


def test_a_full_disk_is_loud_and_harms_no_client_and_with_room_again_all_is_well(
    provider: Provider, small_disk: Path
) -> None:
    provider.on(FIREWORKS_CHAT, ALL)
    recordings = small_disk / "recordings"
    with Mitmdump(recordings, "record-if-missing", origin=provider) as proxy:
        filler = fill(small_disk, 8192)
        assert post(proxy) == ALL.body
        proxy.wait_for_log("RECORDING LOST: .*could not be written: .*No space left on device")
        assert written(recordings) == []
        filler.unlink()
        assert post(proxy) == ALL.body
        proxy.wait_for_log(f"recorded {CHAT.stem}")
        assert post(proxy) == ALL.body
        # There is room for a recording, and none for its capture beside it.
        fill(small_disk, 32768)
        still_works(proxy, provider)
        proxy.wait_for_log(f"CAPTURE LOST: .*wire/{OTHER.name} could not be written: .*No space left on device")
        still_works(proxy, provider)
        proxy.wait_for_log(f"hit {OTHER.stem}")
        proxy.stop()
        assert "2 recorded" in proxy.log()
    assert len(provider.requests) == 3
    assert [path.name for path in written(recordings)] == [CHAT.name, OTHER.name, CHAT.name]
    assert (recordings / "default" / "responses" / OTHER.name).read_bytes() == OTHER.read_bytes()


# -- the proxy is ended ------------------------------------------------------------------------------------------------


def ask_all(pool: ThreadPoolExecutor, client: httpx.Client, words: range) -> None:
    def ask(number: int) -> None:
        with contextlib.suppress(httpx.TransportError):
            client.post(URL, json=body_for(number))

    for number in words:
        pool.submit(ask, number)


def test_killed_while_twenty_streams_are_under_way(provider: Provider, recordings: Path) -> None:
    provider.on(FIREWORKS_CHAT, ALL.insert(20, Wait(threading.Event())))
    with Mitmdump(recordings, "record", origin=provider) as proxy:
        with client_of(proxy) as client, ThreadPoolExecutor(20) as pool:
            ask_all(pool, client, range(20))
            proxy.wait_for_log(r"(Streaming response[\s\S]*){20}")
            proxy.process.send_signal(signal.SIGKILL)
        assert proxy.process.wait() == -signal.SIGKILL
    assert written(recordings) == []


def stopped_writer(recordings: Path) -> tuple[Path, int] | None:
    """A temporary file whose writer is stopped in the middle of it, and the writer."""
    for path in recordings.glob("default/*/.wiretape-*.tmp"):
        pid = int(path.name.split("-")[2])
        os.kill(pid, signal.SIGSTOP)
        if path.exists():
            return path, pid
        os.kill(pid, signal.SIGCONT)
    return None


@pytest.mark.parametrize("writer_too", [True, False])
def test_killed_while_it_writes_twenty_recordings(writer_too: bool, provider: Provider, recordings: Path) -> None:
    steps, go_on = sse([large(10_000)] * 100), threading.Event()
    provider.on(FIREWORKS_CHAT, Answer(steps=[*steps[:-1], Wait(go_on), steps[-1]]))
    with Mitmdump(recordings, "record", origin=provider) as proxy:
        with client_of(proxy) as client, ThreadPoolExecutor(20) as pool:
            ask_all(pool, client, range(20))
            provider.wait_for_requests(20)
            go_on.set()
            stopped = wait_until(lambda: stopped_writer(recordings))
            assert stopped
            left, writer = stopped
            proxy.process.send_signal(signal.SIGKILL)
            proxy.process.wait()
        # The writer is a process of its own: with it dies what a container holds, and it lives on where only the
        # proxy is killed. Then it writes what it has, and ends, and has no complaint.
        os.kill(writer, signal.SIGKILL if writer_too else signal.SIGCONT)
    assert left.exists() == writer_too
    assert any(path.suffix != ".json" for path in written(recordings)) == writer_too
    whole = [path.stem for path in written(recordings) if path.parent.name == "responses" and path.suffix == ".json"]
    for name in whole:
        content = load(recordings / "default" / "responses" / f"{name}.json")
        assert len(content["response"]["body"]) == 100
    provider.on("/inference/v1/completions", from_recording(OTHER))
    with Mitmdump(recordings, "record-if-missing", origin=provider) as proxy:
        if writer_too:
            proxy.wait_for_log(f"removed {left}: its writer was killed")
        for number in range(3):
            # Not byte for byte: the writer may have been killed between a recording and its capture.
            assert post(proxy, body=body_for(number)).count(b"data: ") == b"".join(steps).count(b"data: ")
        still_works(proxy, provider)
    assert [path for path in written(recordings) if path.suffix != ".json"] == []


def test_sigterm_says_what_became_of_each_stream(provider: Provider, recordings: Path) -> None:
    forever = threading.Event()
    provider.on(
        FIREWORKS_CHAT,
        ALL.insert(5, Wait(forever)),
        Answer(steps=[*ALL.steps, Wait(forever)]),
        ALL.insert(0, Wait(forever)),
    )
    with (
        Mitmdump(recordings, "record", origin=provider) as proxy,
        client_of(proxy) as client,
        client.stream("POST", URL, json=body_for("cut")) as cut,
        client.stream("POST", URL, json=BODY) as whole,
        ThreadPoolExecutor(1) as pool,
    ):
        for answer, size in ((cut, len(replace(ALL, steps=ALL.steps[:5]).body)), (whole, len(ALL.body))):
            got = 0
            pieces = answer.iter_raw()
            while got < size:
                got += len(next(pieces))
        ask_all(pool, client, range(1))
        provider.wait_for_requests(3)
        proxy.wait_for_log(r"(Streaming response[\s\S]*){3}")
        assert proxy.stop(signal.SIGTERM) == 0
        log = proxy.log()
    assert log.count(f"not recorded: {ASKED}: the stream ended without its last event: it broke off") == 2
    assert log.count(f"recorded {CHAT.stem}: /v1/chat/completions {MODEL}") == 1
    assert "1 recorded, 3 requests sent to providers, 2 answers NOT recorded" in log
    assert recorded(recordings) == [CHAT.stem]
    assert (recordings / "default" / "responses" / CHAT.name).read_bytes() == CHAT.read_bytes()


def test_a_journal_that_somebody_removes_costs_what_was_in_it_and_nothing_later(
    provider: Provider, recordings: Path, tmp_path: Path
) -> None:
    provider.on(FIREWORKS_CHAT, ALL)
    with Mitmdump(
        recordings, "record-if-missing", origin=provider, env={"XDG_STATE_HOME": str(tmp_path / "state")}
    ) as proxy:
        assert post(proxy) == ALL.body
        proxy.wait_for_log(f"recorded {CHAT.stem}")
        shutil.rmtree(tmp_path / "state")
        assert post(proxy, body=body_for("new")) == ALL.body
        proxy.wait_for_log("has been removed: what was in it is lost")
        proxy.wait_for_log(r"(recorded [0-9a-f]{12}: [\s\S]*){2}")
        proxy.stop()
        assert "2 recorded" in proxy.log()
        proxy.assert_sound()
