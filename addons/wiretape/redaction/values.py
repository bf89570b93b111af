"""Tells whether a value in the place of a secret is one: behind ``password=``, or in a member named ``token``.

This is a part of the table. Source code has such names all the time, and rarely with a secret behind them.
"""

import re
from enum import Enum, auto

from wiretape.redaction.words import is_placeholder, reads_as_words, share_of_words

_LOOKED_AT = 96
_OTHER = re.compile(
    r"(?:"
    r"[$<>{%\[(@&*|]"  # a variable, a template, a placeholder
    r"|[./~]{1,2}/|/|[A-Za-z]:\\|[A-Za-z][A-Za-z0-9+.-]*://"  # a path, a URL
    r"|(?i:none|null|true|false|undefined|os\.|process\.env|env[.:(\[]|self\.|this\.|arn:|__redacted__)"
    r"|(?:__redacted|\*\*|[.]{3})"
    r"|\+ ?[A-Za-z_]\w{0,64}(?:[.(\[]|\+\Z)"  # what a program puts together: "PWD="+dir.name
    r")"
)
_TEMPLATE = re.compile(r"[\s{}<>()\[\]]|\$[{(]|%[sdr(]|\\[^/nrt]|::|->")
_NUMBERED_WORD = re.compile(r"[A-Za-z_.-]+[0-9]{1,6}")
_DOTTED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)+")
_DIVIDED = re.compile(r"[a-z0-9]+(?:[_-][a-z0-9]+){2,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{32,}={0,2}")
_NUMBER_OR_COLOUR = re.compile(
    r"0[xX](?:[0-9A-Fa-f]{1,16}|[0-9A-Fa-f]{40})|#[0-9A-Fa-f]{3,8}|[A-Za-z]{0,3}[0-9]+(?:[.][0-9]+)+"
)
_DIGITS = re.compile("[0-9]+")
_LETTER = re.compile("[A-Za-z]")
_HARD = re.compile(r"[0-9!@#$%^&*?+~]")
"""Keys and passwords contain one of these; words do not."""


class Writing(Enum):
    """How a value is written, which tells how likely it is the name of something instead."""

    PLAIN = auto()
    """On a line of its own, as in a file of settings, or in the query of a URL."""
    QUOTED = auto()
    """Between quotes."""
    BARE = auto()
    """Anywhere else, where names of source code stand."""
    PASSWORD = auto()
    """Behind the name of a password. A person may have thought of it, with words in it."""


def is_secret(text: str, writing: Writing = Writing.PLAIN) -> bool:
    """Tell whether a text is a key or a password rather than a word, a variable or a placeholder."""
    text = text[:_LOOKED_AT]
    # The tests that rule out most come first: such names are everywhere, and few stand before a secret.
    if len(text) < 6 or text.isalpha() or text.isdigit() or not text.isascii():
        return False
    if not _HARD.search(text) or not _LETTER.search(text) or _is_other(text) or _TEMPLATE.search(text):
        return False
    return _is_so_written(text, writing) and not _NUMBER_OR_COLOUR.fullmatch(text) and not is_placeholder(text)


def _is_other(text: str) -> bool:
    if not _OTHER.match(text):
        return False
    # Of 64 keys in base64, one begins with a slash, as a path does.
    key = _BASE64.match(text)
    return text[0] != "/" or not key or share_of_words(key[0]) >= 0.3


def _is_dotted(text: str) -> bool:
    """Tell whether a text is names with dots between them, as in a program."""
    return bool(_DOTTED.fullmatch(text)) and (len(text) < 20 or share_of_words(text) >= 0.3)


def _is_so_written(text: str, writing: Writing) -> bool:
    match writing:
        case Writing.PLAIN:
            return not _is_dotted(text) and not reads_as_words(text)
        case Writing.QUOTED:
            return not _NUMBERED_WORD.fullmatch(text) and not reads_as_words(text)
        case Writing.PASSWORD:
            return not _is_dotted(text)
        case Writing.BARE:
            return _is_drawn(text)


def _is_drawn(text: str) -> bool:
    """Tell whether a text was drawn at random. This is the strictest test: no name in a program passes it."""
    digits = _DIGITS.findall(text)
    if len(text) < 16 or not digits or _DOTTED.fullmatch(text) or _NUMBERED_WORD.fullmatch(text):
        return False
    words = share_of_words(text)
    if _DIVIDED.fullmatch(text) and words >= 0.2:
        return False
    if len(digits) == 1:
        return words < 0.25
    return words < 0.45


_ADDRESS = re.compile(r"0x[0-9A-Fa-f]+")
_WORD_PARTS = re.compile(r"[A-Za-z._-]+")


def may_be_secret(text: str) -> bool:
    """Tell whether the text of a member is a secret, where its name alone does not decide.

    Models and games call other things a token: a word, an address on a chain.
    """
    if len(text) < 6 or any(map(str.isspace, text[:_LOOKED_AT])) or _OTHER.match(text) or _ADDRESS.fullmatch(text):
        return False
    if _WORD_PARTS.fullmatch(text):
        return len(text) >= 20 and not reads_as_words(text)
    return True


_STAND_IN = re.compile(
    r"projects/[\w.-]{1,64}/secrets/[\w./-]{1,128}|arn:aws[\w-]{0,16}:secretsmanager:[\w:/+=.@-]{1,200}|op://\S{1,128}"
    r"|(?:(?i:bearer|basic|token) )?(?:\$\{?[\w.:-]{1,64}\}?|<[^<>]{1,64}>|\{\{[^{}]{1,64}\}\}|%\w{1,64}%)"
)
_PATH = re.compile(r"(?:~|[.]{1,2}|[A-Za-z]:)?[/\\](?:[\w .@+-]{1,128}[/\\]{0,2})*+")
_DESCRIPTION = 5
"""With so many words, a text describes a secret rather than being one."""


def is_directory(name: str, text: str) -> bool:
    """Tell whether a member is a working directory, which shells call ``PWD``, and not a password."""
    return name.lower() in ("pwd", "oldpwd") and not _BASE64.fullmatch(text) and _PATH.fullmatch(text) is not None


def is_about_secret(text: str) -> bool:
    """Tell whether the text of a member that names a secret only describes it, or refers to it."""
    return bool(_STAND_IN.fullmatch(text)) or len(text[:_LOOKED_AT].split()) >= _DESCRIPTION
