"""Measure everything, or a part: .venv/bin/python tests/bench [--quick] [--only NAME,...]. See the package's docstring.

Written: results.json with every run, the plot docs/images/speed.svg, and the tables of docs/explanation/performance.md;
with --quick or --only nothing but --json FILE, so that a part never replaces the whole.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import by_rules, hits, machine, peers, plot, report, sdk, size, streams, suite
from bench.servers import Bench

PLOT = machine.ROOT / "docs" / "images" / "speed.svg"

GROUPS: Mapping[str, Callable[[Bench], dict[str, Any]]] = {
    "hits": hits.hits,
    "http2": hits.http2,
    "thousand": hits.thousand,
    "connections": hits.connections,
    "sdk": sdk.sdk,
    "reverse": hits.reverse,
    "size": size.size,
    "rules": by_rules.by_rules,
    "record": streams.record,
    "pace": streams.pace,
    "suite": suite.suite,
}


def main() -> int:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(prog="tests/bench")
    parser.add_argument("--quick", action="store_true", help="one run of a second each, and few recordings")
    parser.add_argument("--only", default=",".join(GROUPS), help=f"some of: {','.join(GROUPS)}")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument(
        "--size", type=int, default=100_000, help="recordings of the groups size and rules; each takes 30 kB"
    )
    parser.add_argument("--warm", type=float, default=60, help="seconds of work before the first run, at most")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.runs, arguments.seconds, arguments.size = 1, 1, min(arguments.size, 5000)
        arguments.warm = min(arguments.warm, 2)
    names = arguments.only.split(",")
    if unknown := [name for name in names if name not in GROUPS]:
        parser.error(f"no group is called {unknown[0]}: there are {', '.join(GROUPS)}")
    results: dict[str, Any] = {"machine": {**machine.describe(), **peers.versions()}, "groups": {}}
    results |= {"runs": arguments.runs, "seconds": arguments.seconds, "warm": arguments.warm}
    failed = False
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(Path(folder), arguments.runs, arguments.seconds, arguments.size, arguments.warm)
        for name in names:
            begun = time.monotonic()
            try:
                results["groups"][name] = GROUPS[name](bench)
            except machine.BenchError as e:
                failed = True
                print(f"{name}: FAILED: {e}", file=sys.stderr)
            print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
    table = report.markdown(results)
    print(table)
    if arguments.json:
        report.write(results, arguments.json)
        plot.draw(results, arguments.json.with_suffix(".svg"))
    elif not failed and not arguments.quick and set(names) == set(GROUPS):
        report.write(results, report.RESULTS)
        plot.draw(results, PLOT)
        report.PAGE.write_text(report.filled(report.PAGE.read_text("utf-8"), table), "utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
