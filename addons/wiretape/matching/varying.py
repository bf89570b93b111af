"""Two texts that differ -> what of them varies from run to run: kinds, or a pattern between words. Beside ``kinds``.

Only what can be told by its form is told. A number, a hash or an id is something that varies where a label stands
before it, as in ``PGID: 9774`` and ``cch=7053e;``: it becomes a pattern of the words around it. Words are what somebody
says; a number without a label may be what is asked about. So for ``Add 17 and 4`` there is no pattern.
"""

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wiretape.codecs.differences import gaps
from wiretape.matching import texts
from wiretape.matching.rules import PLACES, Kind, MatchRule, Replacement
from wiretape.matching.texts import TextScanner

_KINDS = {MatchRule(str(kind), kinds=(kind,)): kind for kind in Kind}

_LONGEST = 1 << 16
"""Characters of a text that is looked at."""

_TOKEN = re.compile(r"\0[^\0]*\0|[A-Za-z0-9]+(?:[_.+-]+[A-Za-z0-9]+)*|\s+|[^\0]|\0")
_LABEL = re.compile(r"(\w[\w ()-]{0,40}[\"']?\s?[:=#]\s?[\"'(<\[]?)\Z")
"""What tells that a value follows, at the end of a text."""

_CLASSES = (
    r"\d+",
    r"[0-9a-f]+",
    r"[A-Za-z0-9]+",
    r"[A-Za-z0-9_.+-]+",
)
"""What a value can be made of, the narrowest first."""

_BEFORE = 60
_AFTER = 4


@dataclass(frozen=True, slots=True)
class Varying:
    """What varies in two texts; they are equal without it."""

    kinds: tuple[Kind, ...] = ()
    patterns: tuple[Replacement, ...] = ()


def varying(here: str, there: str) -> Varying | None:
    """Return what varies, or None where something else differs too."""
    if max(len(here), len(there)) > _LONGEST:
        return None
    ours, our_values = _without_kinds(here)
    theirs, their_values = _without_kinds(there)
    kinds = tuple(kind for kind in Kind if our_values.get(kind) != their_values.get(kind))
    if ours == theirs:
        return Varying(kinds)
    patterns = [*_patterns(ours, theirs)]
    if None in patterns:
        return None
    return Varying(kinds, tuple(each for each in dict.fromkeys(patterns) if each))


@functools.cache
def _scanner() -> TextScanner:
    # A miss is seldom, and to make this takes as long as many hits.
    return TextScanner(each for each, _ in texts.wanted((*_KINDS,)))


def _without_kinds(text: str) -> tuple[str, dict[Kind, list[str]]]:
    """Return a text with marks in the place of what has a known form, and what that was."""
    pieces = []
    values: dict[Kind, list[str]] = {}
    end = 0
    for found in texts.apart(_scanner().findings(text)):
        kind = _KINDS[found.wanted.rule]
        values.setdefault(kind, []).append(found.value)
        pieces += [text[end : found.start], f"\0{kind}\0"]
        end = found.end
    return "".join([*pieces, text[end:]]), values


def _patterns(here: str, there: str) -> Iterator[Replacement | None]:
    """Yield a pattern for each place where two texts differ; None for one that has none."""
    ours = _TOKEN.findall(here)
    theirs = _TOKEN.findall(there)
    for one, two in gaps(ours, theirs):
        if not one or not two:
            yield None
            continue
        before = "".join(ours[: one.start])[-_BEFORE:]
        after = "".join(ours[one.stop :])[:_AFTER]
        yield _pattern(before, ["".join(ours[one.start : one.stop]), "".join(theirs[two.start : two.stop])], after)


def _pattern(before: str, values: Sequence[str], after: str) -> Replacement | None:
    label = _LABEL.search(before.rpartition("\0")[2].rpartition("\n")[2])
    made_of = next((each for each in _CLASSES if all(re.fullmatch(each, value) for value in values)), None)
    if label is None or made_of is None or not any(any(map(str.isdigit, value)) for value in values):
        return None
    words = label[1].lstrip()
    ending = re.match(r"[^\w\s\0]", after)
    start = r"\b" if words[:1].isalnum() else ""
    pattern = f"{start}{_quoted(words)}({made_of}){_quoted(ending[0]) if ending else ''}"
    name = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
    if not name or name in PLACES:
        name = f"{name}-value".lstrip("-")  # What has the name of a directory is one.
    return Replacement(pattern, name=name)


def _quoted(text: str) -> str:
    """Return a pattern of RE2 that finds this text alone."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)
