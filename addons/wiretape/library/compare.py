"""What a session holds, by what was asked; how two sessions differ. Over a store, beside the tape.

A recording is known by its request, not by its file's name: it is the same one under another name and in another form.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from wiretape import recording as recordings
from wiretape.exceptions import NotHttpError
from wiretape.library import parallel, transcript
from wiretape.library.ledger import Ledger
from wiretape.library.parallel import Watch, unwatched
from wiretape.matching import request
from wiretape.recording import JSON, Recording
from wiretape.store.base import Store
from wiretape.store.directory import DirectoryStore

_SHOWN = 60
"""Characters of an answer that a difference shows."""

_BEFORE = 20
"""So many of them before the place where it begins."""

type Key = tuple[str, str]
"""The request's identity, and the test that it was recorded for (empty for none)."""


@dataclass(frozen=True, slots=True)
class Take:
    """One recording of a request."""

    name: str
    label: str = field(compare=False)
    """Endpoint and model, for people."""
    data: str
    """Digest of the file's bytes."""
    form: str
    said: str
    """Digest of the response."""
    quiet: str
    """Digest of the response without what changes from run to run."""

    def says_as(self, other: "Take") -> bool:
        """Return whether both answer the same; where the forms differ, but for what one of them leaves out."""
        if self.form == other.form:
            return self.said == other.said
        return self.quiet == other.quiet


@dataclass(frozen=True, slots=True)
class Contents:
    """A session's recordings."""

    session: str
    takes: Mapping[Key, tuple[Take, ...]]
    """Of each request, in order."""
    broken: Mapping[str, str]
    """The names of files that are no recordings, and what is wrong with them."""

    def owners(self) -> dict[str, Key | None]:
        """Return every name, and whose it is; None for a file that is no recording."""
        owners: dict[str, Key | None] = dict.fromkeys(self.broken)
        return owners | {take.name: key for key, takes in self.takes.items() for take in takes}


def contents(store: Store, session: str, watch: Watch = unwatched) -> Contents:
    """Read a session. Raises OSError where the store or a file cannot be read; what is no recording is broken."""
    takes: dict[Key, list[Take]] = {}
    broken: dict[str, str] = {}
    states = store.scan(session)
    names = sorted(states, key=_place)
    ledger = Ledger(store, f"{session}#contents", len(names))
    known = {name: tuple(texts) for name, texts in ledger.known(states).items()}
    new = [name for name in names if name not in known]
    work = partial(_read, store.bare() if isinstance(store, DirectoryStore) else store, session)
    mapped = parallel.mapped(work, new) if isinstance(store, DirectoryStore) else map(work, new)
    learned = {
        name: read for name, read in zip(new, watch(mapped, len(new), f"reading {session}"), strict=True) if read
    }
    ledger.keep({name: read for name, read in learned.items() if len(read) > 1}, states)
    for name in names:
        match known.get(name) or learned.get(name) or ():
            case (problem,):
                broken[name] = problem
            case (identity, test_id, *take):
                takes.setdefault((identity, test_id), []).append(Take(name, *take))
    return Contents(session, {key: tuple(each) for key, each in takes.items()}, broken)


def _read(store: Store, session: str, name: str) -> tuple[str, ...]:
    """Return a recording's key and its take but for the name, as texts; or what is wrong with it; nothing for none."""
    try:
        if (data := store.read(session, name)) is None:
            return ()
        recording = recordings.loads(data)
        take = _take(name, data, recording)
        identity = request.stored_identity(recording.request)
    except NotHttpError:
        return ()  # It answers nobody, here or anywhere.
    except ValueError as e:
        return (str(e),)
    return identity, recording.request.test_id or "", take.label, take.data, take.form, take.said, take.quiet


def _place(name: str) -> tuple[str, int]:
    """Return what names are sorted by: the takes of a name stand after it, and the tenth after the ninth."""
    base, dot, take = name.rpartition(".")
    return (base, int(take)) if dot and take.isdecimal() else (name, 1)


def _take(name: str, data: bytes, recording: Recording) -> Take:
    quiet = recordings.make(recording.request, recording.response, "2026") if recording.form != "2026" else recording
    label = recording.request.label
    return Take(name, label, _digest(data), recording.form, _said(recording), _said(quiet))


def _said(recording: Recording) -> str:
    said = recording.response
    content: JSON = [said.body, said.is_streaming, said.error, said.status, said.content_type]
    if said.location or said.tail or said.envelope is not None:
        content += [said.location, said.envelope, *said.tail]
    return _digest(json.dumps(content, sort_keys=True).encode())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class TakeDifference:
    """What is in one session alone, in the other alone, and in both with other answers."""

    only_first: tuple[Key, ...]
    only_second: tuple[Key, ...]
    changed: tuple[Key, ...]
    same: int

    def __bool__(self) -> bool:
        return bool(self.only_first or self.only_second or self.changed)


def compare(first: Contents, second: Contents) -> TakeDifference:
    """Return how two sessions differ, in the order of the first one's names. Only recordings count."""
    both = [key for key in first.takes if key in second.takes]
    changed = tuple(key for key in both if not is_same(first.takes[key], second.takes[key]))
    return TakeDifference(
        tuple(key for key in first.takes if key not in second.takes),
        tuple(key for key in second.takes if key not in first.takes),
        changed,
        len(both) - len(changed),
    )


def is_same(first: Sequence[Take], second: Sequence[Take]) -> bool:
    """Return whether the takes of a request say the same, one by one."""
    return len(first) == len(second) and all(one.says_as(two) for one, two in zip(first, second, strict=True))


def explain(store: Store, first: tuple[str, Sequence[Take]], second: tuple[str, Sequence[Take]]) -> str:
    """Say how the takes of a request differ in two sessions, each given with its takes, in a line.

    Raises OSError, and ValueError where a recording has gone or was broken meanwhile.
    """
    session, ours = first
    other, theirs = second
    if len(ours) != len(theirs):
        return f"{_count(len(ours), 'take')} -> {_count(len(theirs), 'take')}"
    one, two = next((one, two) for one, two in zip(ours, theirs, strict=True) if not one.says_as(two))
    before = recordings.loads(store.read(session, one.name) or b"")
    after = recordings.loads(store.read(other, two.name) or b"")
    if _kind(before) != _kind(after):
        return f"{_kind(before)} -> {_kind(after)}"
    here = transcript.text(before)
    there = transcript.text(after)
    if here != there:
        differing = (at for at, (a, b) in enumerate(zip(here, there, strict=False)) if a != b)
        start = max(0, next(differing, min(len(here), len(there))) - _BEFORE)
        return f"{_cut(here, start)} -> {_cut(there, start)}"
    return "the same words; ids, times or other fields differ"


def _kind(recording: Recording) -> str:
    response = recording.response
    if response.error is not None:
        return f"error {response.error.get('status_code') or response.error.get('type')}"
    return f"status {response.status}" if response.status not in (None, 200) else "answer"


def _cut(text: str, start: int) -> str:
    shown = text[start : start + _SHOWN]
    return json.dumps(f"{'…' if start else ''}{shown}{'…' if start + _SHOWN < len(text) else ''}", ensure_ascii=False)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
