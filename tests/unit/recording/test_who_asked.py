"""Whether an error is about who asks: such a one is never kept, as the next who asks gets an answer."""

from typing import Any

import pytest

from wiretape.recording import who_asked

# As the providers say it, each with the status 400.
ABOUT_WHO_ASKS = {
    "gemini": {"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}},
    "gemini's details": {"error": {"details": [{"@type": "x", "reason": "API_KEY_INVALID"}]}},
    "gemini's region": {"error": {"message": "User location is not supported for the API use."}},
    "anthropic": {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "Your credit balance is too low"},
    },
    "anthropic's key": {"type": "error", "error": {"type": "authentication_error", "message": "no"}},
    "xai": {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xa***"},
    "openai": {"error": {"message": "no", "type": "x", "code": "billing_hard_limit_reached"}},
    "openai's organization": {"error": {"message": "Your organization must be verified to use the model"}},
    "bedrock": {"__type": "UnrecognizedClientException"},
    "dashscope": {"code": "Arrearage", "message": "x"},
    "a text": "Invalid API key",
    "a miss of a wiretape on the way": {"error": {"message": "wiretape: no recording", "code": "recording_not_found"}},
    "a miss in Ollama's form": {
        "error": "wiretape: no recording of this request, 0123456789ab, /api/chat at http://x."
    },
    "as deep as may be": {"a": {"b": {"c": {"d": {"code": "invalid_api_key"}}}}},
    "in a list": [{"error": {"status": "FAILED_PRECONDITION"}}],
}
ABOUT_THE_REQUEST = {
    "a wrong model": {"error": {"message": "The model `m` does not exist", "code": "model_not_found"}},
    "a parameter": {"error": {"type": "invalid_request_error", "param": "temperature", "message": "Invalid value"}},
    "keys of another kind": {"error": {"message": "Unexpected key in the schema: api"}},
    "a member of another name": {"input": "invalid api key"},
    "a text": "no such model",
    "no texts": {"error": {"code": 400}},
    "nothing": None,
    "a word of ours in the middle": {"error": "unknown: wiretape: no recording of this request"},
    # A long message repeats what was sent, and what is deep or far behind is no provider's word.
    "said late": {"error": {"message": "x" * 500 + " invalid api key"}},
    "deep": {"a": {"b": {"c": {"d": {"e": {"code": "invalid_api_key"}}}}}},
    "behind many": [{"type": "x"}] * 200 + [{"code": "invalid_api_key"}],
}


@pytest.mark.parametrize("who", ABOUT_WHO_ASKS)
def test_what_is_about_who_asks(who: str) -> None:
    assert who_asked.is_meant(ABOUT_WHO_ASKS[who])


@pytest.mark.parametrize("what", ABOUT_THE_REQUEST)
def test_what_is_about_the_request(what: str) -> None:
    told: Any = ABOUT_THE_REQUEST[what]
    assert not who_asked.is_meant(told)
