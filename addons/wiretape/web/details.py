"""What a recording's page shows: what was said, when it came, what came before, its other takes. Below ``views``."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from wiretape.exceptions import WiretapeError
from wiretape.library import conversation
from wiretape.library.conversation import Turn
from wiretape.library.timeline import Moment, timeline
from wiretape.web import drawing
from wiretape.web.commands import commands
from wiretape.web.misses import Other, differences_beside
from wiretape.web.shelf import Shelf, Shelved

_TURNS = 400
"""Turns of a conversation that a page shows: the last."""

_TAKES = 8
"""Other takes that it shows: those with the nearest numbers."""

_WORDS = 500_000
"""Characters of an answer that are played."""


@dataclass(frozen=True, slots=True)
class Before:
    """The call before, in the same conversation."""

    shelved: Shelved
    count: int
    """How many turns it has: this one begins with them."""
    others: Sequence[Other]
    """What differs beside what is said."""


@dataclass(frozen=True, slots=True)
class Take:
    """Another answer to the same request."""

    name: str
    when: str
    answers: Sequence[Turn]


def of(shelf: Shelf, shelved: Shelved, *, is_live: bool) -> dict[str, Any]:
    """Return the values of the page. ``is_live``: whether a proxy runs. Raises OSError."""
    recorded = shelved.recording
    request = recorded.request
    moments = timeline(shelved.capture) if shelved.capture and shelved.is_as_captured else None
    turns = conversation.turns_of(request)
    return {
        "session": shelved.session,
        "name": shelved.name,
        "form": recorded.form,
        "request": request,
        "turns": turns,
        "most_turns": _TURNS,
        "before": _before(shelf, shelved, turns),
        "answers": conversation.answer_of(recorded),
        "takes": _takes(shelf, shelved),
        "tools": conversation.tools_of(request),
        "body": json.dumps(request.body, indent=2, ensure_ascii=False),
        "answered": _answered(shelved),
        "capture": shelved.capture,
        "is_as_captured": shelved.is_as_captured,
        "timeline": moments,
        "drawing": drawing.drawing(moments) if moments else None,
        "moments": playable(moments.moments) if moments else [],
        "commands": commands(request, shelved.session, shelf.store.url, is_live=is_live),
    }


def _before(shelf: Shelf, shelved: Shelved, turns: Sequence[Turn]) -> Before | None:
    found = shelf.before(shelved.session, shelved.recording.request, turns)
    if found is None:
        return None
    name, count = found
    earlier = _read(shelf, shelved.session, name)
    if earlier is None:
        return None
    others = differences_beside(shelved.recording.request, earlier.recording.request)
    return Before(earlier, count, others)


def _takes(shelf: Shelf, shelved: Shelved) -> list[Take]:
    takes = []
    for name in shelf.takes(shelved.session, shelved.name)[:_TAKES]:
        other = _read(shelf, shelved.session, name)
        if other:
            origin = other.capture.origin if other.capture else None
            takes.append(Take(name, origin.at if origin else "", conversation.answer_of(other.recording)))
    return takes


def _read(shelf: Shelf, session: str, name: str) -> Shelved | None:
    """Return a recording beside the one that is shown; None where it cannot be read."""
    with suppress(ValueError, WiretapeError):
        return shelf.shelved(session, name)
    return None


def _answered(shelved: Shelved) -> str:
    response = shelved.recording.response
    told = response.error if response.error is not None else response.body
    return json.dumps(told if not isinstance(told, list) else [*told], indent=2, ensure_ascii=False)


def playable(moments: Sequence[Moment]) -> list[list[Any]]:
    """Return what the player needs: the time of each chunk that has words, the words, and whether they were thought."""
    found: list[list[Any]] = []
    left = _WORDS
    for each in moments:
        if not each.words:
            continue
        if len(each.words) > left:
            break
        left -= len(each.words)
        found.append([round(each.at_ms, 1), each.words, int(each.is_thought)])
    return found
