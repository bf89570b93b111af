"""Finds the secrets of this machine's environment: the values of variables whose names tell that they are secrets.

They are searched for as they are, in base64 and percent-encoded. They stay in memory: no error, ``repr`` or line of the
log has them. A process that we start reads its own environment, which is the same.

A value may be an everyday text. With ``DB_PASSWORD=password``, each request with that word in it would be recorded anew
on this machine, and would find no recording on others. So a value that may stand in a text by itself is no secret.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

import re2

from wiretape.codecs.patterns import compiled
from wiretape.redaction.members import is_key_of_environment
from wiretape.redaction.scanner import SecretMatch
from wiretape.redaction.words import is_placeholder, reads_as_words

NAME = "environment"
"""The name of this detector."""

_SHORTEST = 8
_LONGEST = 4096
_MOST = 128
"""How many values are searched for."""
_ENCODED_FROM = 12
"""How many characters a value has at least that can be recognized by a part of its base64."""

_ORDINARY = re.compile(
    r"[./~]{0,2}/|[A-Za-z]:\\|[0-9.,:/ -]+$|(?i:test|dummy|fake|sample|local|dev|none|null|true|false)"
)


def _may_stand_by_itself(value: str) -> bool:
    """Tell whether a text may well contain the value and mean something else."""
    if _ORDINARY.match(value) and len(value) < 32:
        return True
    if is_placeholder(value) or value.isspace() or len(set(value)) < 5:
        return True
    if len(value) >= 24 and not value.startswith(("/", "./", "~/")):
        return False  # Even where it is made of words, no other text has just these.
    has_digit = any(map(str.isdigit, value))
    has_letter = any(map(str.isalpha, value))
    return reads_as_words(value) or (not (has_digit and has_letter) and not re.search(r"[!@#$%^&*?+=]", value))


def _values(environment: Mapping[str, str]) -> Iterator[str]:
    for name, value in environment.items():
        if name.upper() in ("PWD", "OLDPWD"):
            continue
        if is_key_of_environment(name):
            yield value.strip()
        elif "://" in value and "@" in value:  # DATABASE_URL, HTTPS_PROXY
            try:
                password = urlsplit(value).password
            except ValueError:
                continue
            if password:
                yield password
                yield unquote(password)


def _spellings(value: str) -> Iterator[bytes]:
    raw = value.encode("utf-8", "surrogateescape")
    yield raw
    yield quote(value, safe="", errors="surrogateescape").encode()
    yield quote_plus(value, errors="surrogateescape").encode()
    yield value.replace("\\", "\\\\").replace('"', '\\"').encode("utf-8", "surrogateescape")
    if len(raw) >= _ENCODED_FROM:
        for shift in range(3):
            # Its base64 depends on where it begins in the text; the ends, which its neighbours change, are left out.
            encoded = base64.b64encode(bytes(shift) + raw)
            piece = encoded[(0, 2, 3)[shift] : len(encoded) - (0, 3, 2)[(shift + len(raw)) % 3]]
            yield piece
            yield piece.translate(bytes.maketrans(b"+/", b"-_"))


class Environment:
    """The secrets of one environment."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        chosen = [
            value
            for value in dict.fromkeys(_values(environment))
            if _SHORTEST <= len(value) <= _LONGEST and not _may_stand_by_itself(value)
        ][:_MOST]
        texts = {text for value in chosen for text in _spellings(value)}
        # The longest come first: where one begins with another, all of it is taken out.
        ordered = sorted(texts, key=lambda text: (-len(text), text))
        self._pattern: Any = None
        if ordered:
            self._pattern = compiled(b"|".join(map(re2.escape, ordered)))

    def scan(self, data: bytes) -> list[SecretMatch]:
        """Return where a text in UTF-8 has any of the secrets."""
        if self._pattern is None:
            return []
        return [SecretMatch(match.start(), match.end(), NAME) for match in self._pattern.finditer(data)]
