"""The four sample recordings, and calling a real SDK with what they hold."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openai

from places import SHIPPED

RESPONSES = SHIPPED / "default" / "responses"
SAMPLES = {
    "fireworks completions": RESPONSES / "f3cbd3f07e60.json",
    "fireworks chat": RESPONSES / "e99f14805360.json",
    "fireworks chat, two choices interleaved": RESPONSES / "e22f98c05933.json",
    "cerebras completions": RESPONSES / "af6ca03dcbc3.json",
}
CHAT = SAMPLES["fireworks chat"]
BASES = {"api.fireworks.ai": "https://api.fireworks.ai/inference/v1", "api.cerebras.ai": "https://api.cerebras.ai/v1"}
FIREWORKS_CHAT = "/inference/v1/chat/completions"
MODEL = "accounts/fireworks/models/llama-v3p1-8b-instruct"


def load(path: Path) -> Mapping[str, Any]:
    """A recording's content."""
    content: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def base_url(recording: Mapping[str, Any]) -> str:
    """The base URL that the SDK is given for a sample."""
    return next(base for host, base in BASES.items() if host in recording["request"]["url"])


def call(client: openai.OpenAI, recording: Mapping[str, Any]) -> Any:
    """The SDK call that a recording is of, with the recorded arguments as a user would write them."""
    arguments = {key: value for key, value in recording["request"]["body"].items() if value != {}}
    if recording["request"]["endpoint"] == "/v1/completions":
        return client.completions.create(**arguments)
    return client.chat.completions.create(**arguments)


def dumped(chunk: Any) -> Any:
    """An SDK object as values, without what the installed SDK declares and the recordings' did not."""
    return without_nulls(chunk.model_dump(mode="json"))


def without_nulls(value: Any) -> Any:
    """A JSON value without its null members: newer SDKs declare more fields, which are null here."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def chunks_of(recording: Mapping[str, Any]) -> list[Any]:
    """The chunks that a recording holds, comparable with ``dumped`` ones."""
    return [without_nulls(element["__data__"]) for element in recording["response"]["body"]]
