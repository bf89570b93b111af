"""What tells two requests apart, however they are sent: the files of forms, bodies that are no text, queries,
content codings.

Each question is recorded, and asked again with nothing behind the proxy: each gets its own answer, by its bytes.
"""

import gzip
import hashlib
import json
import shutil
import subprocess
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import brotli
import httpx
import pytest
import zstandard

from harness import Mitmdump, client_env, environment, wait_until
from loopback import Answer, Provider, Received, json_answer
from samples import load
from sharing import Shared
from talk import httpx_client

OPENAI = "https://api.openai.com/v1"
FORM = "multipart/form-data; boundary=b"


def told_apart(received: Received) -> Answer:
    """An answer of its own for each question."""
    asked = received.path, received.header("content-type"), received.body
    text = hashlib.sha256(repr(asked).encode()).hexdigest()
    if "embeddings" in received.path:
        return json_answer({"data": [{"embedding": [1.0], "index": 0}], "model": text, "usage": None})
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return json_answer({"text": text, "id": "x", "created": 1, "choices": [choice]})


@pytest.fixture(name="apart")
def _apart(shared: Shared) -> Iterator[Shared]:
    with Provider() as provider:
        provider.on("*", told_apart)
        with shared.lent("record", provider) as proxy:
            yield proxy


def ask(proxy: Mitmdump, questions: Mapping[str, tuple[str, bytes, str]]) -> dict[str, Any]:
    """The answers to posts, each a URL, a body and its content type."""
    answers = {}
    with environment(client_env(proxy)), httpx.Client() as client:
        for name, (url, body, content_type) in questions.items():
            headers = {"content-type": content_type} if content_type else {}
            answer = client.post(url, content=body, headers=headers)
            answers[name] = (answer.status_code, answer.json())
    return answers


def all_recorded(proxy: Mitmdump, number: int) -> None:
    wait_until(lambda: proxy.log().count(" recorded ") == number)


def form(disposition: bytes, audio: bytes) -> bytes:
    field = b"--b\r\nContent-Disposition: form-data; name=model\r\n\r\nwhisper-1\r\n"
    file = b"--b\r\nContent-Disposition: form-data; " + disposition + b"\r\nContent-Type: text/plain\r\n\r\n" + audio
    return field + file + b"\r\n--b--\r\n"


DISPOSITIONS = (
    b'name="file"',
    b"name=file; filename=a.wav; filename*=utf-8''a.wav",
    b"name=\"file\"; filename*=utf-8''na%C3%AFve.wav",
    b'name="file"; filename="na\xefve.wav"',
)
SOUNDS = (b"RIFF\xff\xfe\x01", b"RIFF\xf0\xfa\x01", b"RIFF\xed\xa0\x80", b"RIFF\xed\xa0\x81")


def test_no_two_files_meet(apart: Shared) -> None:
    transcriptions = f"{OPENAI}/audio/transcriptions"
    questions = {
        f"{disposition!r} {audio!r}": (transcriptions, form(disposition, audio), FORM)
        for disposition in DISPOSITIONS
        for audio in SOUNDS
    }
    bare = {f"{kind} {audio!r}": (transcriptions, audio, kind) for kind in ("", "audio/wav") for audio in SOUNDS}
    live = ask(apart, questions | bare)
    assert len({answer["text"] for _, answer in live.values()}) == len(live)
    all_recorded(apart, len(live))
    for path in (apart.folder / "responses").iterdir():
        assert "\ufffd" not in str(load(path)["request"]["payload"])
    apart.in_mode("replay")
    assert ask(apart, questions | bare) == live


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("part", ["file=<{}", "file=@{}", "file=@{};filename=naïve;type=audio/wav"])
def test_what_curl_uploads(apart: Shared, tmp_path: Path, part: str) -> None:
    """Two files of one name, with a boundary of curl's own each time."""

    def upload(number: int) -> bytes:
        audio = tmp_path / str(number) / "a.wav"
        audio.parent.mkdir(exist_ok=True)
        audio.write_bytes(SOUNDS[number])
        form = ["-F", "model=whisper-1", "-F", part.format(audio)]
        command = ["curl", "-sSf", f"{OPENAI}/audio/transcriptions", *form]
        text: bytes = subprocess.run(command, env=client_env(apart), capture_output=True, check=True).stdout
        return text

    live = [upload(0), upload(1)]
    all_recorded(apart, 2)
    apart.in_mode("replay")
    assert [upload(0), upload(1)] == live
    assert live[0] != live[1]


QUERIES = ("", "?api-version=2024-06-01", "?api-version=2025-04-01-preview", "?a=1&a=2", "?q=%E9", "?q=%C3%A9")


def test_a_query_counts_but_for_credentials(apart: Shared) -> None:
    """In an older recording there is none: it answers what has no recording of its own."""
    chat = json.dumps({"model": "m", "messages": []}).encode()
    router = "https://openrouter.ai/api/v1/chat/completions"
    questions = {query: (router + query, chat, "application/json") for query in QUERIES}
    other = {query: (f"{OPENAI}/embeddings{query}", b'{"input": "x", "model": "m"}', "") for query in QUERIES[1:]}
    live = ask(apart, questions), ask(apart, other)
    all_recorded(apart, len(questions) + len(other))
    apart.in_mode("replay")
    assert (ask(apart, questions), ask(apart, other)) == live
    with_key = {
        query: (f"{url}{'&' if query else '?'}api_key=sk-1", body, kind)
        for query, (url, body, kind) in questions.items()
    }
    assert ask(apart, with_key) == live[0]
    unknown = {"?after=x": (f"{router}?after=x", chat, ""), "": (f"{OPENAI}/embeddings", other[QUERIES[1]][1], "")}
    assert {answer["error"]["code"] for _, answer in ask(apart, unknown).values()} == {"recording_not_found"}
    # As whoever knows of no query has recorded it.
    for path in (apart.folder / "wire").iterdir():
        path.unlink()
    assert ask(apart, unknown)["?after=x"][1]["text"] == live[0][""][1]["text"]


def zipped(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": zipped,
    "x-gzip": zipped,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
    "gzip, zstd": lambda body: zstandard.compress(zipped(body)),
    "utf-8": bytes,
    "none": bytes,
}


def coded(client: httpx.Client, content_coding: str, body: bytes, *, chunked: bool = False) -> Any:
    headers = {"content-type": "application/json", "content-encoding": content_coding}
    content = iter([body[:9], body[9:]]) if chunked else body
    answer = client.post(f"{OPENAI}/chat/completions", content=content, headers=headers).json()
    return answer.get("text") or answer["error"]["code"]


@pytest.mark.parametrize("mode", ["record", "record-if-missing"])
def test_a_coded_question_is_the_plain_one(shared: Shared, mode: str) -> None:
    def body(content_coding: str) -> bytes:
        return json.dumps({"model": content_coding, "messages": []}).encode()

    with Provider() as provider, shared.lent(mode, provider) as proxy:
        provider.on("*", told_apart)
        with httpx_client(proxy, http2=mode == "record") as client:
            live = {each: coded(client, each, encode(body(each))) for each, encode in CODINGS.items()}
        assert [each.body for each in provider.requests] == [encode(body(each)) for each, encode in CODINGS.items()]
        all_recorded(proxy, len(CODINGS))
        proxy.in_mode("replay")
        with httpx_client(proxy) as http1, httpx_client(proxy, http2=True) as http2:
            for each, encode in CODINGS.items():
                assert coded(http1, each, encode(body(each))) == live[each]
                assert coded(http1, each, encode(body(each)), chunked=True) == live[each]
                assert coded(http2, each, encode(body(each))) == live[each]
                assert coded(http2, "identity", body(each)) == live[each]
        assert len(provider.requests) == len(CODINGS)


def test_a_bomb_passes_and_is_not_recorded(shared: Shared) -> None:
    bomb = zstandard.compress(b'{"model": "' + b"m" * 65_000_000 + b'", "messages": []}')
    with Provider() as provider, shared.lent("record", provider) as proxy:
        provider.on("*", told_apart)
        for mode in ("record", "record-if-missing"):
            proxy.in_mode(mode)
            with httpx_client(proxy) as client:
                assert len(coded(client, "zstd", bomb)) == 64
        wait_until(lambda: proxy.log().count("larger than 64000000 bytes when decoded") == 2)
        assert [each.body for each in provider.requests] == [bomb, bomb]
        proxy.in_mode("replay")
        with httpx_client(proxy, http2=True) as client:
            assert coded(client, "zstd", bomb) == "recording_not_found"
        assert not (proxy.folder / "responses").exists()
        assert len(provider.requests) == 2
