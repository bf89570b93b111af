"""The commands that look at recordings: show, verify and convert. Files in, lines out.

Each function returns the exit code, and raises ``StoreUnavailableError`` where a bucket cannot be asked.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from wiretape import recording
from wiretape.cli.console import complain, out, out_text, progress
from wiretape.cli.files import File, Source
from wiretape.cli.files_on_disk import OnDisk
from wiretape.codecs.units import counted, usd
from wiretape.exceptions import NotARecordingError, NotHttpError, StoreUnavailableError
from wiretape.library import shortening, transcript, verify
from wiretape.library.costs import RecordingCosts
from wiretape.providers import wire
from wiretape.recording import Recording
from wiretape.recording import capture as captures

_CAPTURE = "capture"
"""Stands for the form of a capture, which is not a recording."""


def verify_all(source: Source) -> int:
    """Verify every recording: a line for each fault on stdout, a summary on stderr. Return 1 where there is a fault."""
    forms: Counter[str] = Counter()
    faults = 0
    files = source.files(captures=True)
    for file, found in zip(files, progress(source.mapped(report, files), len(files), "checking"), strict=True):
        if found is None:
            continue
        form, its_faults = found
        forms[form or "unreadable"] += 1
        for fault in its_faults:
            faults += 1
            out(f"{file}: {fault}")
    captured = forms.pop(_CAPTURE, 0)
    counts = [f"{count:,} {form}" for form, count in sorted(forms.items())]
    if captured:
        counts.append(counted(captured, _CAPTURE))
    complain(f"{source}: {', '.join(counts) or 'no recordings'}; {counted(faults, 'fault')}")
    if faults:
        return 1
    return 0


def report(file: File) -> tuple[str | None, tuple[str, ...]] | None:
    """Return the form of a file and its faults, or None for a capture that is not there."""
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
    verified = verify.verify(file.name, data)
    return verified.form, verified.faults


def _read(file: File) -> bytes:
    data = file.read()
    if data is None:
        raise FileNotFoundError(2, os.strerror(2), str(file))
    return data


def _answer(recorded: Recording) -> str:
    response = recorded.response
    if response.error is not None:
        return f"error {response.error.get('status_code') or response.error.get('type')}"
    if response.is_streaming:
        return counted(len(response.elements()) or len(response.body), "chunk")
    return "one piece"


def show(name: str, source: Source, costs: RecordingCosts, *, full: bool = False) -> int:
    """Show a recording to people: the request, the answer, its cost, who recorded it. Long texts and images are cut."""
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
            recorded = recording.loads(data)
        except StoreUnavailableError:
            raise
        except (OSError, ValueError) as e:
            complain(f"{file}: {e}")
            code = 1
            continue
        out(f"{file}")
        request = recorded.request
        out(f"  {recorded.form} form, {request.method} {request.sent_url}")
        out(f"  {request.model or 'no model'}, {_answer(recorded)}, {counted(wire.tokens(recorded), 'token')}")
        for line in _billed(file, recorded, costs):
            out(f"  {line}")
        for line in _made(file, data):
            out(f"  {line}")
        body = request.body
        text = transcript.text(recorded)
        shown_body = body
        shown_text = text
        if not full:
            shown_body = shortening.shortened(body)
            shown_text = shortening.text(text)
        out("asked:")
        out_text(json.dumps(shown_body, indent=2, ensure_ascii=False))
        out("answered:")
        out_text(shown_text)
        if shown_body != body or shown_text != text:
            complain("wiretape: long texts are cut: --full shows all")
    return code


def _billed(file: File, recorded: Recording, costs: RecordingCosts) -> Iterator[str]:
    """Yield what the answer says of its tokens, and what they cost."""
    usage, _ = wire.usage(recorded.request, recorded.response)
    numbers = {name: number for name, number in asdict(usage).items() if isinstance(number, int) and number}
    told = [f"{number:,} {name.replace('_', ' ')}" for name, number in numbers.items()]
    if not told or recorded.response.error is not None:
        return
    cost = costs.of(recorded.request, usage, file.written() or time.time())
    price = "of no known price" if cost is None else usd(cost)
    yield f"tokens: {', '.join(told)}: {price}"


def _made(file: File, data: bytes) -> Iterator[str]:
    """Yield who recorded it and how, as its capture tells."""
    beside = file.capture()
    if not beside:
        return
    try:
        kept = beside.read()
        if kept is None:
            return
        capture = captures.loads(kept)
    except StoreUnavailableError:
        raise
    except (OSError, ValueError) as e:
        yield f"who recorded it cannot be told: {e}"
        return
    origin = capture.origin
    if origin:
        by = ""
        if origin.by:
            by = f" by {origin.by}"
        yield f"recorded {origin.at}{by}, in {origin.took:,.0f} ms, with wiretape {origin.wiretape}"
        if origin.client:
            yield f"for {origin.client}"
        if capture.recording != captures.digest(data):
            yield "changed since"


@dataclass(frozen=True, slots=True)
class Conversion:
    """What ``convert`` is asked to do."""

    source: Source
    form: str
    output: Path | None
    """Where the new files go. None means beside the old ones, which are then removed."""


@dataclass(frozen=True, slots=True)
class _Converted:
    """What became of a file."""

    said: str = ""
    complaints: tuple[str, ...] = ()
    has_failed: bool = False


def convert(wanted: Conversion) -> int:
    """Write every recording in another form: a line for each on stdout. Return 1 where one could not be written."""
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
        old = recording.loads(_read(file))
    except StoreUnavailableError:
        raise
    except (OSError, ValueError) as e:
        return _Converted("", (f"{file}: left alone: {e}",), not isinstance(e, NotHttpError))
    if old.form == form and output is None:
        return _Converted()
    new = old
    if old.form != form:
        new = _in_form(old, form)
    name = new.name
    _, _, take = file.name.rpartition(".")
    if take.isdigit():
        name += f".{take}"
    target = file.named(name, output)
    data = recording.dumps(new)
    if str(target) == str(file) or not target.write(data, replace=False):
        return _Converted("", (f"{file}: left alone: {target} is there already",), True)
    problem = _convert_capture(file, target, data, keep=output is not None)
    if output is None:
        file.remove()
    complaints: tuple[str, ...] = ()
    if problem:
        complaints = (problem,)
    return _Converted(f"{file} -> {target}", complaints)


def _in_form(old: Recording, form: str) -> Recording:
    request = old.request
    if form != "2026":
        request = replace(request, test_id=None, extra={})
    return recording.make(request, recording.as_it_came(old), form)


def _convert_capture(file: File, target: File, data: bytes, *, keep: bool) -> str:
    """Take the capture of a recording along. Its bytes stay; the name and the digest of the recording are new.

    Return what is wrong with it; empty for nothing.
    """
    old = file.capture()
    new = target.capture()
    if not old or not new:
        return ""
    try:
        kept = old.read()
        if kept is None:
            return ""
        capture = captures.loads(kept)
    except ValueError as e:
        return f"{old}: left alone: {e}"
    if capture.recording == captures.digest(_read(file)):
        new.write(captures.dumps(replace(capture, recording=captures.digest(data))), replace=True)
    if not keep:
        old.remove()
    return ""
