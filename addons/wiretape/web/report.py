"""Recordings as one file of HTML that opens anywhere: for a CI artifact, a mail, a pull request. Beside ``views``.

It needs no server and loads nothing: its style and its script stand in it, and its own policy lets a browser take these
two alone, by their digests. It stays small: where its texts are too many, each is cut shorter, and says so.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wiretape.call_log import call as calls_log
from wiretape.call_log.call import Call
from wiretape.library import conversation, transcript
from wiretape.library.conversation import Turn
from wiretape.library.rows import row_of
from wiretape.library.timeline import Timeline, timeline
from wiretape.recording import RecordedRequest
from wiretape.web import drawing
from wiretape.web.drawing import Drawing
from wiretape.web.pages import FOLDER, page
from wiretape.web.shelf import Shelved

LARGEST = 1_400_000
"""Bytes that a report has at most, as far as shorter texts can make it so."""

_LENGTHS = (8000, 2000, 600, 200, 60)
"""Characters that a text has at most: the first with which the report is small enough."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One recording of a report."""

    session: str
    name: str
    """Of the recording; empty where there is none."""
    when: str
    title: str
    """Whom it was said to: a model, or an endpoint."""
    answer: str
    """What came back, in a word or two."""
    question: str
    turns: Sequence[Turn]
    answers: Sequence[Turn]
    timeline: Timeline | None
    drawing: Drawing | None
    note: str = ""
    """What became of its calls; empty where nobody asks."""
    why: str = ""
    """What else there is to say of it, such as why it missed."""


def entry(shelved: Shelved, note: str = "", why: str = "") -> Entry:
    """Return a recording as it stands in a report."""
    recorded = shelved.recording
    moments = timeline(shelved.capture) if shelved.capture and shelved.is_as_captured else None
    row = row_of(shelved.name, recorded, shelved.capture_data, None)
    return Entry(
        shelved.session,
        shelved.name,
        row.when,
        row.model.rpartition("/")[2] or row.endpoint,
        row.answer,
        row.question or row.endpoint,
        conversation.turns_of(recorded.request),
        conversation.answer_of(recorded),
        moments,
        drawing.drawing(moments) if moments else None,
        note,
        why,
    )


def entry_of_call(call: Call, request: RecordedRequest | None, note: str, why: str) -> Entry:
    """Return a call that has no recording as it stands in a report. ``request``: what it asked, where that is kept."""
    return Entry(
        call.session,
        "",
        calls_log.as_json(call)["at"],
        call.model.rpartition("/")[2] or call.endpoint or call.request,
        "no recording",
        transcript.question(request) if request else call.request,
        conversation.turns_of(request) if request else [],
        [],
        None,
        None,
        note,
        why,
    )


def report(title: str, entries: Iterable[Entry]) -> bytes:
    """Return a report as UTF-8."""
    listed = [*entries]
    style = (FOLDER / "static" / "style.css").read_text("utf-8")
    script = (FOLDER / "static" / "report.mjs").read_text("utf-8")
    for length in _lengths(listed):
        text = page(
            "report.html",
            title=title,
            entries=listed,
            length=length,
            style=style,
            script=script,
            style_digest=_digest(style),
            script_digest=_digest(script),
        )
        data = text.encode("utf-8", "replace")
        if len(data) <= LARGEST:
            break
    return data


def _lengths(entries: Sequence[Entry]) -> Sequence[int]:
    """Return the lengths that are worth a try: those with which the texts alone are not too many already."""
    sizes = [len(part.text) for each in entries for turn in (*each.turns, *each.answers) for part in turn.parts]
    fitting = [length for length in _LENGTHS if sum(min(size, length) for size in sizes) < LARGEST]
    return fitting or _LENGTHS[-1:]


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
