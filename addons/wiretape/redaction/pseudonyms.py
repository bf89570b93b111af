"""A pseudonym replaces a name, and always the same name: ``customer-305419896120433`` for ``Jane Doe``.

The number is a keyed hash of the rule's name and of the value. So two workers agree without a word, the request and
the answer have the same pseudonym, and a second run writes the same bytes. The session takes no part in it: otherwise a
session that is promoted, or lies below another one, would no longer be found.

With a recording alone, anybody could compute the pseudonyms of all customers and compare: there are few values. So the
key is in no recording and in no configuration. It is the variable ``WIRETAPE_PSEUDONYM_KEY``, which a team that shares
recordings also shares. Without it, each machine draws a key of its own, once.
"""

import hashlib
import hmac
import os
import re
import secrets
from contextlib import suppress
from functools import cache
from pathlib import Path

VARIABLE = "WIRETAPE_PSEUDONYM_KEY"
PLACE = "{n}"
"""Where the number stands in the replacement of a rule."""

_DIGITS = 15
_SHORTEST_KEY = 16


def key_file() -> Path:
    """Return the path of this machine's own key."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "wiretape" / "pseudonym.key"


@cache
def key() -> bytes:
    """Return the key of pseudonyms. Raises ValueError, which tells what to do, where none can be had."""
    told = os.environ.get(VARIABLE, "")
    if told:
        if len(told) < _SHORTEST_KEY:
            raise ValueError(f"{VARIABLE} is too short: it has at least {_SHORTEST_KEY} characters, drawn at random")
        return told.encode("utf-8", "surrogateescape")
    file = key_file()
    try:
        return _own_key(file)
    except OSError as e:
        raise ValueError(f"no key for pseudonyms can be kept in {file} ({e.strerror}): set {VARIABLE}") from e


def _own_key(file: Path) -> bytes:
    with suppress(FileNotFoundError):
        return file.read_bytes()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    drawn = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(drawn, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(secrets.token_hex(32).encode())
    try:
        with suppress(FileExistsError):  # Another process was first: its key is ours.
            os.link(drawn, file)
    finally:
        drawn.unlink()
    return file.read_bytes()


def pseudonym(template: str, rule: str, value: str) -> str:
    """Return what replaces a value: the template with the number of the value."""
    said = f"{len(rule)}:{rule}{value}".encode("utf-8", "surrogatepass")
    digest = hmac.digest(key(), said, hashlib.sha256)
    number = int.from_bytes(digest[:8]) % 10**_DIGITS
    return template.replace(PLACE, f"{number:0{_DIGITS}}")


def known(template: str) -> re.Pattern[str]:
    """Return a pattern for the pseudonyms that a template makes, which are not replaced again."""
    return re.compile(re.escape(template).replace(re.escape(PLACE), f"[0-9]{{{_DIGITS}}}"))
