"""Recording: a real client, mitmdump and TLS provider; the files are the public recorder's, byte for byte."""

import asyncio
import json
import signal
import threading
from pathlib import Path

import httpx
import httpx2
import openai
import pytest

from harness import Mitmdump, async_openai_client, openai_client, wait_until
from loopback import (
    Answer,
    Close,
    Coding,
    EndEarly,
    Provider,
    Received,
    Reset,
    Step,
    Wait,
    error_answer,
    from_recording,
    json_answer,
    sse,
)
from samples import BASES, CHAT, FIREWORKS_CHAT, MODEL, SAMPLES, base_url, call, chunks_of, dumped, load
from sharing import Shared
from talk import URL, body, httpx_client


def written(session: Path) -> list[Path]:
    """The recordings in a session's folder."""
    return sorted((session / "responses").glob("*"))


def ask(client: openai.OpenAI, text: str = "Hello, world!") -> list[object]:
    stream = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": text}], stream=True)
    return [dumped(chunk) for chunk in stream]


def test_the_four_samples_are_recorded_byte_for_byte(provider: Provider, recordings: Path) -> None:
    contents = {name: load(path) for name, path in SAMPLES.items()}
    for content in contents.values():
        path = base_url(content).partition(".ai")[2] + content["request"]["endpoint"].removeprefix("/v1")
        provider.on(path, from_recording(content))
    with Mitmdump(recordings, "record", origin=provider) as proxy:
        for content in contents.values():
            with openai_client(proxy, base_url(content)) as client:
                assert [dumped(chunk) for chunk in call(client, content)] == chunks_of(content)
        wait_until(lambda: len(written(recordings / "default")) == 4)
        assert proxy.stop() == 0
    assert {path.name: path.read_bytes() for path in written(recordings / "default")} == {
        path.name: path.read_bytes() for path in SAMPLES.values()
    }


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_compressed_stream_is_recorded_like_a_plain_one(coding: Coding, provider: Provider, shared: Shared) -> None:
    provider.on(FIREWORKS_CHAT, from_recording(CHAT, coding=coding))
    with shared.lent("record", provider) as proxy, openai_client(proxy) as client:
        raw = client.chat.completions.with_streaming_response.create(
            model=MODEL, messages=[{"role": "user", "content": "Hello, world!"}], stream=True
        )
        with raw as response:  # Not every client knows every coding: here the proxy is asked, not the SDK.
            assert response.headers["content-encoding"] == coding
            response.read()
        proxy.wait_for_log("recorded ")
        assert [path.read_bytes() for path in written(proxy.folder)] == [CHAT.read_bytes()]


def test_the_first_chunk_arrives_before_the_provider_sends_the_second(provider: Provider, shared: Shared) -> None:
    go_on = threading.Event()
    provider.on(FIREWORKS_CHAT, from_recording(CHAT).insert(1, Wait(go_on)))
    with shared.lent("record", provider) as proxy, openai_client(proxy) as client:
        stream = client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "Hello, world!"}], stream=True
        )
        first = next(iter(stream))
        assert first.choices[0].delta.role == "assistant"
        go_on.set()
        assert len([*stream]) == len(chunks_of(load(CHAT))) - 1
        proxy.wait_for_log("recorded ")


def test_answers_in_one_piece_are_recorded_and_replayed(provider: Provider, shared: Shared) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    head = {"id": "x-1", "created": 1758920391, "model": MODEL}
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi ⚡"}, "finish_reason": "stop"}
    provider.on(FIREWORKS_CHAT, json_answer({**head, "object": "chat.completion", "choices": [choice], "usage": usage}))
    text = {"index": 0, "text": " blue", "logprobs": None, "finish_reason": "length"}
    provider.on(
        "/inference/v1/completions",
        json_answer({**head, "object": "text_completion", "choices": [text], "usage": usage, "perf_metrics": None}),
    )

    def both(proxy: Mitmdump) -> list[object]:
        with openai_client(proxy) as client:
            chat = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Hi"}])
            assert chat.choices[0].message.content == "Hi ⚡"
            completion = client.completions.create(model=MODEL, prompt="violets are", max_tokens=1)
            return [dumped(chat), dumped(completion)]

    with shared.lent("record", provider) as recorder:
        live = both(recorder)
        recorder.wait_for_log(r"(recorded [\s\S]*){2}")
        types = {json.loads(path.read_bytes())["response"]["body"]["__type__"] for path in written(recorder.folder)}
        replay = recorder.anew("replay")
    assert types == {"openai.types.chat.chat_completion.ChatCompletion", "openai.types.completion.Completion"}
    with replay as proxy:
        assert both(proxy) == live
        assert proxy.connects() == []


def test_no_key_no_header_no_cookie_reaches_the_disk_or_the_log(provider: Provider, recordings: Path) -> None:
    provider.on(FIREWORKS_CHAT, from_recording(CHAT))
    with (
        Mitmdump(recordings, "record", origin=provider) as proxy,
        openai_client(proxy, api_key="fw_very_secret_key") as client,
    ):
        ask(client)
        proxy.stop()
        log = proxy.log()
    assert provider.requests[0].header("authorization") == "Bearer fw_very_secret_key"
    everything = log + "".join(path.read_text() for path in written(recordings / "default"))
    for secret in ("very_secret", "set-cookie-secret", "req_4f1c0ffee0ddba11"):
        assert secret not in everything


def test_record_if_missing_asks_once_and_serves_from_then_on(provider: Provider, shared: Shared) -> None:
    provider.on(FIREWORKS_CHAT, from_recording(CHAT))
    with shared.lent("record-if-missing", provider) as proxy, openai_client(proxy) as client:
        first = ask(client)
        proxy.wait_for_log("recorded ")
        assert ask(client) == first
        assert len(provider.requests) == 1


def test_live_passes_and_records_nothing(provider: Provider, recordings: Path) -> None:
    provider.on(FIREWORKS_CHAT, from_recording(CHAT))
    with Mitmdump(recordings, "live", origin=provider) as proxy, openai_client(proxy) as client:
        assert ask(client) == ask(client) == chunks_of(load(CHAT))
        proxy.stop()
    assert len(provider.requests) == 2
    assert not recordings.exists()


def test_two_clients_at_once_make_one_whole_file(provider: Provider, recordings: Path) -> None:
    both_are_here = threading.Event()
    provider.on(FIREWORKS_CHAT, from_recording(CHAT).insert(0, Wait(both_are_here)))

    async def two(proxy: Mitmdump) -> None:
        async def one(client: openai.AsyncOpenAI) -> int:
            stream = await client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": "Hello, world!"}], stream=True
            )
            return len([chunk async for chunk in stream])

        async with async_openai_client(proxy) as first, async_openai_client(proxy) as second:
            tasks = [asyncio.create_task(one(first)), asyncio.create_task(one(second))]
            await asyncio.to_thread(provider.wait_for_requests, 2)
            both_are_here.set()
            assert await asyncio.gather(*tasks) == [26, 26]

    options = {"wiretape_single_flight": "false"}  # Each asks the provider: both have an answer to write.
    with Mitmdump(recordings, "record-if-missing", origin=provider, options=options) as proxy:
        asyncio.run(two(proxy))
        proxy.stop()
    assert [path.name for path in written(recordings / "default")] == [CHAT.name]
    assert written(recordings / "default")[0].read_bytes() == CHAT.read_bytes()


@pytest.mark.parametrize("status", [401, 429, 500])
def test_an_error_passes_unchanged_and_is_no_hit_later(status: int, provider: Provider, shared: Shared) -> None:
    provider.on(FIREWORKS_CHAT, error_answer(status, "no luck today"), from_recording(CHAT))
    with (
        shared.lent("record-if-missing", provider) as proxy,
        openai_client(proxy, max_retries=0) as client,
    ):
        with pytest.raises(openai.APIStatusError, match="no luck today") as raised:
            ask(client)
        assert raised.value.status_code == status
        assert raised.value.response.headers["x-request-id"] == "req_4f1c0ffee0ddba11"
        assert raised.value.response.content == error_answer(status, "no luck today").body
        proxy.wait_for_log(f"not recorded: .*status {status}")
        assert ask(client) == chunks_of(load(CHAT))
        proxy.wait_for_log(f"recorded {CHAT.stem}")
        assert [path.name for path in written(proxy.folder)] == [CHAT.name]


BROKEN: dict[str, Step] = {
    "reset": Reset(),
    "closed before its end": Close(),
    "ended cleanly without [DONE]": EndEarly(),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_stream_that_breaks_off_leaves_no_recording(how: str, provider: Provider, shared: Shared) -> None:
    provider.on(FIREWORKS_CHAT, from_recording(CHAT).insert(5, BROKEN[how]))
    with shared.lent("record", provider) as proxy, openai_client(proxy, max_retries=0) as client:
        chunks = []
        try:
            for chunk in client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": "Hello, world!"}], stream=True
            ):
                chunks.append(dumped(chunk))
        except (openai.APIError, httpx2.TransportError):
            pass  # The SDK lets its HTTP stack's own errors through.
        assert chunks == chunks_of(load(CHAT))[: len(chunks)]
        proxy.wait_for_log("not recorded: ")
        assert written(proxy.folder) == []


def test_a_client_that_leaves_before_the_end_leaves_no_recording(provider: Provider, shared: Shared) -> None:
    provider.on(FIREWORKS_CHAT, from_recording(CHAT).insert(3, Wait(threading.Event())))
    with shared.lent("record", provider) as proxy:
        with openai_client(proxy) as client:
            stream = client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": "Hello, world!"}], stream=True
            )
            next(iter(stream))
            stream.close()
        assert provider.left.wait(60)
        proxy.wait_for_log("not recorded: ")
        assert written(proxy.folder) == []


def test_a_client_that_leaves_at_done_loses_nothing(provider: Provider, shared: Shared) -> None:
    # The sync SDK closes its connection at [DONE]: here the provider has not ended its answer yet.
    provider.on(FIREWORKS_CHAT, Answer(steps=[*from_recording(CHAT).steps, Wait(threading.Event())]))
    with shared.lent("record", provider) as proxy:
        with openai_client(proxy) as client:
            ask(client)
        proxy.wait_for_log("recorded ")
        assert [path.read_bytes() for path in written(proxy.folder)] == [CHAT.read_bytes()]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_stopping_the_proxy_writes_what_is_whole(sent: signal.Signals, provider: Provider, recordings: Path) -> None:
    provider.on(FIREWORKS_CHAT, Answer(steps=[*from_recording(CHAT).steps, Wait(threading.Event())]))
    with Mitmdump(recordings, "record", origin=provider) as proxy, openai_client(proxy) as client:
        raw = client.chat.completions.with_streaming_response.create(
            model=MODEL, messages=[{"role": "user", "content": "Hello, world!"}], stream=True
        )
        with raw as response:
            lines = response.iter_lines()
            assert any(line == "data: [DONE]" for line in lines)
            assert proxy.stop(sent) == 0
    assert [path.read_bytes() for path in written(recordings / "default")] == [CHAT.read_bytes()]


def test_an_unwritable_folder_is_loud_and_the_client_gets_its_answer(provider: Provider, shared: Shared) -> None:
    provider.on(FIREWORKS_CHAT, from_recording(CHAT))
    with shared.lent("record", provider) as proxy, openai_client(proxy) as client:
        proxy.folder.parent.mkdir(exist_ok=True)
        proxy.folder.write_text("a file where the session's folder would be")
        assert ask(client) == chunks_of(load(CHAT))
        proxy.wait_for_log("RECORDING LOST: .*could not be written")


ODD_STREAMS = {
    "CRLF, comments and event names": sse(
        [b": ping\r\n\r\n", b'event: x\r\ndata: {"id": "1", "choices": []}\r\n\r\n'], newline=b"\r\n"
    ),
    "data in several lines": [b'data: {"id": "1",\ndata: "choices": []}\n\n', b"data: [DONE]\n\n"],
    "byte by byte": [bytes([byte]) for byte in b'data: {"id": "1", "choices": []}\n\ndata: [DONE]\n\n'],
}


@pytest.mark.parametrize("name", ODD_STREAMS)
def test_streams_in_every_dress_are_recorded(name: str, provider: Provider, shared: Shared) -> None:
    provider.on(FIREWORKS_CHAT, Answer(steps=ODD_STREAMS[name]))
    with shared.lent("record", provider) as proxy, openai_client(proxy) as client:
        assert len(ask(client)) == 1
        proxy.wait_for_log("recorded ")
        (path,) = written(proxy.folder)
        (element,) = json.loads(path.read_bytes())["response"]["body"]
    assert (element["__data__"]["id"], element["__data__"]["usage"]) == ("1", None)


def test_a_character_over_two_chunks_is_one_character(provider: Provider, shared: Shared) -> None:
    event = 'data: {"id": "1", "choices": [{"index": 0, "delta": {"content": "⚡"}}]}\n\n'.encode()
    cut = event.index("⚡".encode()) + 1
    provider.on(FIREWORKS_CHAT, Answer(steps=[event[:cut], event[cut:], b"data: [DONE]\n\n"]))
    with shared.lent("record", provider) as proxy, openai_client(proxy) as client:
        ask(client)
        proxy.wait_for_log("recorded ")
        (path,) = written(proxy.folder)
        content = path.read_bytes()
    assert json.loads(content)["response"]["body"][0]["__data__"]["choices"][0]["delta"]["content"] == "⚡"
    assert b"\\u26a1" in content


BAD_STREAMS = {
    "invalid JSON in a chunk": [b'data: {"id": \n\n', b"data: [DONE]\n\n"],
    "an error event": sse([{"error": {"message": "overloaded", "type": "server_error"}}]),
    "nothing at all": [],
    "only [DONE]": [b"data: [DONE]\n\n"],
}


@pytest.mark.parametrize("name", BAD_STREAMS)
def test_a_bad_stream_reaches_the_client_as_it_is_and_is_not_recorded(
    name: str, provider: Provider, shared: Shared
) -> None:
    answer = Answer(steps=BAD_STREAMS[name])
    provider.on(FIREWORKS_CHAT, answer)
    with shared.lent("record", provider) as proxy, openai_client(proxy, max_retries=0) as client:
        raw = client.chat.completions.with_streaming_response.create(
            model=MODEL, messages=[{"role": "user", "content": "Hello, world!"}], stream=True
        )
        with raw as response:
            assert response.read() == answer.body
        proxy.wait_for_log("not recorded: ")
        assert written(proxy.folder) == []


def test_the_async_client_records_the_same(provider: Provider, shared: Shared) -> None:
    provider.on("/v1/completions", from_recording(SAMPLES["cerebras completions"]))
    content = load(SAMPLES["cerebras completions"])

    async def ask_async(proxy: Mitmdump) -> list[object]:
        async with async_openai_client(proxy, BASES["api.cerebras.ai"]) as client:
            body = content["request"]["body"]
            stream = await client.completions.create(
                model=body["model"], prompt=body["prompt"], max_tokens=50, stream=True
            )
            return [dumped(chunk) async for chunk in stream]

    with shared.lent("record", provider) as proxy:
        assert asyncio.run(ask_async(proxy)) == chunks_of(content)
        proxy.wait_for_log("recorded ")
        assert [path.read_bytes() for path in written(proxy.folder)] == [SAMPLES["cerebras completions"].read_bytes()]


ODD = {
    "https://api.together.xyz/v1/models": b'[{"id": "a/b", "object": "model", "type": "chat"}]',
    "https://api.openai.com/v1/models": b'{"object": "list", "data": null}',
    "https://api.openai.com/v1/completions": b'{"choices": [{"finish_reason": "\\ud83d", "odd": [-Infinity]}]}',
    "https://api.anthropic.com/v1/messages": b'{"usage": {"cost": NaN, "n": 123456789012345678901234567890}}',
}


def test_json_as_servers_send_it_is_replayed_with_and_without_its_capture(provider: Provider, shared: Shared) -> None:
    def answer(received: Received) -> Answer:
        url = f"https://{received.host.partition(':')[0]}{received.path}"
        headers = (("content-type", "application/json"), ("content-encoding", "UTF-8"))
        return Answer(headers=headers, steps=[ODD[url]], framing="length")

    def sent(client: httpx.Client, url: str) -> bytes:
        return client.request("GET" if url.endswith("models") else "POST", url, json=body("Hi", stream=False)).content

    provider.on("*", answer)
    with shared.lent("record", provider) as proxy:
        with httpx_client(proxy) as client:
            assert [sent(client, url) for url in ODD] == [*ODD.values()]
        proxy.wait_for_log(r"(\] recorded [\s\S]*){4}")
        proxy.in_mode("replay")
        with httpx_client(proxy) as client:
            assert [sent(client, url) for url in ODD] == [*ODD.values()]
            for capture in (proxy.folder / "wire").iterdir():
                capture.unlink()
            again = [sent(client, url) for url in ODD]
        assert [json.dumps(json.loads(each), sort_keys=True) for each in again] == [
            json.dumps(json.loads(each), sort_keys=True) for each in ODD.values()
        ]


def test_what_fails_is_kept_where_asked_for_and_fails_again_as_it_did(provider: Provider, recordings: Path) -> None:
    slow = error_answer(429, "slow down", headers=(("retry-after-ms", "1"),))
    broken = from_recording(CHAT).insert(5, b'data: {"id":', Reset())
    left = from_recording(CHAT).insert(5, Wait(threading.Event()))
    provider.on(FIREWORKS_CHAT, slow, slow, from_recording(CHAT), broken, left)
    started = b'event: message_start\ndata: {"type":"message_start","message":{}}\n\n'
    overloaded = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n'
    provider.on("/v1/messages", Answer(steps=[started, overloaded]))
    provider.on("/v1/models", json_answer({"moved": True}, 307, headers=(("location", "/v2/models?key=hidden"),)))

    def asked(proxy: Mitmdump) -> list[object]:
        with httpx_client(proxy) as client, openai_client(proxy, max_retries=2) as patient:
            # Three times at the provider: the SDK asks again by itself.
            got: list[object] = [ask(patient)]
            with pytest.raises(httpx.TransportError), client.stream("POST", URL, json=body("Broken")) as response:
                got.extend(response.iter_raw())
            got.append(client.post("https://api.anthropic.com/v1/messages", json=body("Late")).content)
            moved = client.get("https://api.openai.com/v1/models")
            return [*got, moved.status_code, moved.json()]

    options = {"wiretape_record_errors": "true"}
    with Mitmdump(recordings, "record", origin=provider, options=options) as proxy:
        live = asked(proxy)
        # What a client does not wait for did not break off at the provider.
        with httpx_client(proxy) as client, client.stream("POST", URL, json=body("Left")) as response:
            next(response.iter_raw())
        proxy.wait_for_log("not recorded: .*broke off")
        proxy.stop()
    assert len(written(recordings / "default")) == 6
    expected = b"".join(step for step in from_recording(CHAT).steps[:5] if isinstance(step, bytes))
    assert live[0] == chunks_of(load(CHAT))
    assert b"".join(piece for piece in live[1:-3] if isinstance(piece, bytes)) == expected + b'data: {"id":'
    captures = b"".join(path.read_bytes() for path in (recordings / "default" / "wire").iterdir())
    assert b'["retry-after-ms", "1"]' in captures
    assert b"/v2/models?key=" in captures
    assert b"hidden" not in captures
    with Mitmdump(recordings, "replay", options=options) as proxy:
        replayed = asked(proxy)
        assert replayed[0] == live[0]
        assert replayed[-3:] == live[-3:]
        assert b"".join(piece for piece in replayed[1:-3] if isinstance(piece, bytes)) == expected + b'data: {"id":'
        # The last one stays.
        with openai_client(proxy, max_retries=0) as client_of_one:
            assert ask(client_of_one) == live[0]
        name = CHAT.stem
        proxy.wait_for_log(rf"hit {name}:[\s\S]*hit {name}\.2:[\s\S]*hit {name}\.3:[\s\S]*hit {name}\.3:")
    # Without the option what failed after it had begun is no hit.
    with Mitmdump(recordings, "replay") as proxy, httpx_client(proxy) as client:
        assert client.post(URL, json=body("Broken")).status_code == 400
