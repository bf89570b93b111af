"""What a reviewer has to see of a request that two sessions answer: what was said before and after, take by take.

It is for the difference of two sessions, and for what is to be taken over from one into the other: ``after`` is the
newer one then. Over a store; what cannot be read is told beside what can.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from wiretape import recording as recordings
from wiretape import redaction
from wiretape.codecs import json_text
from wiretape.library import conversation, drift, transcript, verify
from wiretape.library.compare import Take
from wiretape.library.drift import Drift
from wiretape.library.turn_differences import TurnPair, compared
from wiretape.recording import Recording
from wiretape.redaction import recorded
from wiretape.store.base import WIRE, Store

_TAKES = 10
"""Takes of a request that are looked at: of more it is told how many there are."""

_QUESTION = 200
"""Characters of a question."""


@dataclass(frozen=True, slots=True)
class Version:
    """A take of a request, in one of the two sessions."""

    session: str
    name: str
    recording: Recording | None
    """None where it cannot be read."""
    secrets: tuple[str, ...]
    """Where it has what looks like a secret, and of which kind."""
    problem: str
    """Why it cannot be read; empty where it can."""


@dataclass(frozen=True, slots=True)
class TakeReview:
    """A take beside the one that it stands against."""

    before: Version | None
    after: Version | None
    asked: Sequence[TurnPair]
    """Both questions; what is only in ``after`` is *here*. Empty where they are the same."""
    answered: Sequence[TurnPair]
    drift: Drift | None
    """None where one of them is not there."""


@dataclass(frozen=True, slots=True)
class RequestReview:
    """A request, with those of its takes that differ."""

    label: str
    question: str
    takes: tuple[TakeReview, ...]
    more: int
    """Takes that differ and were not looked at."""


def review(store: Store, before: tuple[str, Sequence[Take]], after: tuple[str, Sequence[Take]]) -> RequestReview:
    """Return what there is to see of a request, given each session with its takes. Raises OSError."""
    old_session, old = before
    new_session, new = after
    label = (new or old)[0].label
    differing = [(one, two) for one, two in zip_longest(old, new) if not (one and two and one.says_as(two))]
    looked_at = [
        _take_review(
            _version(store, old_session, one) if one else None, _version(store, new_session, two) if two else None
        )
        for one, two in differing[:_TAKES]
    ]
    return RequestReview(label, _question(looked_at), (*looked_at,), len(differing) - len(looked_at))


def _version(store: Store, session: str, take: Take) -> Version:
    try:
        data = store.read(session, take.name)
        if data is None:
            return Version(session, take.name, None, (), "it has gone meanwhile")
        recording = recordings.loads(data)
        found = recorded.findings(json_text.loads(data), recording, redaction.DEFAULT)
        secrets = [f"{each.detector} at {each.path}" for each in found]
        capture = store.read(session, take.name, WIRE)
        if capture is not None:
            secrets += [f"its capture: {fault}" for fault in verify.verify_capture(capture)]
    except (ValueError, RecursionError) as e:
        return Version(session, take.name, None, (), str(e))
    return Version(session, take.name, recording, (*dict.fromkeys(secrets),), "")


def _take_review(before: Version | None, after: Version | None) -> TakeReview:
    old = before.recording if before else None
    new = after.recording if after else None
    if old is None or new is None:
        return TakeReview(before, after, (), compared(_answer(new), _answer(old)), None)
    asked = compared(conversation.turns_of(new.request), conversation.turns_of(old.request))
    is_same = all(pair.is_same for pair in asked)
    answered = compared(_answer(new), _answer(old))
    return TakeReview(before, after, () if is_same else asked, answered, drift.compare(old, new.response))


def _answer(recording: Recording | None) -> list[conversation.Turn]:
    return conversation.answer_of(recording) if recording else []


def _question(takes: Sequence[TakeReview]) -> str:
    """Return the first words of the question."""
    for take in takes:
        for version in (take.after, take.before):
            if version and version.recording:
                return " ".join(transcript.question(version.recording.request).split())[:_QUESTION]
    return ""
