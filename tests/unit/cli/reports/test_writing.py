"""The files of reports: opened before a command runs, written when it has ended."""

import json
from pathlib import Path
from typing import TextIO
from xml.etree import ElementTree

import pytest

from told_calls import call, miss
from wiretape.call_log.call import as_json
from wiretape.cli.reports import kinds, writing


def tell(lines: TextIO | None) -> None:
    """Two calls, as the log tells them, and what a full disk has left of a third."""
    assert lines
    for each in (call(recording="a"), miss()):
        lines.write(json.dumps(as_json(each)) + "\n")
    lines.write('{"at": "2026-')
    lines.flush()


def test_all_reports_are_of_the_same_calls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    reports = kinds.parse([f"junit {tmp_path}/a.xml", "github", f"jsonl {tmp_path}/calls.jsonl"])
    with writing.opened(reports, {"GITHUB_STEP_SUMMARY": str(summary)}) as opened:
        tell(opened.lines)
        opened.write("replay", "default")
    assert len((tmp_path / "calls.jsonl").read_text().splitlines()) == 3
    assert len(ElementTree.parse(tmp_path / "a.xml").findall("testsuite/testcase")) == 2
    cut, error = capsys.readouterr().err.splitlines()
    assert cut.endswith(
        "is no report of wiretape run: line 3: Unterminated string starting at: line 1 column 8 (char 7)"
    )
    assert error.startswith("::error title=wiretape%3A No recording of a call::")
    assert summary.read_text().startswith("before\n### wiretape: replay, session default\n\n2 calls: 1 hit, 1 miss.")


def test_outside_of_github_there_is_no_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with writing.opened(kinds.parse(["github"]), {}) as opened:
        tell(opened.lines)
        opened.write("replay", "default")
        lines = Path(opened.lines.name) if opened.lines else tmp_path
    assert "::error" in capsys.readouterr().err
    assert not lines.exists(), "what only the reports needed is gone"


def test_a_summary_that_cannot_be_written_hinders_no_other_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reports = kinds.parse(["github", f"junit {tmp_path}/a.xml"])
    with writing.opened(reports, {"GITHUB_STEP_SUMMARY": str(tmp_path / "no" / "file")}) as opened:
        tell(opened.lines)
        opened.write("replay", "default")
    assert (tmp_path / "a.xml").stat().st_size
    assert "wiretape: the report for github cannot be written: No such file or directory\n" in capsys.readouterr().err


def test_without_a_report_nothing_is_kept() -> None:
    with writing.opened([], {}) as opened:
        assert opened.lines is None
        opened.write("replay", "default")


def test_a_file_that_cannot_be_opened_is_told_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"), writing.opened(kinds.parse([f"junit {tmp_path}/no/a.xml"]), {}):
        pass


def test_the_place_of_a_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = "import x\n\nclass TestA:\n    async def test_b(self):\n        pass\ndef test_bb(): ...\n"
    Path("test_a.py").write_text(source)
    assert writing.place_of("test_a.py::TestA::test_b[a-::-b]") == ("test_a.py", 4)
    assert writing.place_of("test_a.py::test_bb") == ("test_a.py", 6)
    assert writing.place_of("test_a.py::test_c") == ("test_a.py", 0)
    for unknown in ("", "test_a.py", "no.py::a", f"{tmp_path}/test_a.py::test_bb", "../test_a.py::test_b"):
        assert writing.place_of(unknown) is None
