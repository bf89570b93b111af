"""What the library of prices calls the providers and models that are named here otherwise. Data, and no library."""

import re
from functools import cache

from wiretape.providers import table

PROVIDERS = {
    "azure-anthropic": "azure",
    "bedrock": "aws",
    "copilot": "github-copilot",
    "deepseek-anthropic": "deepseek",
    "gemini": "google",
    "gemini-openai": "google",
    "moonshot": "moonshotai",
    "moonshot-anthropic": "moonshotai",
    "xai": "x-ai",
    "zai-anthropic": "zai",
}
"""Our name of a provider -> that of the library, where they differ."""

FREE = frozenset({"application", "lm-studio", "ollama", "tgi", "vllm"})
"""What runs on one's own machine: its tokens cost nothing."""

SUBSCRIBED = frozenset({"code-assist", "codex", "kimi-coding", "qwen-coding"})
"""What is paid by the month: a token has no price."""

BY_MODEL = "litellm"
"""The library's name for who passes on what others offer: the model's name tells whose price it is."""

_FREE_PATHS = re.compile(r"(?:/count_tokens|:countTokens|/input_tokens|/moderations|/tokenize|/detokenize)\Z")
"""Endpoints that take a model and no money."""


def provider_and_model(provider: str, model: str) -> tuple[str, str]:
    """Return what the library calls them."""
    if provider == "huggingface" and ":" in model:
        model, _, host = model.rpartition(":")
        return f"huggingface_{host}", model
    if provider == "fireworks" and model and "/" not in model:
        model = f"accounts/fireworks/models/{model}"
    if provider not in _built_in():
        return BY_MODEL, model
    return PROVIDERS.get(provider, provider), model.removeprefix("models/")


def is_free(endpoint: str) -> bool:
    """Return whether an endpoint costs nothing, whatever its answer says of tokens."""
    return bool(_FREE_PATHS.search(endpoint))


@cache
def _built_in() -> frozenset[str]:
    """Return the names of the providers that are known here; a team's own ones are others'."""
    return frozenset(each.get("name", "") for each in table.builtin_tables()["provider"])
