"""Which rules are to hold: what ``wiretape_match`` says -> a ``MatchChoice``. Before ``presets``.

auto              what is built in, the presets of known programs for these, and a team's own rules
exact             no rules at all; it stands alone
codex,aider       these presets for every client, whatever it calls itself; beside what is built in and the own rules
auto,position     beside the rules, where nothing is the same by them, another way to find a recording (``Loose``)
"""

from collections.abc import Collection
from dataclasses import dataclass

from wiretape.codecs import misspelled
from wiretape.matching.rules import Loose

AUTO = "auto"
EXACT = "exact"

WORDS = (AUTO, EXACT, *Loose)
"""The words that no preset can have for a name."""


@dataclass(frozen=True, slots=True)
class MatchChoice:
    """What was chosen."""

    is_exact: bool = False
    is_auto: bool = False
    """Whether the presets of known programs hold for these."""
    presets: tuple[str, ...] = ()
    """Those that hold for every client."""
    loose: tuple[Loose, ...] = ()


def parse(text: str, presets: Collection[str]) -> MatchChoice:
    """Return what a text chooses, of words and of names of presets. Raises ValueError, which says the right ones."""
    words = [word.strip() for word in text.split(",")]
    known = (*WORDS, *sorted(presets))
    for word in words:
        if word not in known:
            meant = misspelled.nearest(word, known)
            guess = f": did you mean {meant}? There are" if meant else "; there are"
            raise ValueError(f"{word!r} is no way to match, and no preset{guess} {', '.join(known)}")
    if EXACT in words and len(words) > 1:
        raise ValueError(f"{EXACT} stands alone: it turns off all that is beside it in {text!r}")
    return MatchChoice(
        is_exact=EXACT in words,
        is_auto=AUTO in words,
        presets=tuple(dict.fromkeys(word for word in words if word in presets)),
        loose=tuple(dict.fromkeys(Loose(word) for word in words if word in {*Loose})),
    )
