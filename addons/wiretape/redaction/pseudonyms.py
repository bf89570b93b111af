"""A name in the place of another, always the same one: ``customer-305419896120433`` for ``Jane Doe``.

What a rule takes out is made into a number by a keyed hash of the rule's name and the value. So two workers agree
without a word, in request and answer, and a second run writes the same bytes. The session is no part of it: a session
that is promoted, or lies below another, would no longer be found.

Whoever can replay from a recording alone could try every customer's number until the pseudonym comes out: values are
few. So the key is in no recording and no configuration. It is the variable ``WIRETAPE_PSEUDONYM_KEY``, which those
share who share recordings; without it each machine draws its own, once.
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
"""Where the number stands in a rule's replacement."""

_DIGITS = 15
_SHORTEST_KEY = 16


def key_file() -> Path:
    """Return where this machine's own key is."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "wiretape" / "pseudonym.key"


@cache
def key() -> bytes:
    """Return the key of pseudonyms. Raises ValueError, which says what to do, where there can be none."""
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
    """Return what stands for a value: the template with its number."""
    said = f"{len(rule)}:{rule}{value}".encode("utf-8", "surrogatepass")
    digest = hmac.digest(key(), said, hashlib.sha256)
    number = int.from_bytes(digest[:8]) % 10**_DIGITS
    return template.replace(PLACE, f"{number:0{_DIGITS}}")


def known(template: str) -> re.Pattern[str]:
    """Return a pattern for the pseudonyms that a template makes: they are not replaced again."""
    return re.compile(re.escape(template).replace(re.escape(PLACE), f"[0-9]{{{_DIGITS}}}"))
