"""show, verify and convert: the commands that look at recordings. Files in, lines out.

Each function gives the exit code, and raises ``StoreUnavailableError`` where a bucket cannot be asked.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from wiretape import recording
from wiretape.cli.console import complain, out, out_text, progress
from wiretape.cli.files import File, Source
from wiretape.cli.files_on_disk import OnDisk
from wiretape.codecs.units import counted
from wiretape.exceptions import NotARecordingError, NotHttpError, StoreUnavailableError
from wiretape.library import shortening, transcript, verify
from wiretape.providers import wire
from wiretape.recording import Recording
from wiretape.recording import capture as captures

_CAPTURE = "capture"
"""The form of what is no recording."""


def verify_all(source: Source) -> int:
    """Look at every recording: a line a fault on stdout, a summary on stderr. The exit code: 1 for a fault."""
    forms: Counter[str] = Counter()
    faults = 0
    files = source.files(captures=True)
    for file, report in zip(files, progress(source.mapped(_report, files), len(files), "checking"), strict=True):
        if report is None:
            continue
        form, found = report
        forms[form or "unreadable"] += 1
        for fault in found:
            faults += 1
            out(f"{file}: {fault}")
    captured = forms.pop(_CAPTURE, 0)
    counts = [f"{count:,} {form}" for form, count in sorted(forms.items())]
    counts += [counted(captured, _CAPTURE)] if captured else []
    complain(f"{source}: {', '.join(counts) or 'no recordings'}; {counted(faults, 'fault')}")
    if faults:
        return 1
    return 0


def _report(file: File) -> tuple[str | None, tuple[str, ...]] | None:
    """Return the form of a file and its faults; None for a capture that is not there."""
    try:
        data = _read(file)
    except StoreUnavailableError:
        raise
    except FileNotFoundError as e:
        # Not every recording has a capture.
        if file.is_capture:
            return None
        return None, (f"cannot be read: {e.strerror}",)
    except OSError as e:
        return None, (f"cannot be read: {e.strerror}",)
    except NotARecordingError as e:
        return None, (str(e),)
    if file.is_capture:
        return _CAPTURE, verify.verify_capture(data)
    report = verify.verify(file.name, data)
    return report.form, report.faults


def _read(file: File) -> bytes:
    data = file.read()
    if data is None:
        raise FileNotFoundError(2, os.strerror(2), str(file))
    return data


def _answer(found: Recording) -> str:
    response = found.response
    if response.error is not None:
        return f"error {response.error.get('status_code') or response.error.get('type')}"
    if response.is_streaming:
        return counted(len(response.elements()) or len(response.body), "chunk")
    return "one piece"


def show(name: str, source: Source, *, full: bool = False) -> int:
    """A recording for people: what was asked, what came, who had it recorded; long texts and images short."""
    path = Path(name)
    if path.is_file():
        matches: list[File] = [OnDisk(path, path.parent)]
    else:
        matches = [file for file in source.files() if file.name.startswith(name)]
    if not matches:
        complain(f"wiretape: no recording below {source} has a name that begins with {name}")
        return 1
    code = 0
    for file in matches:
        try:
            data = _read(file)
            found = recording.loads(data)
        except StoreUnavailableError:
            raise
        except (OSError, ValueError) as e:
            complain(f"{file}: {e}")
            code = 1
            continue
        out(f"{file}")
        out(f"  {found.form} form, {found.request.method} {found.request.sent_url}")
        out(f"  {found.request.model or 'no model'}, {_answer(found)}, {counted(wire.tokens(found), 'token')}")
        for line in _made(file, data):
            out(f"  {line}")
        out("asked:")
        asked = found.request.body
        answered = transcript.text(found)
        short = (asked, answered) if full else (shortening.shortened(asked), shortening.text(answered))
        out_text(json.dumps(short[0], indent=2, ensure_ascii=False))
        out("answered:")
        out_text(short[1])
        if short != (asked, answered):
            complain("wiretape: long texts are cut: --full shows all")
    return code


def _made(file: File, data: bytes) -> Iterator[str]:
    """Who recorded it, as its capture has it."""
    if not (beside := file.capture()):
        return
    try:
        kept = beside.read()
        found = None
        if kept is not None:
            found = captures.loads(kept)
    except StoreUnavailableError:
        raise
    except (OSError, ValueError) as e:
        yield f"who recorded it cannot be told: {e}"
        return
    if found and (origin := found.origin):
        by = ""
        if origin.by:
            by = f" by {origin.by}"
        yield f"recorded {origin.at}{by}, in {origin.took:,.0f} ms, with wiretape {origin.wiretape}"
        if origin.client:
            yield f"for {origin.client}"
        if found.recording != captures.digest(data):
            yield "changed since"


@dataclass(frozen=True, slots=True)
class Conversion:
    """What ``convert`` is asked to do."""

    source: Source
    form: str
    output: Path | None
    """Where the new files go; None for beside the old ones, which are then removed."""


@dataclass(frozen=True, slots=True)
class _Converted:
    """What became of a file."""

    said: str = ""
    complaints: tuple[str, ...] = ()
    has_failed: bool = False


def convert(wanted: Conversion) -> int:
    """Write every recording in another form: a line each on stdout. The exit code: 1 where one could not be written."""
    files = wanted.source.files()
    work = partial(_converted, wanted.form, wanted.output)
    code = 0
    for done in progress(wanted.source.mapped(work, files), len(files), "converting"):
        for line in done.complaints:
            complain(line)
        if done.said:
            out(done.said)
        if done.has_failed:
            code = 1
    return code


def _converted(form: str, output: Path | None, file: File) -> _Converted:
    try:
        found = recording.loads(_read(file))
    except StoreUnavailableError:
        raise
    except (OSError, ValueError) as e:
        return _Converted("", (f"{file}: left alone: {e}",), not isinstance(e, NotHttpError))
    if found.form == form and output is None:
        return _Converted()
    asked = found.request if form == "2026" else replace(found.request, test_id=None, extra={})
    made = found if found.form == form else recording.make(asked, recording.as_it_came(found), form)
    _, _, take = file.name.rpartition(".")
    target = file.named(f"{made.name}{f'.{take}' if take.isdigit() else ''}", output)
    data = recording.dumps(made)
    if str(target) == str(file) or not target.write(data, replace=False):
        return _Converted("", (f"{file}: left alone: {target} is there already",), True)
    problem = _convert_capture(file, target, data, keep=output is not None)
    if output is None:
        file.remove()
    return _Converted(f"{file} -> {target}", (problem,) if problem else ())


def _convert_capture(file: File, target: File, data: bytes, *, keep: bool) -> str:
    """Take the capture of a recording along: its bytes are the same, the recording's name and digest are new.

    Give what is wrong with it.
    """
    old = file.capture()
    new = target.capture()
    if not old or not new:
        return ""
    try:
        kept = old.read()
        if kept is None:
            return ""
        found = captures.loads(kept)
    except ValueError as e:
        return f"{old}: left alone: {e}"
    if found.recording == captures.digest(_read(file)):
        new.write(captures.dumps(replace(found, recording=captures.digest(data))), replace=True)
    if not keep:
        old.remove()
    return ""
