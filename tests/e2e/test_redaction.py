"""No secret on the disk, in the log or on the terminal, wherever it stood; and all of it replays, with another key."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx

from harness import Mitmdump, client_env, environment, openai_client, wait_until
from loopback import Answer, Provider, error_answer, json_answer, sse
from samples import FIREWORKS_CHAT, MODEL
from wiretape.library import verify
from wiretape.recording import capture
from wiretape.redaction import REDACTED

KEY = "AIza" + "SyD3k_9-Xq7Lm2Rt5Vw8Zb1Nc4Hj6Pf0GsU"[:35]
OTHER = "AIza" + "SyA1b_2-Cd3Ef4Gh5Ij6Kl7Mn8Op9Qr0StU"[:35]
PASSWORD = "hunter2-and-more"

FIREWORKS = f"https://api.fireworks.ai{FIREWORKS_CHAT}"
MESSAGES = "https://api.anthropic.com/v1/messages"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/g:streamGenerateContent"
SPEECH = "https://api.openai.com/v1/audio/transcriptions"


def cut(text: str) -> list[str]:
    return [text[at : at + 3] for at in range(0, len(text), 3)]


def chat(key: str) -> Answer:
    """An answer that says the key in deltas of three characters, with its tokens, and a password for a tool."""
    arguments = json.dumps({"user": "bob", "password": PASSWORD})
    deltas: list[dict[str, Any]] = []
    for piece in cut(f"Your key is {key}. Keep it."):
        said = {"token": piece, "logprob": -0.5, "bytes": [*piece.encode()]}
        deltas.append(
            {"delta": {"content": piece}, "logprobs": {"content": [{**said, "top_logprobs": [said]}]}},
        )
    for piece in cut(arguments):
        call = {"index": 0, "function": {"arguments": piece}}
        deltas.append({"delta": {"tool_calls": [call]}})
    deltas.append({"delta": {}, "finish_reason": "stop"})
    head = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
    return Answer(steps=sse({**head, "choices": [{"index": 0, "finish_reason": None, **each}]} for each in deltas))


def message(key: str) -> Answer:
    texts = [{"type": "text_delta", "text": piece} for piece in cut(f"It is {key}!")]
    parts = [{"type": "input_json_delta", "partial_json": piece} for piece in cut(json.dumps({"password": PASSWORD}))]
    events: list[dict[str, Any]] = [
        {"type": "content_block_delta", "index": index, "delta": delta}
        for index, deltas in enumerate((texts, parts))
        for delta in deltas
    ]
    named = [f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in [*events, {"type": "message_stop"}]]
    return Answer(steps=named)


def gemini(key: str) -> Answer:
    parts = [{"content": {"parts": [{"text": piece}]}} for piece in cut(f"It is {key}!")]
    candidates: list[dict[str, Any]] = [*parts, {"finishReason": "STOP"}]
    return Answer(steps=sse(({"candidates": [each]} for each in candidates), done=False))


def exchanges(client: httpx.Client, key: str) -> Iterator[httpx.Response]:
    """Requests with the key in every place that a request has, and their answers."""
    tool = {"type": "mcp", "server_url": f"https://bob:{PASSWORD}@x.example", "authorization": key}
    asked = {"model": MODEL, "stream": True, "logprobs": True, "messages": [{"role": "user", "content": f"My: {key}"}]}
    headers = {"user-agent": f"app ({key})", "x-wiretape-test-id": f"test[{key}]"}
    yield client.post(FIREWORKS, json={**asked, "tools": [tool]}, headers=headers)
    yield client.post(MESSAGES, json={"model": "c", "stream": True, "messages": []}, headers={"x-api-key": key})
    yield client.post(f"{GEMINI}?alt=sse&key={key}", json={"contents": []})
    file = (f"{key}.txt", f"OPENAI_API_KEY={key}\n".encode(), "text/plain")
    yield client.post(SPEECH, data={"model": "w", "prompt": f"Say {key}"}, files={"file": file})
    yield client.post(FIREWORKS, json={**asked, "model": "none"})


def answers(provider: Provider) -> None:
    provider.on(FIREWORKS_CHAT, chat(KEY), error_answer(400, f"Unknown model: {KEY}"))
    provider.on("/v1/messages", message(KEY))
    provider.on("/v1beta/models/g:streamGenerateContent", gemini(KEY))
    provider.on("/v1/audio/transcriptions", json_answer({"text": f"It is {KEY}!"}, headers=[("openai-model", KEY)]))


def texts(body: bytes, *path: str | int) -> str:
    """What the deltas of a stream of events say together, at a path of each."""
    joined = ""
    for line in body.split(b"\n"):
        if line.startswith(b"data: {"):
            value = json.loads(line[6:])
            for step in path:
                known = step < len(value) if isinstance(step, int) else step in value
                value = value[step] if known else ""
            joined += value if isinstance(value, str) else ""
    return joined


def holding(paths: Iterable[Path], text: str) -> list[str]:
    return [str(path) for path in paths if path.is_file() and text in path.read_text()]


def test_no_secret_is_left_anywhere_and_all_of_it_replays(provider: Provider, recordings: Path) -> None:
    answers(provider)
    with Mitmdump(recordings, "record", origin=provider, args=["--set", "flow_detail=2"]) as proxy:
        with environment(client_env(proxy)), httpx.Client() as client:
            live = [answer.content for answer in exchanges(client, KEY)]
        wait_until(lambda: len([*recordings.rglob("responses/*.json")]) == 5)
        assert proxy.stop() == 0
        proxy.assert_sound()
        log = proxy.log()
    assert KEY.encode() in live[3]
    for secret in (KEY, KEY[4:24], PASSWORD):
        assert secret not in log
        assert holding(recordings.rglob("*"), secret) == []
    assert f"key={REDACTED}" in log  # mitmdump's own line.

    for path in recordings.rglob("responses/*.json"):
        assert verify.verify(path.stem, path.read_bytes()).faults == ()
        kept = path.parent.parent / "wire" / path.name
        assert verify.verify_capture(kept.read_bytes()) == ()
        found = capture.loads(kept.read_bytes())
        sent = next(body for body in live if b"".join(found.chunks or ())[:12] == body[:12])
        assert len(found.chunks or ()) == len(found.at)
        assert sent.count(b"data:") in (len(found.at), 0)

    with Mitmdump(recordings, "replay") as proxy:
        with environment(client_env(proxy)), httpx.Client() as client:
            again = [*exchanges(client, OTHER)]
            assert [answer.status_code for answer in again] == [200, 200, 200, 200, 400]
            bodies = [answer.content for answer in again]
        with openai_client(proxy) as sdk:
            stream = sdk.chat.completions.create(
                model=MODEL,
                messages=[{"role": "user", "content": f"My: {OTHER}"}],
                stream=True,
                logprobs=True,
                extra_body={
                    "tools": [
                        {"type": "mcp", "server_url": "https://bob:another-password1@x.example", "authorization": "x"}
                    ]
                },
            )
            chunks = [*stream]
        assert proxy.connects() == []
    delta = ("choices", 0, "delta")
    assert texts(bodies[0], *delta, "content") == f"Your key is {REDACTED}. Keep it."
    assert texts(bodies[0], "choices", 0, "logprobs", "content", 0, "token") == f"Your key is {REDACTED}. Keep it."
    called = texts(bodies[0], *delta, "tool_calls", 0, "function", "arguments")
    assert json.loads(called) == {"user": "bob", "password": REDACTED}
    assert texts(bodies[1], "delta", "text") == f"It is {REDACTED}!"
    assert json.loads(texts(bodies[1], "delta", "partial_json")) == {"password": REDACTED}
    assert texts(bodies[2], "candidates", 0, "content", "parts", 0, "text") == f"It is {REDACTED}!"
    assert json.loads(bodies[3]) == {"text": f"It is {REDACTED}!"}
    assert json.loads(bodies[4])["error"]["message"] == f"Unknown model: {REDACTED}"
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == f"Your key is {REDACTED}. Keep it."
    assert [each.count(b"\n\n") for each in bodies] == [each.count(b"\n\n") for each in live]
