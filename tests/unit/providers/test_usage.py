"""Where each API tells the tokens of an answer, in one piece and streamed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from samples import SAMPLES
from wiretape.providers import base, wire
from wiretape.providers.usage import Usage
from wiretape.recording import RecordedRequest, RecordedResponse, Recording, loads

type Row = tuple[str, RecordedResponse, Usage]


def whole(**data: Any) -> RecordedResponse:
    return RecordedResponse({"__type__": "a.B", "__data__": data}, is_streaming=False)


def chunks(*each: Mapping[str, Any]) -> RecordedResponse:
    return RecordedResponse([{"__type__": "a.B", "__data__": data} for data in each], is_streaming=True)


def passed_on(body: Any) -> RecordedResponse:
    return RecordedResponse(body, is_streaming=False)


def events(*each: Mapping[str, Any]) -> RecordedResponse:
    lines = [line for data in each for line in (f"data: {json.dumps(data)}", "")]
    return RecordedResponse(["event: x", *lines], is_streaming=True)


CHAT_USAGE = {
    "prompt_tokens": 71,
    "prompt_tokens_details": {"cached_tokens": 64},
    "completion_tokens": 12,
    "completion_tokens_details": {"reasoning_tokens": 8},
    "total_tokens": 83,
}
RESPONSE_USAGE = {
    "input_tokens": 71,
    "input_tokens_details": {"cached_tokens": 64},
    "output_tokens": 12,
    "output_tokens_details": {"reasoning_tokens": 8},
    "total_tokens": 83,
}
ALL = Usage(input=71, cached=64, output=12, reasoning=8)
GEMINI = {
    "promptTokenCount": 71,
    "cachedContentTokenCount": 64,
    "candidatesTokenCount": 4,
    "thoughtsTokenCount": 8,
    "totalTokenCount": 83,
}
OLLAMA = {"done": True, "prompt_eval_count": 71, "eval_count": 12}
CLAUDE = {"input_tokens": 7, "cache_read_input_tokens": 60, "cache_creation_input_tokens": 4, "output_tokens": 12}
BEDROCK = {"inputTokens": 7, "cacheReadInputTokens": 60, "cacheWriteInputTokens": 4, "outputTokens": 12}
CLAUDES = Usage(input=71, cached=60, cache_write=4, output=12)

ROWS: dict[str, Row] = {
    "a chat": ("/v1/chat/completions", whole(choices=[], usage=CHAT_USAGE), ALL),
    "a chat, streamed": ("/v1/chat/completions", chunks({"choices": []}, {"usage": CHAT_USAGE}, {"usage": None}), ALL),
    "a completion": (
        "/v1/completions",
        whole(usage={"prompt_tokens": 71, "completion_tokens": 12}),
        Usage(input=71, output=12),
    ),
    "a response": ("/v1/responses", whole(usage=RESPONSE_USAGE), ALL),
    "a response, streamed": (
        "/v1/responses",
        chunks({"type": "x"}, {"type": "response.completed", "response": {"usage": RESPONSE_USAGE}}),
        ALL,
    ),
    "a response without details": (
        "/v1/responses",
        whole(usage={"input_tokens": 98, "output_tokens": 12}),
        Usage(input=98, output=12),
    ),
    "a chat of Ollama's": ("/api/chat", whole(**OLLAMA), Usage(input=71, output=12)),
    "a completion of Ollama's, streamed": (
        "/api/generate",
        chunks({"response": "a", "done": False}, {"response": "", **OLLAMA}),
        Usage(input=71, output=12),
    ),
    "a message of Anthropic's": ("", passed_on({"usage": CLAUDE}), CLAUDES),
    "a message of Anthropic's, streamed": (
        "",
        events(
            {"type": "message_start", "message": {"model": "claude-x", "usage": {**CLAUDE, "output_tokens": 1}}},
            {"type": "message_delta", "usage": {"output_tokens": 12}},
            {"type": "message_stop"},
        ),
        replace(CLAUDES, model="claude-x"),
    ),
    "Anthropic: an hour": (
        "",
        passed_on({"usage": CLAUDE | {"cache_creation": {"ephemeral_1h_input_tokens": 3}, "service_tier": "priority"}}),
        replace(CLAUDES, cache_write_1h=3, tier="priority"),
    ),
    "Gemini": ("", passed_on({"usageMetadata": GEMINI, "modelVersion": "gemini-x"}), replace(ALL, model="gemini-x")),
    "Gemini, streamed": ("", events({"usageMetadata": {"promptTokenCount": 71}}, {"usageMetadata": GEMINI}), ALL),
    "Gemini: tools and a voice": (
        "",
        passed_on(
            {
                "usageMetadata": {
                    **{"promptTokenCount": 50, "toolUsePromptTokenCount": 21, "candidatesTokenCount": 12},
                    "promptTokensDetails": [
                        {"modality": "TEXT", "tokenCount": 40},
                        {"modality": "AUDIO", "tokenCount": 10},
                    ],
                    "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 12}],
                }
            }
        ),
        Usage(input=71, output=12, input_audio=10, output_image=12),
    ),
    "Bedrock": ("", passed_on({"usage": BEDROCK}), CLAUDES),
    "Bedrock: an hour": (
        "",
        passed_on({"usage": BEDROCK | {"cacheDetails": [{"ttl": "1h", "inputTokens": 3}, {"ttl": "5m"}]}}),
        replace(CLAUDES, cache_write_1h=3),
    ),
    "Bedrock, the last chunk of a stream": (
        "",
        passed_on({"amazon-bedrock-invocationMetrics": {"inputTokenCount": 71, "outputTokenCount": 12}}),
        Usage(input=71, output=12),
    ),
    "Cohere: what is billed, not what was read": (
        "",
        passed_on(
            {
                "usage": {
                    "billed_units": {"input_tokens": 5, "output_tokens": 12},
                    "tokens": {"input_tokens": 71, "output_tokens": 12},
                }
            }
        ),
        Usage(input=5, output=12),
    ),
    "DeepSeek": (
        "/v1/chat/completions",
        whole(
            usage={
                **{"prompt_tokens": 71, "prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 7},
                **{"completion_tokens": 12, "completion_tokens_details": {"reasoning_tokens": 8}, "total_tokens": 83},
            }
        ),
        ALL,
    ),
    "Together and Moonshot": (
        "/v1/chat/completions",
        whole(
            usage={
                **{"prompt_tokens": 71, "completion_tokens": 12, "total_tokens": 83, "cached_tokens": 64},
                "prompt_tokens_details": None,
            }
        ),
        Usage(input=71, cached=64, output=12),
    ),
    "OpenRouter": (
        "/v1/chat/completions",
        whole(
            model="openai/gpt-5",
            usage={
                **{"prompt_tokens": 194, "completion_tokens": 12, "total_tokens": 206, "cost": 0.00014},
                "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 100, "audio_tokens": 0},
                "cost_details": {"upstream_inference_cost": 19},
            },
        ),
        Usage(194, 0, 12, cache_write=100, input_audio=0, billed_usd="0.00014", model="openai/gpt-5"),
    ),
    "OpenRouter, where the model's provider bills the rest": (
        "/v1/chat/completions",
        whole(
            usage={
                **{"prompt_tokens": 194, "completion_tokens": 12, "cost": 0.95, "is_byok": True},
                "cost_details": {"upstream_inference_cost": 19},
            }
        ),
        Usage(194, output=12, billed_usd="19.95"),
    ),
    "xAI: the completion is without what was thought": (
        "/v1/chat/completions",
        whole(
            usage={
                **{"prompt_tokens": 663, "completion_tokens": 5, "total_tokens": 675, "cost_in_usd_ticks": 37756000},
                "prompt_tokens_details": {"cached_tokens": 654},
                "completion_tokens_details": {"reasoning_tokens": 7},
            }
        ),
        Usage(663, 654, 12, 7, billed_usd="0.0037756"),
    ),
    "Perplexity": (
        "/v1/chat/completions",
        whole(
            usage={
                **{"prompt_tokens": 33, "completion_tokens": 5, "total_tokens": 38, "reasoning_tokens": 7},
                "cost": {"total_cost": 0.8},
            }
        ),
        Usage(33, None, 12, 7, billed_usd="0.8"),
    ),
    "OpenAI: a voice, flex": (
        "/v1/chat/completions",
        whole(
            service_tier="flex",
            usage={
                **{"prompt_tokens": 110, "completion_tokens": 12, "total_tokens": 122},
                "prompt_tokens_details": {"audio_tokens": 90, "cached_tokens": 0},
                "completion_tokens_details": {"audio_tokens": 9, "reasoning_tokens": 0},
            },
        ),
        Usage(110, 0, 12, 0, input_audio=90, output_audio=9, tier="flex"),
    ),
    "images": (
        "",
        passed_on(
            {
                "usage": {
                    **{"input_tokens": 50, "output_tokens": 12, "total_tokens": 62},
                    "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
                }
            }
        ),
        Usage(50, output=12, input_image=40),
    ),
    # Gateways say it in both ways: it is counted once.
    "a chat with Anthropic's numbers beside": (
        "",
        passed_on({"usage": CHAT_USAGE | {"cache_read_input_tokens": 64, "cache_creation_input_tokens": 0}}),
        ALL,
    ),
    "a chat that is passed on": ("", passed_on({"usage": CHAT_USAGE}), ALL),
    "Ollama, passed on": ("", passed_on(OLLAMA), Usage(input=71, output=12)),
}


def recording(endpoint: str, response: RecordedResponse) -> Recording:
    return Recording(RecordedRequest("https://api.example.com", {"model": "m"}, endpoint), response)


def usage(made: Recording) -> Usage:
    endpoint = base.of(made.request)
    return endpoint.usage(endpoint.elements(made.response))


@pytest.mark.parametrize(("endpoint", "response", "told"), ROWS.values(), ids=ROWS)
def test_the_tokens_that_an_answer_tells(endpoint: str, response: RecordedResponse, told: Usage) -> None:
    made = recording(endpoint, response)
    assert usage(made) == told
    assert wire.tokens(made) == 12


@pytest.mark.parametrize(
    "cost",
    [True, "0.1", -1, 0, 1e400, float("nan"), 10**7, {"total_cost": None}, [], None],
)
def test_a_cost_that_is_none_is_not_told(cost: object) -> None:
    told = whole(usage={"prompt_tokens": 1, "completion_tokens": 1, "cost": cost})
    assert usage(recording("/v1/chat/completions", told)).billed_usd is None


def test_the_answers_of_the_samples_tell_their_tokens() -> None:
    llama = Usage(model="accounts/fireworks/models/llama-v3p1-8b-instruct")
    assert {name: usage(loads(path.read_bytes())) for name, path in SAMPLES.items()} == {
        "fireworks completions": replace(llama, input=25, output=50),
        "fireworks chat": replace(llama, input=14, output=26),
        "fireworks chat, two choices interleaved": replace(llama, input=20, output=40),
        "cerebras completions": Usage(26, 0, 50, model="llama-3.3-70b"),
    }


def test_embeddings_have_an_input_alone() -> None:
    made = recording("/v1/embeddings", whole(data=[], usage={"prompt_tokens": 71, "total_tokens": 71}))
    assert usage(made) == Usage(input=71)
    assert wire.tokens(made) == 0


@pytest.mark.parametrize("counted", [{"input_tokens": 14}, {"object": "response.input_tokens", "input_tokens": 14}])
def test_what_only_counts_tokens_has_taken_none(counted: Mapping[str, Any]) -> None:
    assert usage(recording("", passed_on(counted))) == Usage()


@dataclass(frozen=True)
class Silent:
    endpoint: str
    response: RecordedResponse
    tokens: int


SILENT = {
    "an answer in one piece": Silent("/v1/chat/completions", whole(choices=[]), 0),
    "a stream: its chunks": Silent("/v1/chat/completions", chunks({}, {}, {}), 3),
    "a stream that is passed on: its events": Silent("", events({}, {}), 2),
    "lines of Ollama's": Silent("/api/chat", chunks({"done": False}, {"done": True}), 2),
    "a number that is none": Silent("/v1/chat/completions", whole(usage={"completion_tokens": "12"}), 0),
    "a number below zero": Silent("/v1/chat/completions", whole(usage={"completion_tokens": -1}), 0),
    "a number beyond all": Silent("/v1/chat/completions", chunks({"usage": {"completion_tokens": 10**10}}), 1),
    "the other API's key": Silent("/api/chat", whole(usage={"completion_tokens": 12}), 0),
}


@pytest.mark.parametrize("silent", SILENT.values(), ids=SILENT)
def test_what_tells_no_tokens_is_counted_by_its_chunks(silent: Silent) -> None:
    assert wire.tokens(recording(silent.endpoint, silent.response)) == silent.tokens
    assert usage(recording(silent.endpoint, silent.response)).output is None
