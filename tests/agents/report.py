"""The table of what was run, as Markdown: printed, and put into the guide between its two marks."""

import statistics
from collections.abc import Sequence

from agents.trial import Row
from places import ROOT

PAGE = ROOT / "docs" / "guides" / "agents.md"

_BEGIN = "<!-- make agents: begin -->"
_END = "<!-- make agents: end -->"
_HEAD = "| program | version | where | runs | hits | misses | seconds | verdict |\n|---|---|---|---|---|---|---|---|"


def table(rows: Sequence[Row]) -> str:
    """Return a table, with a line for each row."""
    return "\n".join([_HEAD, *map(_line, rows)])


def verdict(row: Row) -> str:
    """Say what came of a row's runs."""
    if row.not_run:
        return f"not run: {row.not_run}"
    if row.faults:
        return f"{len(row.faults)} of {len(row.seconds)} failed: {row.faults[0]}"
    return "as recorded" if row.place != "recorded" else "recorded"


def fill(rows: Sequence[Row]) -> None:
    """Put the table into the guide, in the place of the last one."""
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(_BEGIN)
    after = rest.partition(_END)[2]
    PAGE.write_text(f"{before}{_BEGIN}\n\n{table(rows)}\n\n{_END}{after}", "utf-8")


def _line(row: Row) -> str:
    seconds = f"{statistics.median(row.seconds):.1f}" if row.seconds else "-"
    cells = (
        *(row.program, row.version, row.place, str(len(row.seconds))),
        *(_range(row.hits), _range(row.misses), seconds, verdict(row)),
    )
    return f"| {' | '.join(cells)} |"


def _range(numbers: Sequence[int]) -> str:
    """Return what is the same in all runs once, else the least and the most."""
    if not numbers:
        return "-"
    least = min(numbers)
    most = max(numbers)
    return str(least) if least == most else f"{least} to {most}"
