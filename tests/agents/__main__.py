"""Run real agents: .venv/bin/python tests/agents [NAMES] [--runs 10] [--steps same,home,folder,day]. See the package.

A name is that of a program, or of a group: ``agents`` (where no name is given), ``frameworks`` or ``languages``. Exit
code 1 where a run was not as it was recorded. What a failed run printed stays, in the folder that its row names.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from agents import fixtures, installing, lab, report
from agents.frameworks import FRAMEWORKS
from agents.languages import LANGUAGES
from agents.programs import AGENTS
from agents.trial import Place, Row, Trial

_PLACES = {"same": Place.SAME, "home": Place.HOME, "folder": Place.FOLDER, "day": Place.DAY}
_GROUPS = {"agents": AGENTS, "frameworks": FRAMEWORKS, "languages": LANGUAGES}


def main() -> int:
    """Install, record, replay, print."""
    known = {program.name: (program,) for group in _GROUPS.values() for program in group} | _GROUPS
    parser = argparse.ArgumentParser(prog="tests/agents")
    parser.add_argument("names", nargs="*", help=f"some of: {', '.join(known)}")
    parser.add_argument("--runs", type=int, default=10, help="replays in each place")
    parser.add_argument("--steps", default=",".join(_PLACES), help="places to replay in")
    parser.add_argument("--flags", default="", help="more flags of wiretape run in replays")
    parser.add_argument("--keep", type=Path, help="a folder that keeps what each run printed")
    parser.add_argument("--write", action="store_true", help="put the groups' tables into the guide")
    parser.add_argument("--fixtures", action="store_true", help="record five runs, and write tests/data/agents")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(known)
    if unknown:
        parser.error(f"no program or group is called {unknown.pop()}: there are {', '.join(known)}")
    names = arguments.names or ["agents"]
    if arguments.write and not set(names) <= set(_GROUPS):
        parser.error("--write is for whole groups")
    chosen = [program for name in names for program in known[name]]
    places = [_PLACES[name] for name in arguments.steps.split(",")]
    rows: list[Row] = []
    for program in [*chosen]:
        try:
            installing.install(program)
        except installing.NotOnMachineError as e:
            chosen.remove(program)
            rows.append(Row(program.name, "-", "-", not_run=str(e)))
    lab.enter()
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
    for name in names if arguments.write else ():
        of_group = {program.name for program in known[name]}
        report.fill(name, [row for row in rows if row.program in of_group])
    return 1 if any(row.faults for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
