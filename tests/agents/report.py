"""The table of what was run, as Markdown: printed, and put into the guide between the two marks of a group."""

import statistics
from collections.abc import Sequence

from agents.trial import Row
from places import ROOT

PAGE = ROOT / "docs" / "guides" / "agents.md"

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


def fill(group: str, rows: Sequence[Row]) -> None:
    """Put a group's table into the guide, in the place of the last one."""
    mark = "make agents" if group == "agents" else f"make agents AGENTS={group}"
    begin = f"<!-- {mark}: begin -->"
    end = f"<!-- {mark}: end -->"
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(begin)
    after = rest.partition(end)[2]
    PAGE.write_text(f"{before}{begin}\n\n{table(rows)}\n\n{end}{after}", "utf-8")


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
