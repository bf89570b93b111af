"""``wiretape redact`` cleans a store that is older than a rule. First comes the plan, then the doing.

A recording keeps its name unless its request has a secret, because the name is a hash of the request. Then it gets the
name of the clean request, under which it is found as all others are; where that is taken, as a further take. Its
capture goes along. The plan contains no secret, and can be carried out again if it was interrupted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from rich.table import Table
from rich.text import Text

from wiretape import recording
from wiretape.cli.console import complain, console, say
from wiretape.cli.files import File, Source
from wiretape.codecs import json_text
from wiretape.codecs.units import counted
from wiretape.exceptions import NotHttpError, StoreUnavailableError
from wiretape.library import verify
from wiretape.matching import request
from wiretape.recording import Recording
from wiretape.recording import capture as captures
from wiretape.recording.capture import Capture
from wiretape.redaction import Finding, Redactor, bodies, recorded
from wiretape.tape.names import disambiguated_name

_CAPTURE = "capture"


class CleaningOutcome(Enum):
    """What becomes of a file that has a secret."""

    CLEANED = "cleaned"
    FROZEN = "left alone: the session is frozen"


@dataclass(frozen=True, slots=True)
class CleaningStep:
    """A recording with its capture, or a capture without a recording."""

    file: File
    target: File
    digest: str
    """The digest of the file's bytes when they were looked at."""
    findings: tuple[Finding, ...]
    outcome: CleaningOutcome

    @property
    def is_renamed(self) -> bool:
        """Whether the key of the request changes."""
        return str(self.file) != str(self.target)


@dataclass(frozen=True, slots=True)
class CleaningPlan:
    """What cleaning would do."""

    steps: tuple[CleaningStep, ...]
    broken: tuple[str, ...]
    """The files that cannot be looked into, with the reason."""


def redact(source: Source, redactor: Redactor, *, apply: bool) -> int:
    """Clean what is there, or tell what would be done. Return 1 where a secret is left."""
    wanted = plan(source, redactor)
    for problem in wanted.broken:
        complain(problem)
    if wanted.steps:
        console().print(_table(wanted))
    cleanable = [step for step in wanted.steps if step.outcome is CleaningOutcome.CLEANED]
    left = len(wanted.steps) - len(cleanable)
    if not apply:
        renamed = sum(step.is_renamed for step in cleanable)
        files = counted(len(cleanable), "file")
        say(f"{source}: {files} to clean, {renamed:,} of them to get a new name; {left:,} frozen")
        if cleanable:
            say("nothing is done yet: add --apply")
        if wanted.steps or wanted.broken:
            return 1
        return 0
    for step in cleanable:
        carry_out(step, redactor)
    say(f"{source}: {counted(len(cleanable), 'file')} cleaned, {left:,} left alone in frozen sessions")
    if left or wanted.broken:
        return 1
    return 0


def _table(wanted: CleaningPlan) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("file", "where", "detector", "then"):
        table.add_column(heading, overflow="fold")
    for step in wanted.steps:
        then = "keeps its name"
        if step.is_renamed:
            then = f"is {step.target.name}"
        if step.outcome is not CleaningOutcome.CLEANED:
            then = step.outcome.value
        for finding in dict.fromkeys(step.findings):
            cells = (str(step.file), finding.path, finding.detector, then)
            table.add_row(*map(_cell, cells))
    return table


def _cell(text: str) -> Text:
    """Return a cell without markup, and without anything that a terminal obeys: files of others tell some of it."""
    if not text.isprintable():
        text = ascii(text)
    return Text(text)


# -- the plan ----------------------------------------------------------------------------------------------------------


def plan(source: Source, redactor: Redactor) -> CleaningPlan:
    """Return what has to be done. Raises StoreUnavailableError where a bucket cannot be asked."""
    steps: list[CleaningStep] = []
    broken: list[str] = []
    taken: set[str] = set()
    seen: set[str] = set()
    files = source.files(captures=True)
    for file in [*(each for each in files if not each.is_capture), *(each for each in files if each.is_capture)]:
        if str(file) in seen:
            continue
        beside = file.capture()
        if beside and not file.is_capture:
            seen.add(str(beside))
        try:
            step = _step(file, redactor, taken)
        except StoreUnavailableError:
            raise
        except (OSError, ValueError, RecursionError) as e:
            broken.append(f"{file}: left alone: {e}")
            continue
        if step:
            taken.add(str(step.target))
            steps.append(step)
    return CleaningPlan(tuple(steps), tuple(broken))


def _step(file: File, redactor: Redactor, taken: set[str]) -> CleaningStep | None:
    data = file.read()
    if data is None:
        return None
    target = file
    if file.is_capture:
        findings = [*_in_capture(captures.loads(data), redactor)]
    else:
        try:
            old = recording.loads(data)
        except NotHttpError as e:
            if any(redactor.find(json_text.loads(data))):
                raise ValueError(f"a secret is in it, which can be taken out by hand: {e}") from e
            return None
        findings = [*recorded.findings(json_text.loads(data), old, redactor)]
        if findings:
            target = _target(file, old, _clean(old, redactor), taken)
        capture = _capture(file)
        if capture:
            findings += _in_capture(capture, redactor)
    if not findings:
        return None
    outcome = CleaningOutcome.CLEANED
    if file.is_frozen:
        outcome = CleaningOutcome.FROZEN
    return CleaningStep(file, target, captures.digest(data), tuple(findings), outcome)


def _capture(file: File) -> Capture | None:
    """Return the capture of a recording, or None where none can be read. Raises OSError."""
    beside = file.capture()
    data = None
    if beside:
        data = beside.read()
    if data is None:
        return None
    return captures.loads(data)


def _in_capture(capture: Capture, redactor: Redactor) -> Iterator[Finding]:
    pieces = capture.chunks or ()
    text = b"".join(pieces).decode("utf-8", "surrogateescape")
    for span in bodies.secrets(text, redactor):
        yield Finding(_CAPTURE, span.detector)
    for finding in redactor.find(capture.beside):
        yield Finding(_CAPTURE, finding.detector)


def _target(file: File, old: Recording, new: Recording, taken: set[str]) -> File:
    """Return the file that a cleaned recording becomes."""
    base, _, number = file.name.rpartition(".")
    has_number = bool(base) and number.isdecimal()
    if new.name == old.name or not verify.is_name(file.name, old):
        return file
    identity = request.identity(new.request)
    base = new.name
    there = file.named(base, None).read()
    if there is not None and not _is_of(there, identity):
        base = disambiguated_name(base, identity)
    name = base
    count = 1
    if has_number:
        name = f"{base}.{number}"
        count = int(number)
    while not _is_free(file.named(name, None), new, taken):
        count += 1
        name = f"{base}.{count}"
    return file.named(name, None)


def _is_of(data: bytes, identity: str) -> bool:
    try:
        return request.is_stored(recording.read_request(data), identity)
    except ValueError:
        return False


def _is_free(target: File, new: Recording, taken: set[str]) -> bool:
    if str(target) in taken:
        return False
    there = target.read()
    # It is the same recording where an earlier run was interrupted.
    return there is None or there == recording.dumps(new)


# -- the doing ---------------------------------------------------------------------------------------------------------


def carry_out(step: CleaningStep, redactor: Redactor) -> None:
    """Clean a recording and its capture: the new files are written first, then the old ones go.

    Raises OSError, and ValueError where the file has changed.
    """
    data = step.file.read()
    if data is None or captures.digest(data) != step.digest:
        raise ValueError(f"{step.file} was written anew meanwhile: ask again")
    if step.file.is_capture:
        _write(step.file, captures.dumps(_clean_capture(captures.loads(data), redactor)))
        return
    old = recording.loads(data)
    cleaned = data
    if any(recorded.findings(json_text.loads(data), old, redactor)):
        cleaned = recording.dumps(_clean(old, redactor))
    capture = _capture(step.file)
    _write(step.target, cleaned)
    beside_target = step.target.capture()
    if capture and beside_target:
        if capture.recording == captures.digest(data):
            capture = replace(capture, recording=captures.digest(cleaned))
        _write(beside_target, captures.dumps(_clean_capture(capture, redactor)))
    if step.is_renamed:
        beside = step.file.capture()
        if beside:
            beside.remove()
        step.file.remove()


def _clean(old: Recording, redactor: Redactor) -> Recording:
    cleaned = recorded.clean(old, redactor)
    if cleaned.request is old.request:
        return cleaned  # It keeps its name, which an older version may have made.
    # The ids in an answer of the 2026 form depend on the hash of the request.
    new = recording.make(cleaned.request, recording.as_it_came(cleaned), cleaned.form)
    return replace(cleaned, response=new.response, extra={**cleaned.extra, **new.extra})


def _clean_capture(capture: Capture, redactor: Redactor) -> Capture:
    pieces = None
    if capture.chunks is not None:
        pieces = (*bodies.cleaned(capture.chunks, redactor),)
    headers = tuple((name, str(redactor.clean({name: value})[name])) for name, value in capture.headers)
    origin = capture.origin
    if origin:
        origin = replace(origin, by=redactor.text(origin.by), client=redactor.text(origin.client))
    return replace(capture, chunks=pieces, headers=headers, origin=origin)


def _write(target: File, data: bytes) -> None:
    if not target.write(data, replace=True):
        raise OSError(f"{target}: others write there just now: ask again")
