"""The table of what a secret looks like. Before the redactor, which applies it."""

import re

NAMES = frozenset(
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

PATTERNS = {
    start: re.compile(rf"{re.escape(start)}(?<![A-Za-z0-9_-]{re.escape(start)}){rest}(?![A-Za-z0-9])")
    for start, rest in _FORMS.items()
}
