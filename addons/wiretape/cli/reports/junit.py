"""A run as JUnit's XML, which Jenkins, GitLab and others read: a suite for each session, a case for each distinct call.

Source: the schema ``junit-10.xsd`` of Jenkins' xUnit plugin; GitLab, "Unit test reports": it knows a case by its
classname and name, reads the message and the text of a ``failure`` or ``error``, and times in seconds. Sans-IO.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree

from wiretape.call_log.call import Outcome
from wiretape.cli.reports.cases import Case, RunCalls
from wiretape.codecs import printable

_LONGEST = 10_000
"""Characters of an explanation."""

_NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write (2.2)."""


def document(run: RunCalls) -> bytes:
    """Return the whole document, in UTF-8."""
    root = ElementTree.Element("testsuites", {"name": "wiretape"})
    by_session: dict[str, list[Case]] = {}
    for case in run.cases:
        by_session.setdefault(case.call.session, []).append(case)
    for session, cases in by_session.items():
        root.append(_suite(session, cases))
    if not run.cases:
        root.append(_skipped("no call was made"))
    if run.left_out:
        root.append(_skipped(f"{run.left_out:,} more calls are not told of: there are too many"))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, "unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _suite(session: str, cases: Sequence[Case]) -> ElementTree.Element:
    refused = sum(case.call.outcome is Outcome.REFUSED for case in cases)
    began = datetime.fromtimestamp(min(case.call.at for case in cases), UTC)
    suite = ElementTree.Element(
        "testsuite",
        {
            "name": _text(f"wiretape: {session}"),
            "tests": str(len(cases)),
            "failures": str(sum(case.has_failed for case in cases) - refused),
            "errors": str(refused),
            "skipped": "0",
            "time": f"{sum(case.seconds for case in cases):.3f}",
            "timestamp": began.strftime("%Y-%m-%dT%H:%M:%S"),
        },
    )
    for case in cases:
        _add(suite, case)
    return suite


def _skipped(why: str) -> ElementTree.Element:
    """Return a suite of one case, which says something: Jenkins takes a report without a case for a failure."""
    counts = {"tests": "1", "failures": "0", "errors": "0", "skipped": "1", "time": "0.000"}
    suite = ElementTree.Element("testsuite", {"name": "wiretape", **counts})
    case = _element(suite, "testcase", name=why, classname="wiretape", time="0.000")
    _element(case, "skipped")
    return suite


def _add(suite: ElementTree.Element, case: Case) -> None:
    call = case.call
    which = call.recording or (call.miss.hash if call.miss else "") or call.outcome
    made = _element(
        suite,
        "testcase",
        name=f"{call.request or call.endpoint or 'a call'} ({which})",
        classname=call.test_id or f"wiretape.{call.session}",
        time=f"{case.seconds:.3f}",
    )
    if not case.has_failed:
        return
    element = "error" if call.outcome is Outcome.REFUSED else "failure"
    times = f" ({case.count:,} times)" if case.count > 1 else ""
    failure = _element(made, element, type=call.outcome, message=f"{case.reason}{times}")
    failure.text = _text(case.explanation[:_LONGEST])


def _element(parent: ElementTree.Element, tag: str, **attributes: str) -> ElementTree.Element:
    return ElementTree.SubElement(parent, tag, {name: _text(value) for name, value in attributes.items()})


def _text(text: str) -> str:
    """Return a text of others as characters that XML has; the others, and what a terminal would obey, as codes."""
    return _NO_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", printable.lines(text))
