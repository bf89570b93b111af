"""A run as GitHub Actions shows it: an annotation for each failure, and a summary of the job in Markdown. Sans-IO.

What others have written, such as the text of a prompt, is in both: it is made harmless for each of them. An annotation
is a line, ``::error file=...,line=...,title=...::message``, in which its own marks and the ends of lines are escaped, so
that no text begins a line of its own and is obeyed. Source: docs.github.com, "Workflow commands for GitHub Actions";
actions/toolkit, ``packages/core/src/command.ts``. In Markdown each mark stands behind a backslash (CommonMark, 2.4), and
in HTML as a character reference.
"""  # noqa: E501

import re
from collections.abc import Callable
from html import escape

from wiretape.call_log.call import Outcome
from wiretape.cli.reports.cases import Case, RunCalls
from wiretape.codecs import printable
from wiretape.codecs.units import counted

ANNOTATIONS = 10
"""A step has no more of one level: what comes after the tenth is not shown."""

_TOLD = 50
"""Failures that the summary tells of: a step's summary has a megabyte at most."""

_EXPLAINED = 20
"""Those of which it has the whole explanation."""

_LONGEST = 2000
"""Characters of an explanation."""

_LONGEST_CELL = 300

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")

_HEADINGS = {
    Outcome.MISS: "No recording of a call",
    Outcome.LOST: "A recording was lost",
    Outcome.REFUSED: "A call was refused",
}

type Place = tuple[str, int]
"""A file, by its path from the root of the repository, and a line of it; 0 where that is not known."""


def annotations(run: RunCalls, place_of: Callable[[str], Place | None]) -> list[str]:
    """Return the lines that make annotations. ``place_of`` returns the place of a test by its id, or None."""
    failures = run.failures
    shown = failures if len(failures) <= ANNOTATIONS else failures[: ANNOTATIONS - 1]
    lines = [_annotation(case, place_of(case.call.test_id)) for case in shown]
    if len(shown) < len(failures):
        more = counted(len(failures) - len(shown), "failure")
        lines.append(f"::error title=wiretape::{_message(f'and {more} more: the summary of the job has them')}")
    return lines


def _annotation(case: Case, place: Place | None) -> str:
    properties = []
    if place:
        file, line = place
        properties.append(f"file={_property(file)}")
        if line:
            properties.append(f"line={line}")
    properties.append(f"title={_property(f'wiretape: {_HEADINGS[case.call.outcome]}')}")
    times = f" ({case.count:,} times)" if case.count > 1 else ""
    text = f"{_asked(case)}{times}: {case.reason}\n{_cut(case.explanation)}"
    return f"::error {','.join(properties)}::{_message(text)}"


def _message(text: str) -> str:
    """Return the text of an annotation, on one line."""
    return printable.lines(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Return the value of a property of one."""
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def summary(run: RunCalls, *, mode: str, session: str) -> str:
    """Return the summary of a job, in Markdown."""
    parts = [f"### wiretape: {_plain(mode)}, session {_plain(session)}", _counts(run)]
    failures = run.failures
    if not failures:
        return "\n\n".join([*parts, ""])
    rows = ["| session | call | times | why |", "|---|---|---:|---|"]
    for case in failures[:_TOLD]:
        cells = (_cell(case.call.session), _cell(_asked(case)), f"{case.count:,}", _cell(case.reason))
        rows.append(f"| {' | '.join(cells)} |")
    parts.append("\n".join(rows))
    if len(failures) > _TOLD:
        parts.append(f"and {counted(len(failures) - _TOLD, 'failure')} more.")
    parts += [_details(case) for case in failures[:_EXPLAINED]]
    parts.append("To record what is missing: `wiretape run --mode record-if-missing -- ...`, where there is a key.")
    return "\n\n".join([*parts, ""])


def _counts(run: RunCalls) -> str:
    outcomes = [f"{count:,} {outcome}" for outcome, count in run.outcomes.most_common()]
    text = f"{counted(run.calls, 'call')}: {', '.join(outcomes)}." if outcomes else "No call was made."
    costs = [f"{cost:f} USD {word}" for cost, word in ((run.spent, "spent"), (run.saved, "saved")) if cost is not None]
    return f"{text} {', '.join(costs)}." if costs else text


def _details(case: Case) -> str:
    # What is in <pre> is no Markdown, up to its end: no text of others has that, as it is escaped.
    text = escape(printable.lines(_cut(case.explanation)))
    return f"<details><summary>{escape(printable.line(_asked(case)))}</summary>\n\n<pre>{text}</pre>\n\n</details>"


def _asked(case: Case) -> str:
    call = case.call
    named = f" in {call.test_id}" if call.test_id else ""
    return f"{call.request or call.endpoint or 'a call'}{named}"


def _cell(text: str) -> str:
    if len(text) > _LONGEST_CELL:
        text = f"{text[:_LONGEST_CELL]}…"
    return _plain(text)


def _plain(text: str) -> str:
    """Return a text of others that is no Markdown, in one line."""
    return _PUNCTUATION.sub(r"\\\1", printable.line(text))


def _cut(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}…"
