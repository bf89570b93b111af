"""Which model a request asks for: by its body, else by its URL."""

import pytest

from wiretape.providers.asked_model import model_of
from wiretape.recording import RecordedRequest

MODELS = {
    "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.0-flash:generateContent": "gemini-2.0-flash",
    "https://x.openai.azure.com/openai/deployments/mine/chat/completions?api-version=1": "mine",
    "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-v2%3A0/converse": "anthropic.claude-v2:0",
    "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-v2:0/converse": "anthropic.claude-v2:0",
    "https://api.openai.com/v1/audio/speech": "",
}


@pytest.mark.parametrize(("url", "model"), MODELS.items())
def test_a_model_that_the_url_names(url: str, model: str) -> None:
    assert model_of(RecordedRequest(url, {}, "")) == model
    assert model_of(RecordedRequest(url, {"model": "asked"}, "")) == "asked"
