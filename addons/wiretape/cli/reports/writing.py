"""The files of the reports: each is opened before the command runs, so that one that cannot be is told at once.

While the command runs, each call becomes a line of JSON in one file: the user's, or a temporary one where only other
reports are wanted. When it has ended those lines are read again, and the other reports are made of them.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, TextIO

from wiretape.call_log import report
from wiretape.call_log.call import Call
from wiretape.cli.console import say
from wiretape.cli.reports import github, junit
from wiretape.cli.reports.cases import gathered
from wiretape.cli.reports.github import Place
from wiretape.cli.reports.kinds import Report, ReportKind

_SUMMARY = "GITHUB_STEP_SUMMARY"
"""The variable that names the file of a step's summary."""

_SOURCE = 1 << 20
"""Bytes of a file in which a test is looked for."""


class OpenReports:
    """The reports of one run."""

    def __init__(
        self,
        reports: Sequence[Report],
        lines: TextIO | None,
        opened: Mapping[Path, BinaryIO],
        environ: Mapping[str, str],
    ) -> None:
        """``opened`` has the files of JUnit's XML."""
        self.lines = lines
        """What gets a line for each call; None where no report is wanted."""
        self._reports = reports
        self._opened = opened
        self._environ = environ

    def write(self, mode: str, session: str) -> None:
        """Write all that is to be written when the command has ended. What cannot be written is told, and no error."""
        if self.lines is None or all(wanted.kind is ReportKind.JSONL for wanted in self._reports):
            return
        try:
            run = gathered(_calls(Path(self.lines.name)))
        except OSError as e:
            say(f"no report can be made of {self.lines.name}: {e.strerror}")
            return
        for wanted in self._reports:
            try:
                if wanted.kind is ReportKind.GITHUB:
                    for line in github.annotations(run, place_of):
                        print(line, file=sys.stderr)
                    self._append_summary(github.summary(run, mode=mode, session=session))
                elif wanted.kind is ReportKind.JUNIT and wanted.file:
                    file = self._opened[wanted.file]
                    file.write(junit.document(run))
                    file.flush()
            except OSError as e:
                say(f"the report for {wanted.kind} cannot be written: {e.strerror}")

    def _append_summary(self, text: str) -> None:
        if file := self._environ.get(_SUMMARY):
            with Path(file).open("a", encoding="utf-8") as summary:
                summary.write(text)


@contextmanager
def opened(reports: Sequence[Report], environ: Mapping[str, str]) -> Iterator[OpenReports]:
    """Open the files of these reports. Raises OSError."""
    with ExitStack() as stack:
        files: dict[Path, BinaryIO] = {}
        lines: TextIO | None = None
        for wanted in reports:
            if wanted.file and wanted.kind is ReportKind.JSONL:
                lines = stack.enter_context(wanted.file.open("w", encoding="utf-8"))
            elif wanted.file:
                files[wanted.file] = stack.enter_context(wanted.file.open("wb"))
        if reports and lines is None:
            folder = stack.enter_context(TemporaryDirectory(prefix="wiretape-"))
            lines = stack.enter_context(Path(folder, "calls.jsonl").open("w", encoding="utf-8"))
        yield OpenReports(reports, lines, files, environ)


def _calls(file: Path) -> Iterator[Call]:
    """Yield the calls that were written, up to what a full disk has cut off."""
    try:
        yield from report.read(file)
    except ValueError as e:
        say(str(e))


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
