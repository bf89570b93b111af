"""Why a request has no recording: the nearest one, and what differs. Beside the way from the tape to the client."""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any

from wiretape.codecs import json_text, printable
from wiretape.codecs.differences import ABSENT, Difference, differences, gaps
from wiretape.matching import outline, reduction, request
from wiretape.matching.rules import Kind, MatchPolicy
from wiretape.recording import RecordedRequest, request_hash
from wiretape.tape import comparison
from wiretape.tape.comparison import Compared, Side

_DIFFERENCES = 5

_COMPARED = 1 << 12
"""Bytes at the beginning and at the end of a piece that are compared with another's: that takes a millisecond."""

_COMPARISONS = 8
"""Pieces of a request that are compared with those of another one."""

_VALUE = 120

_MARK = re.compile(r"\\u0000([^\\]+)\\u0000")
"""What stands for a value that a rule has taken out, in a text as JSON."""

_WORDS = {
    Kind.DATES: "a date",
    Kind.TIMES: "a time",
    Kind.DURATIONS: "a duration",
    Kind.UUIDS: "a UUID",
    Kind.ULIDS: "a ULID",
    Kind.HEX_IDS: "an id in hex digits",
    Kind.PATHS: "a directory",
    Kind.PORTS: "a port",
    Kind.PIDS: "the id of a process",
    Kind.VERSIONS: "a version",
    Kind.GIT: "what git says",
}


@dataclass(frozen=True, slots=True)
class NearRecording:
    """A recording that may be near."""

    name: str
    """Its session before it, where that is another one: ``base/e99f14805360``."""
    request: RecordedRequest

    @property
    def side(self) -> Side:
        """It, to be compared."""
        return Side(self.request, reduction.places_of(self.request))


_EXACTLY = MatchPolicy()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a request has no recording."""

    hash: str
    """The first digits of the request's."""
    nearest: str
    """The nearest recording's name; empty where there is none."""
    difference: str
    """The first place where that one differs, in words, or what else there is to say of it, in a line."""
    text: str
    """All of it, for who asked."""
    hint: str = ""
    """Which rule would make the nearest recording answer, where all that differs has a known form."""

    def __str__(self) -> str:
        """Return it in a line, for the log."""
        nearest = f"nearest {self.nearest}: " if self.nearest else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.hash}: {nearest}{self.difference}{hint}"


def explain(
    wanted: RecordedRequest,
    others: Sequence[NearRecording],
    how_to_record: str,
    obstacles: Sequence[str] = (),
    by: MatchPolicy = _EXACTLY,
) -> Explanation:
    """Say why there is no recording, what is nearest, what differs, how to record it.

    ``others`` are of the same endpoint, the likeliest first. ``obstacles`` say of recordings of this very request why
    they do not answer: the nearest one is of no interest then. ``by``: the rules that hold for it.
    """
    number = request_hash(wanted)[:12]
    where = " at ".join(filter(None, (wanted.endpoint, request.base(wanted))))
    lines = [f"wiretape: no recording of this request, {number}, {where}."]
    nearest = hint = ""
    if obstacles:
        said = [*obstacles]
    elif others:
        best = nearest_of(wanted, others, by)
        nearest = printable.line(best.name)
        here = Side(wanted, by.places)
        compared = comparison.compare(by.rules, here, best.side)
        said = _differing(wanted, best.request, compared)
        if said:
            lines.append(f"The nearest recording is {best.name}, which differs in:")
            lines += _messages(compared)
            hint = _hint(comparison.kinds_between(by.rules, here, best.side))
            said = [f"  {each}" for each in said]
        else:
            said = [f"{best.name} is of this request, but does not answer: the log and wiretape verify tell why."]
    else:
        said = ["There is no recording of this endpoint at all."]
    lines = [printable.line(each) for each in (*lines, *said)]
    if hint:
        rule = f"{hint[0].upper()}{hint[1:]} in a [[match]] of wiretape.toml would make it a hit"
        lines.append(f"{rule}; wiretape rules suggest tells what else it would.")
    return Explanation(number, nearest, printable.line(said[0].strip()), "\n".join([*lines, how_to_record]), hint)


def nearest_of(wanted: RecordedRequest, others: Sequence[NearRecording], by: MatchPolicy = _EXACTLY) -> NearRecording:
    """Return the candidate that is nearest, each piece compared letter by letter with that at its place."""
    ours = _parts(Side(wanted, by.places), by)
    parts = [_parts(other.side, by) for other in others]
    common = {*ours}.intersection(*parts) if len(parts) > 1 else set()
    best = others[0]
    most = -1.0, -1.0
    for other, theirs in zip(others, parts, strict=True):
        near = _likeness(ours, theirs, common)
        if near > most:
            best = other
            most = near
    return best


def _parts(side: Side, by: MatchPolicy) -> list[bytes]:
    pieces, _ = outline.parts(side.request, comparison.reduced(by.rules, side).body)
    return [json_text.canonical(key) + json_text.canonical(value) for key, value in pieces]


def _likeness(ours: Sequence[bytes], theirs: Sequence[bytes], common: Collection[bytes]) -> tuple[float, float]:
    """Return how near two requests are, without regard to capital letters, then with it.

    What is ``common`` to all tells nothing. Weights are those of outlines.
    """
    # A miss is seldom, and to load this takes as long as a hundred hits.
    from rapidfuzz.distance import Indel

    shared = exactly = 0.0
    left = _COMPARISONS
    pieces = {*theirs}
    shared = exactly = sum(_weight(each) for each in ours if each in pieces and each not in common)
    for here, there in gaps(ours, theirs):
        for at, also in zip(here, there, strict=False):
            one = _ends(ours[at])
            two = _ends(theirs[also])
            if left and ours[at] not in pieces:
                left -= 1
                weight = min(_weight(ours[at]), _weight(theirs[also]))
                # Texts that have nothing to do with each other have half of their letters in common.
                shared += weight * max(0.0, 2 * Indel.normalized_similarity(one.lower(), two.lower()) - 1)
                exactly += weight * max(0.0, 2 * Indel.normalized_similarity(one, two) - 1)
    own, their = (sum(_weight(each) for each in of if each not in common) for of in (ours, theirs))
    return tuple(outline.likeness(of, own - of, their - of) for of in (shared, exactly))  # type: ignore[return-value]


def _weight(part: bytes) -> int:
    return isqrt(len(part))


def _ends(text: bytes) -> bytes:
    return text if len(text) <= 2 * _COMPARED else text[:_COMPARED] + text[-_COMPARED:]


def _hint(kinds: Sequence[Kind]) -> str:
    """Say which kinds are all that differs, and how a rule names them."""
    if not kinds:
        return ""
    words = [_WORDS[kind] for kind in kinds]
    told = f"{', '.join(words[:-1])} and {words[-1]} differ" if len(words) > 1 else f"{words[0]} differs"
    return f"only {told}: kinds = {json.dumps([*kinds])}"


def _messages(compared: Compared) -> Iterator[str]:
    """Say which message of a conversation is the first that differs."""
    here = compared.here.body.get("messages")
    there = compared.there.body.get("messages")
    if not isinstance(here, list) or not isinstance(there, list) or max(len(here), len(there)) < 2 or here == there:
        return
    same = next((at for at, (a, b) in enumerate(zip(here, there, strict=False)) if a != b), min(len(here), len(there)))
    counts = f"of {len(here)} here and {len(there)} in the recording"
    role = here[same].get("role") if same < len(here) and isinstance(here[same], dict) else ""
    yield f"(the first message that differs is messages[{same}]{f', {role}' if role else ''}, {counts})"


def _differing(wanted: RecordedRequest, other: RecordedRequest, compared: Compared) -> list[str]:
    """Say what differs, a line each."""
    shown = [
        f"{name}: {ours} here, {theirs} in the recording"
        for name, ours, theirs in (
            ("method", wanted.method, other.method),
            ("base URL", request.base(wanted), request.base(other)),
        )
        if ours != theirs
    ]
    ours, theirs = (
        {name: values[0] if len(values) == 1 else values for name, values in request.query(each).items()}
        for each in (wanted, other)
    )
    differing = [*differences(ours, theirs, "query"), *compared.differences]
    shown += map(told, differing[:_DIFFERENCES])
    more = len(differing) - _DIFFERENCES
    if more > 0:
        shown.append(f"and {more}{' or more' if len(compared.differences) == comparison.MOST else ''} more")
    return shown


def told(difference: Difference) -> str:
    """Say what differs, in a line: the part of both around the place where it does."""
    here = _text(difference.here)
    there = _text(difference.there)
    start = _common(here, there)
    ours = "absent" if difference.here is ABSENT else _cut(here, start)
    theirs = "absent" if difference.there is ABSENT else _cut(there, start)
    return f"{difference.path}: {ours} here, {theirs} in the recording"


def _text(value: Any) -> str:
    return "" if value is ABSENT else _MARK.sub(r"<\1>", json.dumps(value, ensure_ascii=False))


def _common(one: str, two: str) -> int:
    """Return the length of what both begin with.

    As many characters are compared at once as are known to be equal: a long text takes few steps.
    """
    start = 0
    step = 1
    while step:
        end = start + step
        if end <= min(len(one), len(two)) and one[start:end] == two[start:end]:
            start = end
            step *= 2
        else:
            step //= 2
    return start


def _cut(value: str, start: int) -> str:
    """Return the part of a long value around the place where it begins to differ."""
    if len(value) <= _VALUE:
        return value
    begin = max(0, min(start - _VALUE // 4, len(value) - _VALUE))
    end = begin + _VALUE
    return ("…" if begin else "") + value[begin:end] + ("…" if end < len(value) else "")
