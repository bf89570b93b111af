"""TOML text -> values, of bounded size. Everything that reads a configuration uses it.

A checkout brings its configuration along, so it is read as a stranger's text: ``tomllib`` ends with a RecursionError
where values are nested deeply, and takes quadratic time for a key of many parts.
"""

import errno
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

LARGEST = 1 << 20
"""Bytes of a configuration's file, and characters of its text."""

_PARTS = 64
_PART = r"""(?:[A-Za-z0-9_-]{1,128}|"[^"\n]{0,128}"|'[^'\n]{0,128}')[ \t]{0,8}\.[ \t]{0,8}"""
_LONG_KEY = re.compile(rf"(?<![A-Za-z0-9_-])(?:{_PART}){{{_PARTS}}}")


def read(path: Path) -> str:
    """Return the text of a configuration, or the beginning of a very large one. It does not wait for a FIFO or read a
    device.

    Raises OSError and UnicodeDecodeError.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    with os.fdopen(descriptor, "rb") as file:
        return file.read(4 * LARGEST).decode("utf-8")


def loads(file: str, text: str) -> dict[str, Any]:
    """Return the tables of a TOML text. Raises ValueError, which names the file, where it is malformed or too large."""
    if len(text) > LARGEST:
        raise ValueError(f"{file}: is longer than {LARGEST:,} characters: no configuration is")
    if _LONG_KEY.search(text):
        raise ValueError(f"{file}: has a key of more than {_PARTS} parts")
    try:
        return tomllib.loads(text)
    except ValueError as e:  # A number of more digits than Python reads.
        raise ValueError(f"{file}: not TOML: {e}") from e
    except RecursionError as e:
        raise ValueError(f"{file}: not TOML: it is nested too deeply") from e
