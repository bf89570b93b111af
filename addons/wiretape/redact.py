"""What never reaches a disk: keys and tokens inside a body. On the way in, before a request is compared or written.

Headers are not looked at here, because none is ever recorded. A body is cleaned in the same way on record and on
replay, so that a request with another key is the same request.
"""

import re
from collections.abc import Iterator
from typing import Any

REDACTED = "__redacted__"

_NAMES = frozenset(
    {
        "access_token",
        "api-key",
        "api_key",
        "apikey",
        "authorization",
        "client_secret",
        "cookie",
        "password",
        "private_key",
        "proxy-authorization",
        "refresh_token",
        "secret_key",
        "set-cookie",
        "x-api-key",
        "x-goog-api-key",
    }
)
"""Members whose text is a secret, whatever it looks like."""

_FORMS = {
    "sk-": r"(?:proj-|svcacct-|admin-|ant-[a-z0-9]+-|or-v1-)?[A-Za-z0-9_-]{32,}",  # OpenAI, Anthropic, OpenRouter, ...
    **dict.fromkeys(
        ("fw_", "gsk_", "hf_", "csk-", "tgp_v1_", "nvapi-", "xai-", "pplx-", "r8_", "ghp_", "gho_", "ghs_", "glpat-"),
        r"[A-Za-z0-9_-]{20,}",
    ),
    "wt_": r"[A-Za-z0-9_-]{43}",  # wiretape's own
    "github_pat_": r"[A-Za-z0-9_]{20,}",
    "AIza": r"[A-Za-z0-9_-]{35}",  # Google
    "AKIA": r"[A-Z0-9]{16}",  # AWS
    "ASIA": r"[A-Z0-9]{16}",
    "dapi": r"[a-f0-9]{32}",  # Databricks
    "eyJ": r"[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",  # JSON web token
    "-----BEGIN": r"[A-Z ]* PRIVATE KEY-----[\s\S]*?-----END[A-Z ]* PRIVATE KEY-----",
}

# One pattern for each beginning, which stands first in it: re then looks for the literal, and 30 MB of an image in
# base64 are passed over in milliseconds. What must not stand before it is looked at afterwards.
_SECRETS = [
    re.compile(rf"{re.escape(start)}(?<![A-Za-z0-9_-]{re.escape(start)}){rest}(?![A-Za-z0-9])")
    for start, rest in _FORMS.items()
]


def clean(value: Any) -> Any:
    """A JSON value without its secrets; the value itself where it has none."""
    match value:
        case dict():
            cleaned = {key: REDACTED if _is_secret(key, item) else clean(item) for key, item in value.items()}
            return cleaned if any(cleaned[key] is not item for key, item in value.items()) else value
        case list():
            items = [clean(item) for item in value]
            return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
        case str():
            for secret in _SECRETS:
                if secret.search(value):
                    value = secret.sub(REDACTED, value)
    return value


def _is_secret(key: str, value: Any) -> bool:
    return isinstance(value, str) and value not in ("", REDACTED) and key.lower() in _NAMES


def find(value: Any, path: str = "") -> Iterator[str]:
    """Where a JSON value has secrets, as paths such as ``request.body.tools[0].authorization``."""
    match value:
        case dict():
            for key, item in value.items():
                inner = f"{path}.{key}" if path else str(key)
                if _is_secret(key, item):
                    yield inner
                else:
                    yield from find(item, inner)
        case list():
            for index, item in enumerate(value):
                yield from find(item, f"{path}[{index}]")
        case str() if any(secret.search(value) for secret in _SECRETS):
            yield path
