"""The figures as JSON and as Markdown: medians of the runs, with the least and the most of them."""

import json
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
RESULTS = FOLDER / "results.json"
PAGE = FOLDER.parents[1] / "docs" / "explanation" / "performance.md"
"""The page that has the tables, between two marks."""

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
BASELINE = "server-replay"

_VERSIONS = {
    "mitmproxy": "mitmproxy",
    "openai": "openai",
    "vcrpy": "VCR.py",
    "@copilotkit/aimock": "aimock",
    "mockserver-node": "MockServer",
    "wiremock": "WireMock",
}

Row = Mapping[str, Any]


def median(row: Row, *path: str) -> float | None:
    """The median over the runs of a figure, such as ``latency``, ``p50``; None where no run has it."""
    found = figures(row, *path)
    return statistics.median(found) if found else None


def figures(row: Row, *path: str) -> list[float]:
    """A figure of each run that has it."""
    found = []
    for run in row["runs"]:
        value: Any = run
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is not None:
            found.append(float(value))
    return found


def ratio(group: Mapping[str, Any], row: Row) -> float | None:
    """The median of the ratios to server replay, each of one run."""
    base = next((each for each in group["rows"] if each["name"] == BASELINE), None)
    if base is None or not base["runs"] or not row["runs"]:
        return None
    pairs = zip(figures(row, "rate"), figures(base, "rate"), strict=True)
    return statistics.median(mine / theirs for mine, theirs in pairs)


def markdown(results: Mapping[str, Any]) -> str:
    """All tables."""
    machine, runs = results["machine"], results["runs"]
    versions = [f"{shown} {machine[name]}" for name, shown in _VERSIONS.items() if name in machine]
    lines = [
        f"{machine['cores']} cores ({machine['processor']}), Python {machine['python']}, {', '.join(versions)}. Server "
        f"and client have a core each. Median of the runs ({runs} of {results['seconds']:g} s), least and most in "
        f"brackets; times: median / p99. Servers in Java were measured after {results['warm']:g} s of work.",
    ]
    for group in results["groups"].values():
        lines += ["", f"**{group['title']}**", "", *_TABLES[group["kind"]](group)]
        lines += _skipped(group["rows"])
    return "\n".join(lines) + "\n"


def _skipped(rows: Iterable[Row]) -> list[str]:
    told = [f"{row['name']} is left out: {row['skipped']}." for row in rows if row.get("skipped")]
    return ["", *told] if told else []


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    align = ["---", *("---:" for _ in head[1:-1]), "---" if head[-1].startswith("how") else "---:"]
    return [f"| {' | '.join(cells)} |" for cells in (head, align, *rows)]


def _rates(group: Mapping[str, Any]) -> list[str]:
    rows = []
    for row in group["rows"]:
        if row.get("skipped"):
            continue
        times = ratio(group, row)
        latency = f"{_ms(row, 'latency', 'p50')} / {_ms(row, 'latency', 'p99')}"
        cells = [_name(row), _spread(row, ("rate",), _whole), "" if times is None else f"{times:.2f}", latency]
        rows.append([*cells, _ms(row, "first_byte", "p50"), row["how"]])
    head = ["", group["unit"], f"times {BASELINE}", "ms", "first byte, ms", "how; in how many pieces; what is compared"]
    if not any(median(row, "first_byte", "p50") for row in group["rows"]):
        head, rows = _without(head, 4), [_without(cells, 4) for cells in rows]
    return _table(head, rows)


def _without(cells: Sequence[str], column: int) -> list[str]:
    return [cell for place, cell in enumerate(cells) if place != column]


def _size(group: Mapping[str, Any]) -> list[str]:
    rows = []
    for row in group["rows"]:
        cells = [_name(row), f"{row['count']:,}", _spread(row, ("ready",), lambda value: f"{value:.2f}")]
        cells += [_number(row, "memory at first"), _number(row, "memory")]
        rows.append([*cells, _ms(row, "cold", "latency", "p50"), _ms(row, "warm", "latency", "p50")])
    head = ["", "recordings", "first answer after, s", "MB then", "MB after all", "first hit, ms", "later hit, ms"]
    return _table(head, rows)


def _by_rules(group: Mapping[str, Any]) -> list[str]:
    rows = []
    for row in group["rows"]:
        built = row["built"]
        cells = [f"{row['count']:,}", f"{built['ready']:.1f}", _whole(built["memory"])]
        cells += [_spread(row, ("ready",), lambda value: f"{value:.2f}"), _number(row, "memory")]
        rows.append([*cells, _ms(row, "by_rules"), _ms(row, "exact")])
    head = ["recordings", "read once, s", "MB", "a start with that, s", "MB", "a hit by rules, ms", "an exact one, ms"]
    request = group["request"]
    first = f"a request of {request['size'] / 1000:.0f} kB, by {request['rules']} rules of Claude Code's preset"
    parts = [[part, *(f"{ms:.2f}" for ms in took)] for part, took in request["parts"].items()]
    return [*_table(head, rows), "", *_table([first, "at first sight, ms", "the next turn, ms"], parts)]


def _live(group: Mapping[str, Any]) -> list[str]:
    rows = []
    for row in group["rows"]:
        cells = [_name(row), str(row["streams"]), _spread(row, ("first_byte", "p50"), _milli)]
        cells += [f"{_ms(row, 'delay', 'p50')} / {_ms(row, 'delay', 'p99')}"]
        cells += [f"{_ms(row, 'gap', 'p50')} / {_ms(row, 'gap', 'p99')}"]
        rows.append([*cells, _number(row, "cpu_per_chunk")])
    return _table(
        ["", "streams", "first byte, ms", "a chunk's delay, ms", "between chunks, ms", "CPU a chunk, µs"], rows
    )


def _paced(group: Mapping[str, Any]) -> list[str]:
    rows = []
    for row in group["rows"]:
        cells = [_name(row), str(row["streams"]), str(row["rate"])]
        cells += [_spread(row, ("delay", "p50"), _milli), _ms(row, "delay", "p99")]
        rows.append([*cells, _ms(row, "first_byte", "p50")])
    return _table(["", "streams", "chunks a second of each", "error, ms", "p99, ms", "first byte, ms"], rows)


def _suite(group: Mapping[str, Any]) -> list[str]:
    cells = [[_name(row), _spread(row, ("seconds",), lambda value: f"{value:.2f}")] for row in group["rows"]]
    said = (
        f"The plugin takes {group['times']:.2f} times as long as VCR.py, and adds {group['empty_ms']:.1f} ms to an "
        "empty test."
    )
    return [*_table(["", "seconds, start and end included"], cells), "", said]


_TABLES: Mapping[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "rate": _rates,
    "size": _size,
    "rules": _by_rules,
    "record": _live,
    "pace": _paced,
    "suite": _suite,
}


def _name(row: Row) -> str:
    return f"**{row['name']}**" if row["name"] == "wiretape" else str(row["name"])


def _spread(row: Row, path: tuple[str, ...], show: Callable[[float], str]) -> str:
    found = figures(row, *path)
    if not found:
        return ""
    middle = show(statistics.median(found))
    return middle if len(found) == 1 else f"{middle} ({show(min(found))} to {show(max(found))})"


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _milli(microseconds: float) -> str:
    return f"{microseconds / 1000:.2f}" if microseconds < 99_500 else f"{microseconds / 1000:.0f}"


def _ms(row: Row, *path: str) -> str:
    value = median(row, *path)
    return "" if value is None else _milli(value)


def _number(row: Row, *path: str) -> str:
    value = median(row, *path)
    return "" if value is None else _whole(value)


def write(results: Mapping[str, Any], file: Path) -> None:
    """The raw figures."""
    file.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


def read() -> dict[str, Any]:
    """The raw figures of the last whole run."""
    results: dict[str, Any] = json.loads(RESULTS.read_text("utf-8"))
    return results


def filled(page: str, table: str) -> str:
    """The page with these tables between its marks. Raises ValueError where it has none."""
    head, begun, rest = page.partition(BEGIN)
    _, ended, tail = rest.partition(END)
    if not begun or not ended:
        raise ValueError(f"the page has no {BEGIN} and {END}")
    return f"{head}{BEGIN}\n\n{table}\n{END}{tail}"
