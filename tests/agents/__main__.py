"""Run real agents: .venv/bin/python tests/agents [NAMES] [--runs 10] [--steps same,home,folder,day]. See the package.

Exit code 1 where a run was not as it was recorded. What a failed run printed stays, in the folder that its row names.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from agents import fixtures, installing, lab, report
from agents.programs import AGENTS, FRAMEWORKS
from agents.trial import Place, Row, Trial

_PLACES = {"same": Place.SAME, "home": Place.HOME, "folder": Place.FOLDER, "day": Place.DAY}


def main() -> int:
    """Install, record, replay, print."""
    groups = {"agents": AGENTS, "frameworks": FRAMEWORKS}
    known = {program.name: program for group in groups.values() for program in group}
    parser = argparse.ArgumentParser(prog="tests/agents")
    names = (*groups, *known)
    parser.add_argument("names", nargs="*", default=["agents"], help=f"some of: {', '.join(names)}")
    parser.add_argument("--runs", type=int, default=10, help="replays in each place")
    parser.add_argument("--steps", default=",".join(_PLACES), help="places to replay in")
    parser.add_argument("--flags", default="", help="more flags of wiretape run in replays")
    parser.add_argument("--keep", type=Path, help="a folder that keeps what each run printed")
    parser.add_argument("--write", action="store_true", help="put the table into the guide")
    parser.add_argument("--fixtures", action="store_true", help="record five runs, and write tests/data/agents")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in names:
            parser.error(f"no program is called {name}: there are {', '.join(names)}")
    chosen = [program for name in arguments.names for program in groups.get(name) or (known[name],)]
    places = [_PLACES[name] for name in arguments.steps.split(",")]
    for program in chosen:
        installing.install(program)
    lab.enter()
    rows: list[Row] = []
    with lab.scratch(arguments.keep) as folder:
        lab.prepare(folder)
        if arguments.fixtures:
            for program in chosen:
                print(fixtures.write(program, folder))
            return 0
        for program in chosen:
            for row in Trial(program, folder, arguments.flags.split()).rows(places, arguments.runs):
                rows.append(row)
                print(f"{row.program}, {row.place}: {report.verdict(row)}", file=sys.stderr, flush=True)
    print(report.table(rows))
    if arguments.write:
        report.fill(rows)
    return 1 if any(row.faults for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
