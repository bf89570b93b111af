"""Every provider's own SDK and wire style: recorded from a provider on loopback, then replayed with no origin at all.

Each call is made three times: live, from the recordings with their captures, and from the recordings alone.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import ollama
import openai
import pytest

from corpus import dumped
from harness import Mitmdump, client_env, environment, openai_client, wait_until
from loopback import Answer, Provider, Received, json_answer, realistic_headers, sse

if TYPE_CHECKING:
    # They take a second of processor time each: imported where they are used, as each worker of pytest reads all tests.
    import anthropic
    from google import genai

SECRETS = {
    "openai": "sk-proj-never-written-openai-0123456789abcdef",
    "anthropic": "sk-ant-api03-never-written-anthropic-0123456789",
    "gemini": "AIzaNeverWrittenGemini0123456789abcdefg",
    "azure": "0123456789neverwrittenazure0123456789ab",
    "together": "tgp_v1_never-written-together-0123456789",
    "team": "never-written-team-token-0123456789abcdef",
}
COOKIE = "set-cookie-secret"
DATABRICKS = "dbc-a1b2c3d4-e5f6.cloud.databricks.com"
HOSTS = (
    "api.openai.com",
    "api.anthropic.com",
    "generativelanguage.googleapis.com",
    "api.together.xyz",
    "my-team.openai.azure.com",
    "bedrock-runtime.us-east-1.amazonaws.com",
    "us-south.ml.cloud.ibm.com",
    DATABRICKS,
    "api.groq.com",
    "openrouter.ai",
    "api.mistral.ai",
)
TEAM = """
[[provider]]
name = "our vllm"
scheme = "http"
hosts = ["gpu-*:8000"]
base = "/v1"
endpoints = ["openai"]
"""


@dataclass(frozen=True)
class Lab:
    """A proxy that records what the providers answer, and two that replay it."""

    record: Mitmdump
    replays: Sequence[Mitmdump]
    recordings: Path
    answers: dict[tuple[str, str], Answer]
    received: list[Received]

    def on(self, url: str, answer: Answer) -> None:
        """What the provider answers at this address."""
        parts = urlsplit(url)
        self.answers[parts.netloc, parts.path] = answer

    def both[T](self, use: Callable[[Mitmdump], T], recorded: int = 1) -> T:
        """What ``use`` gives, live, when it gave the same from the recordings."""
        before = self.outcomes()
        self.received.clear()
        live = use(self.record)
        outcomes = wait_until(lambda: new if len(new := self.outcomes()[len(before) :]) >= recorded else None)
        assert outcomes is not None
        assert [" recorded " in line for line in outcomes] == [True] * recorded, outcomes
        assert len(self.received) == recorded
        assert all(any(secret in str(asked) for secret in SECRETS.values()) for asked in self.received)
        for replay in self.replays:
            assert use(replay) == live
            assert replay.connects() == []
        self.assert_no_secret()
        return live

    def outcomes(self) -> list[str]:
        return [line for line in self.record.log().splitlines() if "recorded" in line or "LOST" in line]

    def newest(self) -> Mapping[str, Any]:
        """The recording that was written last."""
        name = self.outcomes()[-1].partition(" recorded ")[2].partition(": ")[0]
        content: Mapping[str, Any] = json.loads(
            (self.recordings / "default" / "responses" / f"{name}.json").read_bytes()
        )
        return content

    def assert_no_secret(self) -> None:
        written = [path.read_bytes() for path in self.recordings.rglob("*") if path.is_file()]
        assert written
        logs = [proxy.log().encode() for proxy in (self.record, *self.replays)]
        for secret in (*SECRETS.values(), COOKIE, DATABRICKS):
            assert not any(secret.encode() in content for content in written), secret
        for secret in SECRETS.values():
            assert not any(secret.encode() in content for content in logs), secret


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    recordings = tmp_path_factory.mktemp("recordings")
    (recordings / "default" / "responses").mkdir(parents=True)
    # A session with the same recordings, and without their captures.
    (recordings / "alone").mkdir()
    (recordings / "alone" / "responses").symlink_to(recordings / "default" / "responses", target_is_directory=True)
    config = tmp_path_factory.mktemp("team") / "wiretape.toml"
    config.write_text(TEAM)
    options = {"wiretape_config": str(config)}
    answers: dict[tuple[str, str], Answer] = {}
    received: list[Received] = []

    def answer(asked: Received) -> Answer:
        received.append(asked)
        return answers[asked.host, urlsplit(asked.path).path]

    with ExitStack() as stack:
        provider = stack.enter_context(Provider(hosts=HOSTS))
        plain = stack.enter_context(Provider(tls=False))
        for each in (provider, plain):
            each.on("*", answer)
        origins = {"*": provider.port, "gpu-7": plain.port}
        env = {"TO_LOOPBACK_ORIGIN": json.dumps(origins)}
        record = stack.enter_context(Mitmdump(recordings, "record", origin=provider, options=options, env=env))
        replays = [
            stack.enter_context(Mitmdump(recordings, "replay", session=session, options=options))
            for session in ("default", "alone")
        ]
        yield Lab(record, replays, recordings, answers, received)


# -- OpenAI: the Responses API -----------------------------------------------------------------------------------------

OPENAI = "https://api.openai.com/v1"
RESPONSES = f"{OPENAI}/responses"
RESPONSE: Mapping[str, Any] = {
    "id": "resp_68d6f9a7c0ffee0190a1b2c3d4e5f60718293a4b5c6d7e8f",
    "object": "response",
    "created_at": 1758920391,
    "status": "in_progress",
    "background": False,
    "error": None,
    "incomplete_details": None,
    "instructions": "Be brief.",
    "max_output_tokens": None,
    "max_tool_calls": None,
    "model": "gpt-4o-2024-08-06",
    "output": [],
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "auto",
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "usage": None,
    "user": None,
    "metadata": {},
}
USAGE = {
    "input_tokens": 11,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 4,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 15,
}


def response_events(words: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    item = {"id": "msg_68d6f9a8c0ffee", "type": "message", "status": "in_progress", "content": [], "role": "assistant"}
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
    place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    full = {**part, "text": "".join(words)}
    whole = {**item, "status": "completed", "content": [full]}
    yield "response.created", {"response": RESPONSE}
    yield "response.in_progress", {"response": RESPONSE}
    yield "response.output_item.added", {"output_index": 0, "item": item}
    yield "response.content_part.added", {**place, "part": part}
    for word in words:
        yield "response.output_text.delta", {**place, "delta": word, "logprobs": [], "obfuscation": "a1B2c3D4"}
    yield "response.output_text.done", {**place, "text": full["text"], "logprobs": []}
    yield "response.content_part.done", {**place, "part": full}
    yield "response.output_item.done", {"output_index": 0, "item": whole}
    yield "response.completed", {"response": {**RESPONSE, "status": "completed", "output": [whole], "usage": USAGE}}


def typed(events: Iterator[tuple[str, dict[str, Any]]]) -> Answer:
    """Events with an ``event:`` line each, and no ``[DONE]``."""
    steps = [
        f"event: {kind}\ndata: {json.dumps({'type': kind, 'sequence_number': number, **data})}\n\n".encode()
        for number, (kind, data) in enumerate(events)
    ]
    return Answer(steps=steps)


def test_responses_streamed(lab: Lab) -> None:
    words = ["Violets", " are", " blue", " ⚡."]
    answer = typed(response_events(words))
    lab.on(RESPONSES, answer)

    def use(proxy: Mitmdump) -> list[Any]:
        with openai_client(proxy, OPENAI, SECRETS["openai"], max_retries=0) as client:
            stream = client.responses.create(
                model="gpt-4o", input="Roses are red", instructions="Be brief.", stream=True
            )
            return [(type(event).__name__, dumped(event)) for event in stream]

    live = lab.both(use)
    assert len(live) == len(answer.steps) == len(words) + 8
    assert [dump["delta"] for _, dump in live if dump["type"] == "response.output_text.delta"] == words
    assert live[-1][0] == "ResponseCompletedEvent"
    recording = lab.newest()
    assert recording["request"]["url"] == f"{OPENAI}/v1/responses"
    assert len(recording["response"]["body"]) == len(live)


def test_responses_with_the_stream_helper(lab: Lab) -> None:
    """The helper accumulates the events, and checks that they follow one another."""
    lab.on(RESPONSES, typed(response_events(["Sugar", " is", " sweet."])))

    def use(proxy: Mitmdump) -> Any:
        with (
            openai_client(proxy, OPENAI, SECRETS["openai"], max_retries=0) as client,
            client.responses.stream(model="gpt-4o", input="Violets are blue") as stream,
        ):
            return dumped(stream.get_final_response())

    assert lab.both(use)["output"][0]["content"][0]["text"] == "Sugar is sweet."


def test_responses_in_one_piece(lab: Lab) -> None:
    tool = {
        "type": "function",
        "name": "get_weather",
        "description": None,
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        "strict": True,
    }
    citation = {"type": "url_citation", "start_index": 0, "end_index": 5, "url": "https://a.test/", "title": "A"}
    output = [
        {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "It asks."}]},
        {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "Oslo"}},
        {
            "id": "msg_1",
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "annotations": [citation], "logprobs": [], "text": "Sunny ☀"}],
        },
        {
            "id": "fc_1",
            "type": "function_call",
            "status": "completed",
            "arguments": '{"city":"Oslo"}',
            "call_id": "call_1",
            "name": "get_weather",
        },
    ]
    lab.on(
        RESPONSES,
        json_answer({**RESPONSE, "status": "completed", "output": output, "tools": [tool], "usage": USAGE}),
    )

    def use(proxy: Mitmdump) -> Any:
        with openai_client(proxy, OPENAI, SECRETS["openai"], max_retries=0) as client:
            answer = client.responses.create(model="gpt-4o", input="Weather?", tools=[{"type": "function", **tool}])  # type: ignore[list-item]
            assert answer.output_text == "Sunny ☀"
            return dumped(answer)

    live = lab.both(use)
    assert [item["type"] for item in live["output"]] == ["reasoning", "web_search_call", "message", "function_call"]


# -- Anthropic ---------------------------------------------------------------------------------------------------------

ANTHROPIC = "https://api.anthropic.com"
MESSAGE: Mapping[str, Any] = {
    "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
    "type": "message",
    "role": "assistant",
    "model": "claude-of-a-test",
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {
        "input_tokens": 12,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": 1,
        "service_tier": "standard",
    },
}


def anthropic_client(proxy: Mitmdump) -> "anthropic.Anthropic":
    import anthropic

    with environment(client_env(proxy)):
        return anthropic.Anthropic(api_key=SECRETS["anthropic"], max_retries=0)


def message_events(words: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    tool = {"type": "tool_use", "id": "toolu_01", "name": "get_weather", "input": {}}
    yield "message_start", {"message": MESSAGE}
    yield "content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}
    yield "ping", {}
    for word in words:
        yield "content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": word}}
    yield "content_block_stop", {"index": 0}
    yield "content_block_start", {"index": 1, "content_block": tool}
    for part in ("", '{"city": ', '"Oslo"}'):
        yield "content_block_delta", {"index": 1, "delta": {"type": "input_json_delta", "partial_json": part}}
    yield "content_block_stop", {"index": 1}
    yield "message_delta", {"delta": {"stop_reason": "tool_use", "stop_sequence": None}, "usage": {"output_tokens": 89}}
    yield "message_stop", {}


def message_stream(words: Sequence[str]) -> Answer:
    steps = [
        f"event: {kind}\ndata: {json.dumps({'type': kind, **data}, ensure_ascii=False)}\n\n".encode()
        for kind, data in message_events(words)
    ]
    return Answer(steps=steps)


def test_messages_streamed(lab: Lab) -> None:
    words = ["Let", " me", " look", " ☀."]
    lab.on(f"{ANTHROPIC}/v1/messages", message_stream(words))

    def use(proxy: Mitmdump) -> list[Any]:
        with anthropic_client(proxy) as client:
            stream = client.messages.create(
                model="claude-of-a-test",
                max_tokens=256,
                messages=[{"role": "user", "content": "Weather in Oslo?"}],
                stream=True,
            )
            return [(type(event).__name__, dumped(event)) for event in stream]

    live = lab.both(use)
    # The SDK keeps pings to itself.
    assert [dump["type"] for _, dump in live] == [kind for kind, _ in message_events(words) if kind != "ping"]
    recording = lab.newest()
    assert recording["request"]["url"] == f"{ANTHROPIC}/v1/messages"
    assert recording["response"]["is_streaming"] is True
    assert "event: ping" in recording["response"]["body"]


def test_messages_with_the_stream_helper(lab: Lab) -> None:
    lab.on(f"{ANTHROPIC}/v1/messages", message_stream(["It", " is", " sunny."]))

    def use(proxy: Mitmdump) -> Any:
        with (
            anthropic_client(proxy) as client,
            client.messages.stream(
                model="claude-of-a-test",
                max_tokens=256,
                messages=[{"role": "user", "content": "And in Rome?"}],
            ) as stream,
        ):
            return ["".join(stream.text_stream), dumped(stream.get_final_message())]

    text, message = lab.both(use)
    assert text == "It is sunny."
    assert message["content"][1]["input"] == {"city": "Oslo"}


def test_messages_in_one_piece(lab: Lab) -> None:
    content = [{"type": "text", "text": "Hello ⚡", "citations": None}]
    lab.on(f"{ANTHROPIC}/v1/messages", json_answer({**MESSAGE, "content": content, "stop_reason": "end_turn"}))

    def use(proxy: Mitmdump) -> Any:
        with anthropic_client(proxy) as client:
            return dumped(
                client.messages.create(
                    model="claude-of-a-test",
                    max_tokens=64,
                    system="Be brief.",
                    messages=[{"role": "user", "content": "Hello"}],
                )
            )

    assert lab.both(use)["content"][0]["text"] == "Hello ⚡"
    # Newer versions send the key in another header.
    asked = lab.received[0]
    assert SECRETS["anthropic"] in (asked.header("x-api-key"), str(asked.header("authorization"))[7:])


# -- Gemini ------------------------------------------------------------------------------------------------------------

GEMINI = "https://generativelanguage.googleapis.com"
FLASH = f"{GEMINI}/v1beta/models/gemini-2.5-flash"


def gemini_answer(text: str, finish: str | None = None) -> dict[str, Any]:
    candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    return {
        "candidates": [candidate | ({"finishReason": finish} if finish else {})],
        "usageMetadata": {
            "promptTokenCount": 4,
            "candidatesTokenCount": len(text),
            "totalTokenCount": 4 + len(text),
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 4}],
        },
        "modelVersion": "gemini-2.5-flash",
        "responseId": "p_nWaJq6C8_VvdIPp7iQ0Ag",
    }


def gemini_stream(words: Sequence[str]) -> Answer:
    """Events end in CRLF there, the last one has the reason to finish, and no ``[DONE]`` follows."""
    chunks = [gemini_answer(word, "STOP" if word is words[-1] else None) for word in words]
    return Answer(headers=realistic_headers("text/event-stream"), steps=sse(chunks, done=False, newline=b"\r\n"))


def gemini(proxy: Mitmdump, use: "Callable[[genai.Client], Any]") -> Any:
    from google import genai

    with environment(client_env(proxy)):
        client = genai.Client(api_key=SECRETS["gemini"])
    try:
        return use(client)
    finally:
        client.close()


def test_generate_content(lab: Lab) -> None:
    lab.on(f"{FLASH}:generateContent", json_answer(gemini_answer("Hello ⚡", "STOP")))

    def use(client: "genai.Client") -> Any:
        answer = client.models.generate_content(model="gemini-2.5-flash", contents="Say hello")
        assert answer.text == "Hello ⚡"
        # The SDK puts the answer's headers into its object: those of a provider are not kept.
        return answer.model_dump(mode="json", exclude={"sdk_http_response"})

    lab.both(lambda proxy: gemini(proxy, use))
    assert lab.received[0].header("x-goog-api-key") == SECRETS["gemini"]


def test_generate_content_streamed(lab: Lab) -> None:
    words = ["One", ", two", ", three ⚡"]
    lab.on(f"{FLASH}:streamGenerateContent", gemini_stream(words))

    def use(client: "genai.Client") -> list[Any]:
        stream = client.models.generate_content_stream(model="gemini-2.5-flash", contents="Count to three")
        return [chunk.model_dump(mode="json", exclude={"sdk_http_response"}) for chunk in stream]

    live = lab.both(lambda proxy: gemini(proxy, use))
    assert [chunk["candidates"][0]["content"]["parts"][0]["text"] for chunk in live] == words
    assert lab.newest()["request"]["url"] == f"{FLASH}:streamGenerateContent?alt=sse"


@pytest.mark.parametrize("query", ["key={key}&alt=sse", "alt=sse&key={key}"])
def test_a_key_in_the_query_is_in_no_file(query: str, lab: Lab) -> None:
    lab.on(f"{FLASH}:streamGenerateContent", gemini_stream(["Four", ", five", ", six"]))

    def use(proxy: Mitmdump, key: str = SECRETS["gemini"]) -> str:
        url = f"{FLASH}:streamGenerateContent?{query.format(key=key)}"
        body = {"contents": [{"role": "user", "parts": [{"text": "Count on"}]}]}
        with environment(client_env(proxy)), httpx.Client() as client:
            return client.post(url, json=body).raise_for_status().text.replace("\r\n", "\n")

    assert "six" in lab.both(use)
    assert SECRETS["gemini"] in lab.received[0].path
    assert lab.newest()["request"]["url"] == f"{FLASH}:streamGenerateContent?alt=sse"
    for replay in lab.replays:
        # Another key is the same request.
        assert "six" in use(replay, "AIzaAnotherKey")


# -- rerank, audio, images ---------------------------------------------------------------------------------------------


def test_rerank(lab: Lab) -> None:
    results = [{"index": 1, "relevance_score": 0.9173}, {"index": 0, "relevance_score": 1e-05}]
    answer = {"id": "oC1zHk8-6n", "object": "rerank", "model": "Salesforce/Llama-Rank-V1", "results": results}
    lab.on("https://api.together.xyz/v1/rerank", json_answer(answer))
    body = {
        "model": "Salesforce/Llama-Rank-V1",
        "query": "Which is blue?",
        "documents": ["roses", "violets"],
        "top_n": 2,
    }
    headers = {"authorization": f"Bearer {SECRETS['together']}"}

    def use(proxy: Mitmdump) -> Any:
        with environment(client_env(proxy)), httpx.Client(headers=headers) as client:
            return client.post("https://api.together.xyz/v1/rerank", json=body).raise_for_status().json()

    assert lab.both(use) == answer
    request = lab.newest()["request"]
    assert (request["url"], request["payload"]) == ("https://api.together.xyz/v1/rerank", body)


WAV = b"RIFF\x24\x08\x00\x00WAVEfmt " + bytes(range(256)) * 8


def transcribe(proxy: Mitmdump, audio: bytes) -> Any:
    with openai_client(proxy, OPENAI, SECRETS["openai"], max_retries=0) as client:
        return dumped(
            client.audio.transcriptions.create(
                model="whisper-1", file=("speech.wav", audio, "audio/wav"), language="en", temperature=0.2
            )
        )


def test_the_same_audio_is_the_same_request_and_other_audio_is_not(lab: Lab) -> None:
    lab.on(f"{OPENAI}/audio/transcriptions", json_answer({"text": "Violets are blue.", "usage": {"type": "duration"}}))
    assert lab.both(lambda proxy: transcribe(proxy, WAV))["text"] == "Violets are blue."
    # The boundary is drawn anew for each request, here once more.
    again = [transcribe(replay, WAV) for replay in lab.replays]
    assert [answer["text"] for answer in again] == ["Violets are blue."] * 2
    payload = lab.newest()["request"]["payload"]
    assert payload["file"]["sha256"] == hashlib.sha256(WAV).hexdigest()
    assert (payload["model"], payload["language"], payload["temperature"]) == ("whisper-1", "en", "0.2")
    for replay in lab.replays:
        with pytest.raises(openai.BadRequestError, match="no recording"):
            transcribe(replay, WAV + b"\0")
        assert replay.connects() == []


def test_a_transcription_streamed(lab: Lab) -> None:
    def events() -> Iterator[tuple[str, dict[str, Any]]]:
        for word in ("Violets", " are", " blue."):
            yield "transcript.text.delta", {"delta": word}
        yield "transcript.text.done", {"text": "Violets are blue."}

    steps = sse([{"type": kind, **data} for kind, data in events()], done=False)
    lab.on(f"{OPENAI}/audio/transcriptions", Answer(steps=steps))

    def use(proxy: Mitmdump) -> list[Any]:
        with openai_client(proxy, OPENAI, SECRETS["openai"], max_retries=0) as client:
            stream = client.audio.transcriptions.create(
                model="gpt-4o-transcribe", file=("speech.wav", WAV, "audio/wav"), stream=True
            )
            return [(type(event).__name__, dumped(event)) for event in stream]

    assert [dump["type"] for _, dump in lab.both(use)] == [kind for kind, _ in events()]


def test_a_transcription_as_text(lab: Lab) -> None:
    """No JSON, and a line of text that another tool might take for one of SSE."""
    text = "1\n00:00:00,000 --> 00:00:01,500\ndata: violets ⚡ are blue\n\n"
    headers = realistic_headers("text/plain; charset=utf-8")
    lab.on(f"{OPENAI}/audio/transcriptions", Answer(headers=headers, steps=[text.encode()], framing="length"))

    def use(proxy: Mitmdump) -> str:
        with openai_client(proxy, OPENAI, SECRETS["openai"], max_retries=0) as client:
            audio = ("speech.wav", WAV, "audio/wav")
            return client.audio.transcriptions.create(model="whisper-1", file=audio, response_format="srt")

    assert lab.both(use) == text


PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(255, -1, -1)) * 4
IMAGE = {
    "created": 1758920391,
    "background": "opaque",
    "data": [{"b64_json": base64.b64encode(PNG).decode()}],
    "output_format": "png",
    "quality": "high",
    "size": "1024x1024",
    "usage": {
        "input_tokens": 50,
        "input_tokens_details": {"image_tokens": 40, "text_tokens": 10},
        "output_tokens": 4160,
        "total_tokens": 4210,
    },
}


def test_an_image_generated(lab: Lab) -> None:
    lab.on(f"{OPENAI}/images/generations", json_answer(IMAGE))

    def use(proxy: Mitmdump) -> Any:
        with openai_client(proxy, OPENAI, SECRETS["openai"], max_retries=0) as client:
            return dumped(client.images.generate(model="gpt-image-1", prompt="A violet", n=1))

    assert base64.b64decode(lab.both(use)["data"][0]["b64_json"]) == PNG


def test_images_edited(lab: Lab) -> None:
    lab.on(f"{OPENAI}/images/edits", json_answer(IMAGE))

    def use(proxy: Mitmdump, second: bytes = PNG + b"2") -> Any:
        with openai_client(proxy, OPENAI, SECRETS["openai"], max_retries=0) as client:
            images = [("one.png", PNG, "image/png"), ("two.png", second, "image/png")]
            return dumped(client.images.edit(model="gpt-image-1", image=images, prompt="Make it blue ⚡"))

    assert base64.b64decode(lab.both(use)["data"][0]["b64_json"]) == PNG
    assert b"Make it blue \xe2\x9a\xa1" in lab.received[0].body
    for replay in lab.replays:
        with pytest.raises(openai.BadRequestError):
            use(replay, PNG + b"3")


def test_speech_is_the_same_bytes(lab: Lab) -> None:
    parts = [b"ID3\x04\x00\x00\x00\x00\x00\x23", bytes(range(256)) * 16, b"\xff\xfb\x90\x64\x00\r\n\r\n\x00"]
    lab.on(f"{OPENAI}/audio/speech", Answer(headers=realistic_headers("audio/mpeg"), steps=parts))

    def use(proxy: Mitmdump) -> tuple[str, bytes]:
        with openai_client(proxy, OPENAI, SECRETS["openai"], max_retries=0) as client:
            answer = client.audio.speech.create(model="tts-1", voice="alloy", input="Violets are blue.")
            return answer.response.headers["content-type"], answer.content

    assert lab.both(use) == ("audio/mpeg", b"".join(parts))


# -- one chat stream from each provider of OpenAI's API ----------------------------------------------------------------

USAGE_CHAT = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}


@dataclass(frozen=True)
class Chat:
    """How one provider streams a chat."""

    base: str
    """The SDK's base URL; for Azure its endpoint."""
    url: str
    """Where the request goes."""
    recorded: str
    """The recorded URL."""
    steps: Sequence[dict[str, Any] | bytes]
    key: str = SECRETS["team"]
    arguments: Mapping[str, Any] | None = None


def chunk(delta: dict[str, Any] | None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """A chunk in the order in which most providers write it; ``choice`` has further members of the choice."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish, **more.pop("choice", {})}
    head = {"id": "chatcmpl-9c0ffee", "object": "chat.completion.chunk", "created": 1758920391, "model": "m"}
    return {**head, "choices": [] if delta is None else [choice], **more}


FILTERED = {"hate": {"filtered": False, "severity": "safe"}}
ROLE = {"role": "assistant", "content": ""}
CHATS = {
    "azure": Chat(
        "https://my-team.openai.azure.com",
        "https://my-team.openai.azure.com/openai/deployments/gpt-4o/chat/completions",
        "https://my-team.openai.azure.com/openai/deployments/gpt-4o/v1/chat/completions",
        [
            {
                "choices": [],
                "created": 0,
                "id": "",
                "model": "",
                "object": "",
                "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": FILTERED}],
            },
            chunk({**ROLE, "refusal": None}, choice={"content_filter_results": {}}, system_fingerprint="fp_1"),
            chunk({"content": "Hi"}, choice={"content_filter_results": FILTERED}, system_fingerprint="fp_1"),
            chunk({}, "stop", choice={"content_filter_results": {}}, system_fingerprint="fp_1"),
        ],
        SECRETS["azure"],
    ),
    "bedrock": Chat(
        "https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1",
        "https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1/chat/completions",
        "https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1/v1/chat/completions",
        [
            chunk(ROLE, service_tier="default", system_fingerprint=None),
            chunk({"reasoning": "Greet."}, service_tier="default"),
            chunk({"content": "Hi"}, service_tier="default"),
            chunk({}, "stop", service_tier="default"),
            chunk(None, usage=USAGE_CHAT, **{"amazon-bedrock-guardrailAction": "NONE"}),
        ],
        arguments={"stream_options": {"include_usage": True}},
    ),
    "watsonx": Chat(
        "https://us-south.ml.cloud.ibm.com/ml/gateway/v1",
        "https://us-south.ml.cloud.ibm.com/ml/gateway/v1/chat/completions",
        "https://us-south.ml.cloud.ibm.com/ml/gateway/v1/v1/chat/completions",
        [
            chunk({**ROLE, "refusal": ""}, cached=False, service_tier=None),
            chunk({"content": "Hi"}, cached=False),
            chunk({"content": ""}, "stop", usage=USAGE_CHAT, cached=False),
        ],
    ),
    "databricks": Chat(
        f"https://{DATABRICKS}/serving-endpoints",
        f"https://{DATABRICKS}/serving-endpoints/chat/completions",
        "__databricks__/serving-endpoints/v1/chat/completions",
        [
            chunk({**ROLE, "content": "Hi"}, usage={**USAGE_CHAT, "completion_tokens": None}),
            chunk({"content": "", "role": "assistant"}, "stop", usage=USAGE_CHAT),
        ],
    ),
    "vllm of a team": Chat(
        "http://gpu-7:8000/v1",
        "http://gpu-7:8000/v1/chat/completions",
        "http://gpu-7:8000/v1/v1/chat/completions",
        [
            chunk({**ROLE, "reasoning_content": None}, prompt_token_ids=[1, 2, 3]),
            chunk({"reasoning_content": "Greet."}, choice={"token_ids": [7]}),
            chunk({"content": "Hi"}, choice={"token_ids": [8]}),
            chunk({"content": ""}, "stop", choice={"stop_reason": None, "token_ids": None}),
            chunk(None, usage={**USAGE_CHAT, "prompt_tokens_details": None}, kv_transfer_params=None),
        ],
        arguments={
            "stream_options": {"include_usage": True},
            "extra_body": {"guided_choice": ["Hi", "Ho"], "return_token_ids": True, "top_k": 1},
        },
    ),
    "groq": Chat(
        "https://api.groq.com/openai/v1",
        "https://api.groq.com/openai/v1/chat/completions",
        "https://api.groq.com/openai/v1/v1/chat/completions",
        [
            chunk(ROLE, system_fingerprint="fp_g", x_groq={"id": "req_01k"}),
            chunk({"content": "Hi"}, system_fingerprint="fp_g"),
            chunk(
                {}, "stop", x_groq={"id": "req_01k", "usage": {**USAGE_CHAT, "queue_time": 0.018, "total_time": 1e-05}}
            ),
        ],
    ),
    "openrouter": Chat(
        "https://openrouter.ai/api/v1",
        "https://openrouter.ai/api/v1/chat/completions",
        "https://openrouter.ai/api/v1/v1/chat/completions",
        [
            b": OPENROUTER PROCESSING\n\n",
            b": OPENROUTER PROCESSING\n\n",
            {"provider": "Azure", **chunk({**ROLE, "reasoning": None, "reasoning_details": []})},
            {"provider": "Azure", **chunk({"content": "Hi"}, choice={"native_finish_reason": None})},
            b": OPENROUTER PROCESSING\n\n",
            {"provider": "Azure", **chunk({"content": ""}, "stop", choice={"native_finish_reason": "completed"})},
            {"provider": "Azure", **chunk(ROLE, usage={**USAGE_CHAT, "cost": 0.00014, "is_byok": False})},
        ],
        arguments={"extra_body": {"provider": {"order": ["Azure"]}, "usage": {"include": True}}},
    ),
    "mistral": Chat(
        "https://api.mistral.ai/v1",
        "https://api.mistral.ai/v1/chat/completions",
        "https://api.mistral.ai/v1/v1/chat/completions",
        [
            chunk(ROLE),
            chunk({"content": "Hi"}, p="abcdefghij"),
            chunk({"content": ""}, "stop", usage=USAGE_CHAT, p="abc"),
        ],
        arguments={"extra_body": {"safe_prompt": False}},
    ),
}


@pytest.mark.parametrize("name", CHATS)
def test_a_chat_streamed(name: str, lab: Lab) -> None:
    chat = CHATS[name]
    lab.on(chat.url, Answer(steps=sse(chat.steps)))

    def client(proxy: Mitmdump) -> openai.OpenAI:
        if name != "azure":
            return openai_client(proxy, chat.base, chat.key, max_retries=0)
        with environment(client_env(proxy)):
            return openai.AzureOpenAI(
                azure_endpoint=chat.base, api_version="2024-10-21", api_key=chat.key, max_retries=0
            )

    def use(proxy: Mitmdump) -> list[Any]:
        with client(proxy) as each:
            stream = each.chat.completions.create(
                model="gpt-4o",
                messages=[{"role": "user", "content": "Say hi"}],
                stream=True,
                **(chat.arguments or {}),
            )
            return [dumped(chunk) for chunk in stream]

    live = lab.both(use)
    (asked,) = lab.received
    assert chat.key in (asked.header("api-key"), (asked.header("authorization") or "").removeprefix("Bearer "))
    assert len(live) == sum(isinstance(step, dict) for step in chat.steps)
    assert "".join(c["delta"].get("content") or "" for chunk in live for c in chunk["choices"]) == "Hi"
    recording = lab.newest()
    assert recording["request"]["url"] == chat.recorded
    assert recording["request"]["body"].get("extra_body") == (chat.arguments or {}).get("extra_body")
    assert len(recording["response"]["body"]) == len(live)


# -- what servers send all the same ------------------------------------------------------------------------------------

HI = sse([chunk(ROLE), chunk({"content": "Hi"}), chunk({}, "stop")], done=False)
ENDS = {
    "without [DONE]": HI,
    "without the empty line": [*HI, b"data: [DONE]\n"],
    "without a line end": [*HI, b"data: [DONE]"],
    "without any of them": [*HI[:-1], HI[-1].rstrip()],
}


@pytest.mark.parametrize("name", ENDS)
def test_a_chat_whose_stream_ends_without_its_marker(name: str, lab: Lab) -> None:
    lab.on(f"{OPENAI}/chat/completions", Answer(steps=ENDS[name]))

    def use(proxy: Mitmdump) -> str:
        messages: Any = [{"role": "user", "content": name}]
        with openai_client(proxy, OPENAI, SECRETS["openai"], max_retries=0) as client:
            stream = client.chat.completions.create(model="gpt-4o", messages=messages, stream=True)
            return "".join(each.choices[0].delta.content or "" for each in stream)

    assert lab.both(use) == "Hi"


def test_a_prompt_that_gemini_blocks(lab: Lab) -> None:
    blocked = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 13}}
    steps = sse([blocked], done=False, newline=b"\r\n")
    lab.on(f"{FLASH}:streamGenerateContent", Answer(headers=realistic_headers("text/event-stream"), steps=steps))

    def use(client: "genai.Client") -> list[Any]:
        stream = client.models.generate_content_stream(model="gemini-2.5-flash", contents="No")
        return [each.prompt_feedback and each.prompt_feedback.block_reason for each in stream]

    assert lab.both(lambda proxy: gemini(proxy, use)) == ["PROHIBITED_CONTENT"]


@pytest.mark.parametrize("is_split", [True, False])
@pytest.mark.parametrize("came", [[0.5, -0.25, 0.125], "AAAAPwAAgL4AAAA+"], ids=["numbers", "base64"])
def test_embeddings_in_either_form(came: Any, is_split: bool, lab: Lab) -> None:
    """The SDK asks for base64 by itself; the server's head and body may come apart. Who asks for numbers gets them."""
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    item = {"object": "embedding", "index": 0, "embedding": came}
    answer = json_answer({"object": "list", "data": [item], "model": "e", "usage": usage})
    if is_split:
        answer = replace(answer, steps=[answer.body[:30], answer.body[30:]], framing="chunked")
    lab.on(f"{OPENAI}/embeddings", answer)
    text = f"{came} {is_split}"

    def use(proxy: Mitmdump) -> list[float]:
        with openai_client(proxy, OPENAI, SECRETS["openai"], max_retries=0) as client:
            return client.embeddings.create(model="e", input=text).data[0].embedding

    assert lab.both(use) == [0.5, -0.25, 0.125]
    as_it_came, _ = lab.replays
    asked = {"model": "e", "input": text, "encoding_format": "base64"}
    assert posted(as_it_came, f"{OPENAI}/embeddings", asked).content == answer.body
    for replay in lab.replays:
        numbers = posted(replay, f"{OPENAI}/embeddings", {"model": "e", "input": text})
        assert numbers.json()["data"][0]["embedding"] == [0.5, -0.25, 0.125]


def posted(proxy: Mitmdump, url: str, body: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {SECRETS['openai']}"}
    with environment(client_env(proxy)), httpx.Client(headers=headers) as client:
        return client.post(url, json=body).raise_for_status()


COMPLETION = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": []}


@pytest.mark.parametrize(
    ("streamed", "answer", "is_stream"),
    [
        (True, json_answer(COMPLETION), False),
        (False, Answer(steps=sse([chunk({"content": "Hi"}), chunk({}, "stop")])), True),
        (False, Answer(steps=[json.dumps(COMPLETION).encode(), b"\ndata: [DONE]\n\n"]), False),
    ],
    ids=["JSON for a stream", "a stream for JSON", "JSON that ends as a stream does"],
)
def test_an_answer_that_is_not_what_was_asked(streamed: bool, answer: Answer, is_stream: bool, lab: Lab) -> None:
    lab.on(f"{OPENAI}/chat/completions", answer)
    messages = [{"role": "user", "content": f"{streamed} {is_stream}"}]
    body = {"model": "m", "messages": messages, "stream": streamed}

    def use(proxy: Mitmdump) -> bool:
        text = posted(proxy, f"{OPENAI}/chat/completions", body).text
        return text.startswith("data: ") and text.endswith("data: [DONE]\n\n")

    assert lab.both(use) is is_stream
    as_it_came, _ = lab.replays
    assert posted(as_it_came, f"{OPENAI}/chat/completions", body).content == answer.body


# -- a miss ------------------------------------------------------------------------------------------------------------


def _ask_openai() -> None:
    with openai.OpenAI(api_key="x") as client:
        client.responses.create(model="gpt-5", input="never asked")


def _ask_anthropic() -> None:
    import anthropic

    messages: Any = [{"role": "user", "content": "never asked"}]
    with anthropic.Anthropic(api_key="x") as client:
        client.messages.create(model="claude", max_tokens=9, messages=messages)


def _ask_gemini() -> None:
    from google import genai

    with genai.Client(api_key="x") as client:
        client.models.generate_content(model="gemini-2.5-flash", contents="never asked")


def _ask_ollama() -> None:
    with ollama.Client("http://localhost:11434") as client:
        client.chat(model="llama3.2", messages=[{"role": "user", "content": "never asked"}])


@pytest.mark.parametrize("ask", [_ask_openai, _ask_anthropic, _ask_gemini, _ask_ollama])
def test_every_sdk_shows_a_miss_and_asks_once(ask: Callable[[], None], lab: Lab) -> None:
    replay = lab.replays[0]
    before = replay.log().count("miss: ")
    with environment(client_env(replay)), pytest.raises(Exception, match="wiretape: no recording of this request"):
        ask()
    wait_until(lambda: replay.log().count("miss: ") > before)
    assert replay.log().count("miss: ") == before + 1
