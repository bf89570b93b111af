"""Which reports ``wiretape run`` can write, and what the user has asked for: ``KIND``, or ``KIND FILE``. Values."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class ReportKind(StrEnum):
    """A form of a report."""

    GITHUB = "github"
    """Annotations and a summary of the job, for GitHub Actions."""
    JUNIT = "junit"
    """JUnit's XML."""
    JSONL = "jsonl"
    """A line of JSON for each call."""


WITH_FILE = frozenset({ReportKind.JUNIT, ReportKind.JSONL})
"""The kinds that are followed by a file."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report that is wanted. ``file`` is None for a kind that has none."""

    kind: ReportKind
    file: Path | None = None


def parse(texts: Sequence[str]) -> tuple[Report, ...]:
    """Parse what the user has asked for. Raises ValueError."""
    reports = tuple(_report(text) for text in texts)
    if sum(report.kind is ReportKind.JSONL for report in reports) > 1:
        raise ValueError("jsonl is given twice: the calls are written to one file")
    return reports


def _report(text: str) -> Report:
    name, _, file = text.partition(" ")
    try:
        kind = ReportKind(name)
    except ValueError:
        raise ValueError(f"{name!r} is no report: github, junit FILE, jsonl FILE") from None
    if kind not in WITH_FILE:
        return Report(kind)
    if not file:
        raise ValueError(f"{kind} is followed by a file: --report {kind} FILE")
    return Report(kind, Path(file))
