"""The token of a browser that looks at the page, in a cookie: it can send no ``Authorization`` with a link. Sans-IO."""

import re
from collections.abc import Mapping

NAME = "wiretape-token"

_TOKEN = re.compile(r"[A-Za-z0-9_.-]{1,200}")

LASTS = 12 * 3600
"""Seconds for which a browser keeps it."""


def is_token(text: str) -> bool:
    """Return whether a text can be a token: it stands in a header."""
    return _TOKEN.fullmatch(text) is not None


def authorization(cookies: Mapping[str, str]) -> str | None:
    """Return the ``Authorization`` that cookies stand for; None where there is none."""
    token = cookies.get(NAME, "")
    return f"Bearer {token}" if is_token(token) else None
