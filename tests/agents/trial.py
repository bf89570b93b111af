"""One program: its task recorded once, then replayed in each place, as often as is asked.

A run is right where its exit code and its files are those of the recorded run, each call of a model was a hit and as
many as were recorded, no call was a miss, and nobody came to the trap that stands in the provider's place.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from agents import installing, lab
from agents.programs import KEYS, Clock, Program
from agents.provider import Received, asks_model, ca_pem, serving

_SECONDS = 180
_WIRETAPE = str(Path(sys.executable).with_name("wiretape"))
_SYSTEM_CAS = Path("/etc/ssl/certs/ca-certificates.crt")


class Place(Enum):
    """Where a run is replayed, against where it was recorded."""

    SAME = "same folder"
    HOME = "new home"
    FOLDER = "new home, other folder"
    DAY = "another day"


@dataclass(frozen=True)
class Run:
    """What came of one run."""

    exit_code: int | None
    """None: it took too long."""
    files: dict[str, str]
    output: str
    outcomes: Counter[str]
    requests: tuple[Received, ...]
    visitors: tuple[str, ...]
    seconds: float
    home: Path
    checkout: Path
    folder: Path
    """What it printed is here: ``stdout``, ``stderr``, ``calls.jsonl``."""


@dataclass
class Row:
    """All runs of a program in one place."""

    program: str
    version: str
    place: str
    hits: list[int] = field(default_factory=list)
    misses: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    not_run: str | None = None


class Trial:
    """A program with the folder that its homes, checkouts and recordings are in."""

    def __init__(self, program: Program, folder: Path, flags: Sequence[str] = ()) -> None:
        self.program = program
        self._folder = lab.fresh(folder / program.name)
        self._flags = flags
        self._home = self._folder / "home" / "ada"
        self._checkout = self._home / "src" / "notes"
        self._number = 0

    def record(self) -> Run:
        """Run the program with the scripted provider, and record it."""
        lab.fresh(self._home)
        lab.checkout(self._checkout)
        return self._run(self._home, self._checkout, "record", trap=False)

    def replay(self, place: Place, mode: str = "replay") -> Run:
        """Run the program again in one of the places: with the trap, or with the provider where it is recorded anew."""
        match place:
            case Place.SAME | Place.DAY:
                home = self._home
                checkout = lab.checkout(self._checkout)
            case Place.HOME:
                home = lab.fresh(self._folder / "home" / "bea")
                checkout = lab.checkout(self._checkout)
            case Place.FOLDER:
                home = lab.fresh(self._folder / "home" / "bea")
                checkout = lab.checkout(self._folder / "srv" / "build" / "job-17", committed="2026-02-03T04:05:06Z")
        another_day = place is Place.DAY
        moved = lab.other_side() if another_day and self.program.clock is Clock.ZONE else nullcontext()
        with moved:
            return self._run(home, checkout, mode, trap=mode == "replay", later=another_day)

    def rows(self, places: Sequence[Place], runs: int) -> Iterator[Row]:
        """Record, then replay in each place; a row for each."""
        version = installing.version(self.program)
        recorded = self.record()
        first = Row(self.program.name, version, "recorded")
        first.seconds.append(recorded.seconds)
        asked = sum(each.for_model for each in recorded.requests)
        fault = self._unlike(recorded, 0, recorded.output) if asked else f"no model asked: {recorded.exit_code}"
        if fault:
            first.faults.append(f"{fault} ({recorded.folder})")
        first.hits.append(asked)
        first.misses.append(recorded.outcomes["passed"] + recorded.outcomes["lost"])
        yield first
        for place in places if not first.faults else ():
            yield self._replayed(place, runs, asked, recorded.output, version)

    def _replayed(self, place: Place, runs: int, asked: int, output: str, version: str) -> Row:
        row = Row(self.program.name, version, place.value)
        if place is Place.DAY and self.program.clock is Clock.FAKETIME and shutil.which("faketime") is None:
            row.not_run = "faketime is not installed"
            return row
        for _ in range(runs):
            run = self.replay(place)
            row.hits.append(run.outcomes["hit"])
            row.misses.append(run.outcomes["miss"])
            row.seconds.append(run.seconds)
            if fault := self._unlike(run, asked, output):
                row.faults.append(f"{fault} ({run.folder})")
        return row

    def _unlike(self, run: Run, asked: int, output: str) -> str | None:
        """Say how a run is not what it must be, or return None. ``asked``: the hits that it must have."""
        if run.exit_code != 0:
            return f"exit code {run.exit_code}"
        if run.files != dict(self.program.leaves):
            return f"other files: {run.files}"
        if run.outcomes["miss"] != (self.program.refused if asked else 0):
            return f"{run.outcomes['miss']} misses"
        if run.outcomes["hit"] != asked:
            return f"{run.outcomes['hit']} hits of {asked}"
        if run.visitors:
            return f"reached for {', '.join(sorted(set(run.visitors)))}"
        if self.program.same_output and run.output != output:
            return f"other output: {run.output!r}"
        return None

    def _run(self, home: Path, checkout: Path, mode: str, *, trap: bool, later: bool = False) -> Run:
        self._number += 1
        folder = lab.fresh(self._folder / "runs" / f"{self._number}-{mode}")
        report = folder / "calls.jsonl"
        command = [_WIRETAPE, "run", "--mode", mode, "--session", self.program.name, "--report", "jsonl", str(report)]
        command += ["--recordings", str(self._folder / "recordings"), "--set", f"wiretape_match={self.program.match}"]
        if trap:
            command += self._flags
        elif self.program.recorded_isolated:
            command.append("--isolate=yes")
        command.append("--")
        if later and self.program.clock is Clock.FAKETIME:
            command += ["faketime", "-m", "--exclude-monotonic", "-f", "+1d"]
        command += self.program.command
        begun = time.monotonic()
        with serving(trap=trap) as servers:
            exit_code = _ended(command, checkout, self._environment(home, folder), folder)
        return Run(
            exit_code,
            {name: _text(checkout / name) for name in self.program.leaves},
            _text(folder / "stdout"),
            _outcomes(report),
            tuple(servers.requests),
            tuple(servers.visitors),
            time.monotonic() - begun,
            home,
            checkout,
            folder,
        )

    def _environment(self, home: Path, folder: Path) -> dict[str, str]:
        """Return a program's whole environment: nothing of ours is in it but ``PATH``."""
        bundle = folder / "cas.pem"
        system = _SYSTEM_CAS.read_bytes() if _SYSTEM_CAS.exists() else b""
        bundle.write_bytes(system + ca_pem(folder).read_bytes())
        own = [str(each) for each in installing.paths(self.program)]
        return {
            **{"PATH": os.pathsep.join([*own, os.environ["PATH"]]), "HOME": str(home), "USER": "ada"},
            **{"LANG": "C.UTF-8", "TERM": "dumb", "SHELL": "/bin/bash", "SSL_CERT_FILE": str(bundle)},
            **KEYS,
            **self.program.environment,
        }


def _ended(command: Sequence[str], checkout: Path, environment: dict[str, str], folder: Path) -> int | None:
    """Run a command to its end, and return its exit code; None where it took too long and was ended."""
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        process = subprocess.Popen(
            command,
            cwd=checkout,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        try:
            return process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            return None


def _outcomes(report: Path) -> Counter[str]:
    """Count the outcomes of a report's calls of a model; a miss counts whatever was asked."""
    calls = [json.loads(line) for line in _text(report).splitlines()]
    return Counter(each["outcome"] for each in calls if each["outcome"] == "miss" or asks_model(each["request"]))


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.exists() else ""
