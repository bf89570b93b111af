"""Which reports are asked for."""

from pathlib import Path

import pytest

from wiretape.cli.reports.kinds import Report, ReportKind, parse


def test_several_may_be_wanted() -> None:
    assert parse(["github", "junit out put.xml", "junit b.xml", "jsonl calls.jsonl"]) == (
        Report(ReportKind.GITHUB),
        Report(ReportKind.JUNIT, Path("out put.xml")),
        Report(ReportKind.JUNIT, Path("b.xml")),
        Report(ReportKind.JSONL, Path("calls.jsonl")),
    )


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["calls.jsonl"], "'calls.jsonl' is no report: github, junit FILE, jsonl FILE"),
        (["junit"], "junit is followed by a file: --report junit FILE"),
        (["jsonl a", "jsonl b"], "jsonl is given twice"),
    ],
)
def test_what_is_no_report_is_told(texts: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(texts)
