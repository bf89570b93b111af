"""The files of the reports: each is opened before the command runs, so that one that cannot be is told at once.

While the command runs, each call becomes a line of JSON in one file: the user's, or a temporary one where only other
reports are wanted. When it has ended those lines are read again, and the other reports are made of them.
"""

import json
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

from wiretape.call_log.call import Call, from_json
from wiretape.cli.reports import github, junit
from wiretape.cli.reports.cases import gathered
from wiretape.cli.reports.github import Place
from wiretape.cli.reports.kinds import Report, ReportKind

logger = logging.getLogger(__name__)

_SUMMARY = "GITHUB_STEP_SUMMARY"
"""The variable that names the file of a step's summary."""

_SOURCE = 1 << 20
"""Bytes of a file in which a test is looked for."""


class OpenReports:
    """The reports of one run."""

    def __init__(
        self, reports: Sequence[Report], lines: TextIO | None, opened: Mapping[Path, TextIO], environ: Mapping[str, str]
    ) -> None:
        """``opened`` has the files of JUnit's XML."""
        self.lines = lines
        """What gets a line for each call; None where no report is wanted."""
        self._reports = reports
        self._opened = opened
        self._environ = environ

    def write(self, mode: str, session: str) -> None:
        """Write all that is to be written when the command has ended. Never raises OSError: it is logged."""
        if self.lines is None or not any(report.kind is not ReportKind.JSONL for report in self._reports):
            return
        run = gathered(_calls(Path(self.lines.name)))
        for report in self._reports:
            try:
                if report.kind is ReportKind.JUNIT and report.file:
                    self._opened[report.file].buffer.write(junit.document(run))
                elif report.kind is ReportKind.GITHUB:
                    for line in github.annotations(run, place_of):
                        print(line, file=sys.stderr)
                    self._append_summary(github.summary(run, mode=mode, session=session))
            except OSError as e:
                logger.error("the report for %s cannot be written: %s", report.kind, e.strerror)

    def _append_summary(self, text: str) -> None:
        if file := self._environ.get(_SUMMARY):
            with Path(file).open("a", encoding="utf-8") as summary:
                summary.write(text)


@contextmanager
def opened(reports: Sequence[Report], environ: Mapping[str, str]) -> Iterator[OpenReports]:
    """Open the files of these reports. Raises OSError."""
    with ExitStack() as stack:
        files: dict[Path, TextIO] = {}
        lines: TextIO | None = None
        for report in reports:
            if report.file:
                file = stack.enter_context(report.file.open("w", encoding="utf-8"))
                if report.kind is ReportKind.JSONL:
                    lines = file
                else:
                    files[report.file] = file
        if reports and lines is None:
            folder = stack.enter_context(TemporaryDirectory(prefix="wiretape-"))
            lines = stack.enter_context(Path(folder, "calls.jsonl").open("w", encoding="utf-8"))
        yield OpenReports(reports, lines, files, environ)


def _calls(file: Path) -> Iterator[Call]:
    """Yield the calls that were written; a last line that was cut off is none."""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                yield from_json(json.loads(line))
            except ValueError:
                logger.warning("a line of %s is no call", file)


def place_of(test_id: str) -> Place | None:
    """Return where a test is, by an id of pytest's form, ``FILE::NAME``; None where there is no such file."""
    name, _, test = test_id.partition("::")
    file = Path(name)
    if not test or file.is_absolute() or ".." in file.parts or not file.is_file():
        return None
    called = test.partition("[")[0].rpartition("::")[2]
    with file.open(encoding="utf-8", errors="replace") as source:
        for number, line in enumerate(source.read(_SOURCE).splitlines(), 1):
            if line.lstrip().removeprefix("async ").startswith(f"def {called}("):
                return file.as_posix(), number
    return file.as_posix(), 0
