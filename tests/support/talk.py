"""A provider that answers anything, so that many clients can ask it at once, and clients that ask in a session.

Every live answer is another one: who gets the same text twice got it from a recording.
"""

import itertools
import json
import ssl
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import openai

from harness import Mitmdump, client_env, environment
from loopback import Answer, Provider, Received, json_answer, sse
from samples import MODEL

BASE = "https://api.fireworks.ai/inference/v1"
URL = f"{BASE}/chat/completions"
SECRET = "sk-test-secret"


class Talk:
    """What a provider says: ``answer 3 to TEXT``, streamed where that was asked for."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._numbers = itertools.count(1)
        provider.on("*", self.answer)

    def answer(self, received: Received) -> Answer:
        """For ``Provider.on``: a chat completion."""
        asked = received.json()
        text = f"answer {next(self._numbers)} to {question(asked)}"
        return streamed(asked["model"], text) if asked.get("stream") else whole(asked["model"], text)

    @property
    def questions(self) -> list[str]:
        """What the provider was asked, in order."""
        return [question(received.json()) for received in self.provider.requests]


def question(asked: Any) -> str:
    """The text of a request for a chat completion, given its body."""
    text: str = asked["messages"][-1]["content"]
    return text


def streamed(model: str, text: str) -> Answer:
    """The text as a stream of chunks, a word each."""
    head = {"id": "x-1", "object": "chat.completion.chunk", "created": 1758920391, "model": model}
    deltas: Sequence[dict[str, Any]] = [{"role": "assistant"}, *({"content": word} for word in words(text)), {}]
    ends = [None] * (len(deltas) - 1) + ["stop"]
    choices = [{"index": 0, "delta": delta, "finish_reason": end} for delta, end in zip(deltas, ends, strict=True)]
    return Answer(steps=sse([{**head, "choices": [choice]} for choice in choices]))


def whole(model: str, text: str) -> Answer:
    """The text in one piece."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    head = {"id": "x-1", "object": "chat.completion", "created": 1758920391, "model": model}
    return json_answer({**head, "choices": [choice], "usage": usage})


def words(text: str) -> Iterator[str]:
    """A text's words, each with the space before it."""
    first, *rest = text.split(" ")
    yield first
    yield from (f" {word}" for word in rest)


def body(text: str, *, stream: bool = True) -> dict[str, Any]:
    """A request, as it goes over the wire."""
    return {"model": MODEL, "messages": [{"role": "user", "content": text}], "stream": stream}


def ask(client: openai.OpenAI, text: str) -> str:
    """What the SDK gets, streamed."""
    made = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": text}], stream=True)
    return "".join(chunk.choices[0].delta.content or "" for chunk in made)


async def ask_async(client: openai.AsyncOpenAI, text: str) -> str:
    """As ``ask``."""
    made = await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": text}], stream=True)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in made])


class _Http2Alone(ssl.SSLContext):
    """In a tunnel httpx offers HTTP/1.1 first, and the proxy follows the client's order."""

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        super().set_alpn_protocols(["h2"])


def _versions(proxy: Mitmdump, http2: bool) -> dict[str, Any]:
    """The options of a client of HTTP/1.1 or, in a tunnel, of HTTP/2 alone."""
    if not http2:
        return {}
    context = _Http2Alone(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(proxy.ca_file)
    return {"http2": True, "verify": context}


def httpx_client(proxy: Mitmdump, credentials: str = "", *, http2: bool = False) -> httpx.Client:
    """A client of HTTP/1.1 or, in a tunnel, of HTTP/2 alone; use it in a ``with``, HTTP/2 in one thread at a time."""
    with environment(client_env(proxy, credentials)):
        return httpx.Client(**_versions(proxy, http2))


def async_httpx_client(proxy: Mitmdump, credentials: str = "", *, http2: bool = False) -> httpx.AsyncClient:
    """As ``httpx_client``. Only with this one may requests share an HTTP/2 connection at the same time: httpcore's
    HTTP/2 for threads takes its stream ids, and compresses headers, without a lock.
    """
    with environment(client_env(proxy, credentials)):
        return httpx.AsyncClient(**_versions(proxy, http2))


def _request(text: str, headers: dict[str, str]) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"json": body(text, stream=False), "headers": {"authorization": f"Bearer {SECRET}", **named}}


def post(client: httpx.Client, text: str, url: str = URL, **headers: str) -> httpx.Response:
    """A request of the client's own, answered in one piece."""
    return client.post(url, **_request(text, headers))


async def post_async(client: httpx.AsyncClient, text: str, url: str = URL, **headers: str) -> httpx.Response:
    """As ``post``."""
    return await client.post(url, **_request(text, headers))


def said(answer: httpx.Response) -> str:
    """The text of an answer in one piece."""
    assert answer.status_code == 200, answer.text
    content: str = answer.json()["choices"][0]["message"]["content"]
    return content


def written(recordings: Path) -> dict[str, list[str]]:
    """The questions of all recordings, by session, each list in order."""
    found: dict[str, list[str]] = {}
    for path in recordings.glob("*/responses/*.json"):
        asked = json.loads(path.read_bytes())["request"]
        found.setdefault(path.parent.parent.name, []).append(question(asked.get("body") or asked["payload"]))
    return {session: sorted(texts) for session, texts in found.items()}
