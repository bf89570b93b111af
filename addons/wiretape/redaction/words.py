"""Whether a text reads as words, or as what a machine has drawn. Below the detectors.

The names of functions, of CSS classes and of settings have the prefixes of keys as well (``hf_hub_download``,
``sk-toggleable__label-arrow``). What tells them apart is English: of two letters that follow each other in a word, nine
pairs in ten are among 200 of 676; of letters that were drawn, three in ten.
"""

import re

_FOLLOWING = """a:bcdgilmnprstuy b:aeilosu c:acehiklortu d:aeiosu e:acdefglmnprstvx f:aefiou g:aehinr h:aeio
i:abcdefglmnoprstvz k:ei l:adeilostuy m:aeimop n:acdefginostv o:cdglmnoprstuvw p:aehiloprsty q:u r:acdegilmnorstuy
s:acehiopstu t:acehilorstuy u:abcelmnprst v:aei w:aei x:pt y:p z:e"""
_PAIRS = frozenset(pairs[0] + second for pairs in _FOLLOWING.split() for second in pairs[2:])
"""The 200 pairs of letters that are the most frequent in the words of programs. Counted in Python's packages."""

_WORD = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{4,}")
_SEPARATORS = re.compile(r"[-_./ ]")

_LOOKED_AT = 96
"""Characters of a text that are looked at: enough to tell, and a bound on the work."""


def share_of_words(text: str) -> float:
    """Return how much of a text belongs to what looks like words, from 0 to 1. Separators do not count."""
    text = text[:_LOOKED_AT]
    covered = 0
    for match in _WORD.finditer(text):
        word = match[0].lower()
        pairs = len(word) - 1
        common = sum(word[index : index + 2] in _PAIRS for index in range(pairs))
        if common >= 0.65 * pairs:
            covered += len(word)
    letters = len(text) - len(_SEPARATORS.findall(text))
    return covered / letters if letters else 1.0


def reads_as_words(text: str) -> bool:
    """Tell whether a text is made of words, as an identifier is.

    Of 100,000 texts of 20 or more random characters fewer than ten do.
    """
    has_digit = any(map(str.isdigit, text[:_LOOKED_AT]))
    is_divided = not has_digit and _SEPARATORS.search(text[:_LOOKED_AT])
    return share_of_words(text) >= (0.45 if is_divided else 0.66)


# In a key of 90 characters that were drawn, "your" stands once in 2,000.
_FILLERS = re.compile(
    r"(?i)x{5}|\*{3}|\.{3}|0{8}|\byour|_your|your[-_ ]|example|placeholder|change[-_]?me|dummy|redacted"
)


def is_placeholder(text: str) -> bool:
    """Tell whether a text stands in the place of a secret: ``xxxxx``, ``your-key``, ``AKIA...EXAMPLE``."""
    return len(set(text)) < 2 or _FILLERS.search(text[:_LOOKED_AT]) is not None
