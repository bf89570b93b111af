"""What the library of prices calls providers and models."""

import pytest

from wiretape.pricing import names
from wiretape.providers import table

NAMES = {
    ("openai", "gpt-5"): ("openai", "gpt-5"),
    ("gemini", "models/gemini-2.5-pro"): ("google", "gemini-2.5-pro"),
    ("azure-anthropic", "claude-x"): ("azure", "claude-x"),
    ("fireworks", "llama"): ("fireworks", "accounts/fireworks/models/llama"),
    ("fireworks", "accounts/fireworks/models/llama"): ("fireworks", "accounts/fireworks/models/llama"),
    ("openrouter", "openai/gpt-5"): ("openrouter", "openai/gpt-5"),
    ("huggingface", "openai/gpt-oss-120b:cerebras"): ("huggingface_cerebras", "openai/gpt-oss-120b"),
    ("huggingface", "openai/gpt-oss-120b"): ("huggingface", "openai/gpt-oss-120b"),
    ("our-gateway", "gpt-5"): ("litellm", "gpt-5"),
    ("", "gpt-5"): ("litellm", "gpt-5"),
}


@pytest.mark.parametrize(("ours", "theirs"), NAMES.items())
def test_the_librarys_names(ours: tuple[str, str], theirs: tuple[str, str]) -> None:
    assert names.provider_and_model(*ours) == theirs


def test_all_providers_that_are_named_here_there_are() -> None:
    known = {each.get("name") for each in table.builtin_tables()["provider"]}
    assert {*names.PROVIDERS, *names.FREE, *names.SUBSCRIBED} <= known


def test_what_only_counts_tokens_is_free() -> None:
    assert [names.is_free(each) for each in ("/messages/count_tokens", "/models/x:countTokens", "/messages")] == [
        *(True, True),
        False,
    ]
