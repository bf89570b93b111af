"""TOML text -> values, bounded. Under everything that reads a configuration.

A checkout brings its configuration along, so it is read as what a stranger has written: ``tomllib`` ends in a
RecursionError where values are nested deeply, and takes quadratic time for a key of many parts.
"""

import difflib
import errno
import os
import re
import stat
import tomllib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

LARGEST = 1 << 20
"""Bytes of a configuration's file, and characters of its text."""

_PARTS = 64
_PART = r"""(?:[A-Za-z0-9_-]{1,128}|"[^"\n]{0,128}"|'[^'\n]{0,128}')[ \t]{0,8}\.[ \t]{0,8}"""
_LONG_KEY = re.compile(rf"(?<![A-Za-z0-9_-])(?:{_PART}){{{_PARTS}}}")


def read(path: Path) -> str:
    """The text of a configuration's file, of a very large one its beginning. It waits for no FIFO and reads no device.

    Raises OSError and UnicodeDecodeError.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    with os.fdopen(descriptor, "rb") as file:
        return file.read(4 * LARGEST).decode("utf-8")


def loads(file: str, text: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises ValueError, naming the file, where it is none or is not of a sane size."""
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


_MENTIONED = 3
"""Unknown names that one error tells."""
_LONGEST_NAME = 40
"""Characters of such a name: so much is compared, and shown."""


def unknown(
    where: str, names: Iterable[str], known: Collection[str], hint: str = "", *, kind: str = "key"
) -> ValueError:
    """Return the error for keys or tables that nobody reads: it names the one that was probably meant."""
    wrong = sorted(names)
    shown = ", ".join(name[:_LONGEST_NAME] for name in wrong[:_MENTIONED])
    if len(wrong) > _MENTIONED:
        shown += " and others"
    meant = nearest(wrong[0], known)
    guess = f": did you mean {meant}? There are" if meant else "; there are"
    return ValueError(f"{where}: unknown {kind} {shown}{guess} {', '.join(known)}{hint}")


def nearest(name: str, known: Collection[str]) -> str:
    """Return the known name that a wrong one is most like; empty where it is like none."""
    found = difflib.get_close_matches(name[:_LONGEST_NAME].lower(), known, 1)
    return found[0] if found else ""
