"""Lines of JSON, as a job of CI hands them on."""

from pathlib import Path

import pytest

from wiretape.call_log import report
from wiretape.call_log.call import Call, MissTold, Outcome

CALLS = [
    Call(1.5, "a", "replay", Outcome.HIT, "one\nline", recording="e99f"),
    Call(2.5, "a", "replay", Outcome.MISS, miss=MissTold("01", text="several\nlines")),
]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    with path.open("w", encoding="utf-8") as file:
        writer = report.ReportWriter(file)
        writer.write(CALLS[:1])
        assert [*report.read(path)] == CALLS[:1], "while it is written"
        writer.write(CALLS[1:])
        assert writer.name == str(path)
        writer.close()
    assert len(path.read_text().splitlines()) == 2
    assert [*report.read(path)] == CALLS


@pytest.mark.parametrize("text", ["{}", "x", "[1]", "[" * 10**5, '{"at": "2025-11-28T08:00:00Z"}'])
def test_what_is_no_report_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "calls.jsonl"
    with path.open("w", encoding="utf-8") as file:
        report.ReportWriter(file).write(CALLS)
        file.write(text)
    with pytest.raises(ValueError, match=r"calls\.jsonl is no report of wiretape run: line 3: "):
        [*report.read(path)]
