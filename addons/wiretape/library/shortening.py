"""Long texts and images in a JSON value -> what is shown of them. Beside ``transcript``: people can ask for all."""

import re
from collections.abc import Mapping
from typing import Any

_LONG = 1000
"""Characters of a text that is shown whole."""

_SHOWN = 600
"""Those that are shown of a longer one: two thirds from its beginning, the rest from its end."""

_ITEMS = 50
"""Items of a list that are shown."""

# What is no text to read: an image, a sound, a vector.
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?[^,]{0,100},")
_BASE64 = re.compile(r"[A-Za-z0-9+/_=\s-]*")


def shortened(value: Any) -> Any:
    """Return a value in which long texts and lists are short, and images are named."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return {key: shortened(item) for key, item in value.items()}
    if isinstance(value, list):
        short = [shortened(item) for item in value[:_ITEMS]]
        return short if len(value) <= _ITEMS else [*short, f"… and {len(value) - _ITEMS:,} more"]
    return value


def text(value: str) -> str:
    """Return a text, or its beginning and its end."""
    if len(value) <= _LONG:
        return value
    if url := _DATA_URL.match(value):
        return f"{url[0]}… ({_size(3 * (len(value) - url.end()) // 4)})"
    if _is_base64(value):
        return f"{value[:40]}… (base64, {_size(3 * len(value) // 4)})"
    start = value[: 2 * _SHOWN // 3]
    end = value[-_SHOWN // 3 :]
    return f"{start} … ({len(value) - len(start) - len(end):,} characters) … {end}"


def _is_base64(value: str) -> bool:
    return " " not in value[:_LONG] and _BASE64.fullmatch(value) is not None


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"
