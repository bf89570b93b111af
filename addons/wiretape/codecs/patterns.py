"""Patterns that are searched for in linear time, whatever the bytes or texts are: RE2's. Knows no pattern itself."""

from typing import Any

import re2


def compiled(pattern: bytes) -> Any:
    """Return a compiled pattern for bytes. RE2 does not print a wrong pattern to stderr."""
    options = re2.Options()
    options.log_errors = False
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(pattern, options)


def text_pattern(pattern: str) -> Any:
    """Return a compiled pattern for texts, as UTF-8. Raises ValueError, which says what is wrong with it."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as e:
        reason = e.args[0].decode() if isinstance(e.args[0], bytes) else e.args[0]
        raise ValueError(f"{pattern!r} is no pattern of RE2 ({reason})") from e
