"""Whether an error is about who asks, and not about the request, whatever its status says. Under the recordings.

Some providers say with a 400 that a key is wrong, an account has no credit, or its country is not served: Gemini,
Anthropic, xAI, OpenAI. Whoever asks next, with another key, gets an answer.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

_CODES = frozenset(
    {
        "api_key_invalid",
        "api_key_expired",
        "api_key_service_blocked",
        "invalid_api_key",
        "incorrect_api_key",
        "invalidapikey",
        "missing_api_key",
        "unauthenticated",
        "permission_denied",
        "failed_precondition",
        "authentication_error",
        "permission_error",
        "billing_error",
        "billing_hard_limit_reached",
        "billing_not_active",
        "insufficient_quota",
        "insufficient_balance",
        "insufficient_credits",
        "account_deactivated",
        "account_not_active",
        "access_terminated",
        "accessdenied",
        "arrearage",
        "unsupported_country_region_territory",
        "unrecognizedclientexception",
        "resource_exhausted",
        # Of a wiretape on the way to the provider, which replays: it is about what that one has.
        "recording_not_found",
    }
)
"""What the member of an error says that has a word for it, in lower case."""

_SAID = re.compile(
    r"api[ _-]?key (?:is |was )?(?:not valid|invalid|incorrect|expired|missing|not found|disabled)"
    r"|(?:invalid|incorrect|expired|missing|wrong) api[ _-]?key"
    r"|credit balance is too low|insufficient (?:balance|credit)"
    r"|user location is not supported|organization must be verified|billing (?:hard limit|account)|arrearage"
    r"|\Awiretape: no recording of this request",
    re.IGNORECASE,
)

_TELLING = frozenset({"code", "reason", "status", "type", "__type", "error"})
_MESSAGES = frozenset({"message", "msg", "detail", "error"})

_LONGEST = 500
"""Characters of a message that are looked at: a longer one repeats what was sent."""

_DEEPEST = 5
_MOST = 100


def is_meant(error: Any) -> bool:
    """Return whether the body of an error, as a JSON value or as text, is about who asks."""
    if isinstance(error, str):
        return _SAID.search(error[:_LONGEST]) is not None
    for name, text in islice(_texts(error, _DEEPEST), _MOST):
        if name in _TELLING and text.lower() in _CODES:
            return True
        if name in _MESSAGES and _SAID.search(text[:_LONGEST]):
            return True
    return False


def _texts(value: Any, depth: int) -> Iterator[tuple[str, str]]:
    """Yield the texts of an error's members, by their names."""
    if depth == 0:
        return
    if isinstance(value, list):
        for item in value[:_MOST]:
            yield from _texts(item, depth - 1)
    elif isinstance(value, dict):
        for name, member in value.items():
            if isinstance(member, str):
                yield name, member
            else:
                yield from _texts(member, depth - 1)
