"""Patterns for bytes that are searched for in linear time, whatever the bytes are: RE2's. Knows no pattern itself."""

from typing import Any

import re2


def compiled(pattern: bytes) -> Any:
    """Return a compiled pattern for bytes. RE2 does not print a wrong pattern to stderr."""
    options = re2.Options()
    options.log_errors = False
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(pattern, options)
