"""ls, show, verify and convert: the commands that look at recordings. Files in, lines out."""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from wiretape import capture as captures
from wiretape import recording, request, transcript, verify, wire
from wiretape.recording import Recording
from wiretape.store.directory import RESPONSES, WIRE, write_file

_MANY = 500
"""Files from which a progress bar is of use."""


def files(folder: Path, *, captures: bool = False) -> list[Path]:
    """The recordings below a folder, whichever of root, session or responses it is, in the order of their names.

    With ``captures`` those too that are kept beside the recordings.
    """
    found: list[Path] = []
    for parent, folders, names in os.walk(folder):
        hidden = WIRE if RESPONSES in folders and not captures else ""
        folders[:] = [name for name in folders if not name.startswith(".") and name != hidden]
        found += [Path(parent, name) for name in names if name.endswith(".json") and not name.startswith(".")]
    return sorted(found)


def _is_capture(path: Path) -> bool:
    return path.parent.name == WIRE and (path.parent.parent / RESPONSES).is_dir()


def verify_folder(folder: Path) -> int:
    """Look at every recording: a line a fault on stdout, a summary on stderr. The exit code: 1 for a fault."""
    forms: Counter[str] = Counter()
    faults = 0
    for path in _with_progress(files(folder, captures=True)):
        try:
            data = path.read_bytes()
        except OSError as e:
            report = verify.Report(None, None, (f"cannot be read: {e.strerror}",))
        else:
            if _is_capture(path):
                report = verify.Report("captures", None, verify.check_capture(data))
            else:
                report = verify.check(path.stem, data)
        forms[report.form or "unreadable"] += 1
        for fault in report.faults:
            faults += 1
            print(f"{path}: {fault}")
    counted = ", ".join(f"{count:,} {form}" for form, count in sorted(forms.items())) or "no recordings"
    print(f"{folder}: {counted}; {faults:,} {'fault' if faults == 1 else 'faults'}", file=sys.stderr)
    return 1 if faults else 0


def _with_progress(paths: list[Path]) -> Iterator[Path]:
    console = Console(stderr=True)
    if len(paths) < _MANY or not console.is_terminal:
        yield from paths
        return
    with Progress(console=console, transient=True) as progress:
        yield from progress.track(paths, description="reading")


def list_folder(folder: Path) -> int:
    """One line a recording: name, endpoint, model, chunks, tokens, base URL."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("recording", "endpoint", "model", "answer"):
        table.add_column(heading, no_wrap=True)
    table.add_column("tokens", justify="right")
    table.add_column("of", overflow="fold")
    code = 0
    for path, found in _readable(folder):
        if isinstance(found, str):
            print(f"{path}: {found}", file=sys.stderr)
            code = 1
            continue
        asked = found.request
        endpoint = asked.endpoint or "(passthrough)"
        name = str(path.relative_to(folder).with_suffix(""))
        table.add_row(name, endpoint, asked.model, _answer(found), str(wire.tokens(found)), request.base(asked))
    console = Console() if sys.stdout.isatty() else Console(width=400, no_color=True)
    console.print(table)
    return code


def _readable(folder: Path) -> Iterator[tuple[Path, Recording | str]]:
    for path in files(folder):
        try:
            yield path, recording.loads(path.read_bytes())
        except (OSError, ValueError) as e:
            yield path, str(e)


def _answer(found: Recording) -> str:
    response = found.response
    if response.error is not None:
        return f"error {response.error.get('status_code')}"
    if response.is_streaming:
        return f"{len(response.elements()) or len(response.body)} chunks"
    return "one piece"


def show(name: str, folder: Path) -> int:
    """A recording for people: what was asked, what came."""
    matches = [Path(name)] if Path(name).is_file() else [path for path in files(folder) if path.stem.startswith(name)]
    if not matches:
        print(f"wiretape: no recording below {folder} has a name that begins with {name}", file=sys.stderr)
        return 1
    for path in matches:
        try:
            found = recording.loads(path.read_bytes())
        except (OSError, ValueError) as e:
            print(f"{path}: {e}", file=sys.stderr)
            return 1
        print(f"{path}")
        print(f"  {found.form} form, {found.request.method} {found.request.url}")
        print(f"  {found.request.model or 'no model'}, {_answer(found)}, {wire.tokens(found)} tokens")
        print("asked:")
        print(json.dumps(found.request.body, indent=2, ensure_ascii=False))
        print("answered:")
        print(transcript.text(found))
    return 0


@dataclass(frozen=True, slots=True)
class Conversion:
    """What ``convert`` is asked to do."""

    folder: Path
    form: str
    output: Path | None
    """Where the new files go; None for beside the old ones, which are then removed."""


def convert(wanted: Conversion) -> int:
    """Write every recording in another form: a line each on stdout. The exit code: 1 where one could not be written."""
    code = 0
    for path, found in _readable(wanted.folder):
        if isinstance(found, str):
            print(f"{path}: left alone: {found}", file=sys.stderr)
            code = 1
            continue
        if found.form == wanted.form and wanted.output is None:
            continue
        asked = found.request if wanted.form == "2026" else replace(found.request, test_id=None, extra={})
        made = found if found.form == wanted.form else recording.make(asked, found.response, wanted.form)
        parent = path.parent if wanted.output is None else wanted.output / path.parent.relative_to(wanted.folder)
        _, _, take = path.stem.rpartition(".")
        target = parent / f"{made.name}{f'.{take}' if take.isdigit() else ''}.json"
        data = recording.dumps(made)
        if target == path or not write_file(target, data, replace=False):
            print(f"{path}: left alone: {target} is there already", file=sys.stderr)
            code = 1
            continue
        _convert_capture(path, target, data, keep=wanted.output is not None)
        print(f"{path} -> {target}")
        if wanted.output is None:
            path.unlink()
    return code


def _convert_capture(path: Path, target: Path, data: bytes, *, keep: bool) -> None:
    """Take the capture of a recording along: its bytes are the same, the recording's name and digest are new."""
    old = path.parent.parent / WIRE / path.name
    if path.parent.name != RESPONSES or not old.is_file():
        return
    try:
        found = captures.loads(old.read_bytes())
    except ValueError as e:
        print(f"{old}: left alone: {e}", file=sys.stderr)
        return
    if found.recording == captures.digest(path.read_bytes()):
        made = replace(found, recording=captures.digest(data))
        write_file(target.parent.parent / WIRE / target.name, captures.dumps(made), replace=True)
    if not keep:
        old.unlink()
