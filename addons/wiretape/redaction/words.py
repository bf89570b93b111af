"""Tells whether a text reads as words, or was drawn at random. The detectors use it.

The names of functions, of CSS classes and of settings have the prefixes of keys as well (``hf_hub_download``,
``sk-toggleable__label-arrow``). English tells them apart: of the pairs of letters in words, nine in ten are among the
200 most frequent of all 676; of pairs that were drawn at random, three in ten are.
"""

import re

_FOLLOWING = """a:bcdgilmnprstuy b:aeilosu c:acehiklortu d:aeiosu e:acdefglmnprstvx f:aefiou g:aehinr h:aeio
i:abcdefglmnoprstvz k:ei l:adeilostuy m:aeimop n:acdefginostv o:cdglmnoprstuvw p:aehiloprsty q:u r:acdegilmnorstuy
s:acehiopstu t:acehilorstuy u:abcelmnprst v:aei w:aei x:pt y:p z:e"""
_PAIRS = frozenset(pairs[0] + second for pairs in _FOLLOWING.split() for second in pairs[2:])
"""The 200 most frequent pairs of letters in the words of programs, counted in Python's packages."""

_WORD = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{4,}")
_SEPARATORS = re.compile(r"[-_./ ]")

_LOOKED_AT = 96
"""How many characters of a text are looked at: enough to tell, and a bound on the work."""


def share_of_words(text: str) -> float:
    """Return which share of a text looks like words, from 0 to 1. Separators do not count."""
    text = text[:_LOOKED_AT]
    covered = 0
    for match in _WORD.finditer(text):
        word = match[0].lower()
        pairs = len(word) - 1
        common = sum(word[index : index + 2] in _PAIRS for index in range(pairs))
        if common >= 0.65 * pairs:
            covered += len(word)
    letters = len(text) - len(_SEPARATORS.findall(text))
    if not letters:
        return 1.0
    return covered / letters


def reads_as_words(text: str) -> bool:
    """Tell whether a text is made of words, as an identifier is.

    Fewer than ten of 100,000 texts of 20 or more random characters pass.
    """
    has_digit = any(map(str.isdigit, text[:_LOOKED_AT]))
    is_divided = not has_digit and _SEPARATORS.search(text[:_LOOKED_AT])
    if is_divided:
        return share_of_words(text) >= 0.45
    return share_of_words(text) >= 0.66


# How much likelier a pair of characters is in a name than in a random text, as logarithms. It depends on what they are
# (a small letter, a capital, a digit, a sign), and for letters on whether the pair is frequent in words. Counted in
# 42,000 names of Python's packages, and in random texts of the alphabets of keys.
_FREQUENT = {"ll": 1.5, "lu": -1.0, "ul": 0.5, "uu": -0.3}
_SELDOM = {"ll": -1.0, "lu": -1.0, "ul": -1.0, "uu": -2.5}
_OTHERWISE = {
    **{"ld": -2.0, "dl": -2.0, "dd": -0.8, "du": -2.5, "ud": -2.5},
    **{"ls": 1.8, "sl": 1.8, "us": -0.5, "su": -0.3, "sd": -1.0, "ds": -1.0, "ss": -0.5},
}
_MANY_PARTS = re.compile(r"[a-z0-9]{1,12}(?:[-_][a-z0-9]{0,12}){3,}")
_NO_HEX = re.compile("[g-z]")
"""Four or more short parts without a capital are a name, unless they are a UUID: all letters of that are hex digits."""

_LIKELY = 0.3
"""The mean from which a text is a name. Fewer than ten of 100,000 texts of 20 random characters reach it."""


def is_spelled(text: str) -> bool:
    """Tell whether the characters of a text follow each other as in a name of a program, whatever its words are.

    The abbreviations in ``fw_ota_upd_v3_hdlr`` are no words, but few of its letters change their case or are digits.
    """
    text = text[:_LOOKED_AT]
    if _MANY_PARTS.fullmatch(text) and _NO_HEX.search(text):
        return True
    pairs = [text[at : at + 2] for at in range(len(text) - 1)]
    return bool(pairs) and sum(map(_likelihood, pairs)) >= _LIKELY * len(pairs)


def _likelihood(pair: str) -> float:
    kinds = _kind(pair[0]) + _kind(pair[1])
    if kinds in _OTHERWISE:
        return _OTHERWISE[kinds]
    if pair.lower() in _PAIRS:
        return _FREQUENT[kinds]
    return _SELDOM[kinds]


def _kind(character: str) -> str:
    if character.isdigit():
        return "d"
    if not character.isalpha():
        return "s"
    if character.islower():
        return "l"
    return "u"


# Of 2,000 random keys of 90 characters, one contains "your".
_FILLERS = re.compile(
    r"(?i)x{5}|\*{3}|\.{3}|0{8}|\byour|_your|your[-_ ]|example|placeholder|change[-_]?me|dummy|redacted"
)


def is_placeholder(text: str) -> bool:
    """Tell whether a text stands in the place of a secret: ``xxxxx``, ``your-key``, ``AKIA...EXAMPLE``."""
    return len(set(text)) < 2 or _FILLERS.search(text[:_LOOKED_AT]) is not None
