"""A session's recordings, taken over into another: first the plan, then the doing. Over a store, beside the tape.

Afterwards the other session answers each of these requests as the first one does. What else it holds stays. A part of
a plan is a plan, too: what is left out of it stays as it is in both sessions.
"""

import hashlib
import json
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

from wiretape import redaction
from wiretape.exceptions import NotARecordingError
from wiretape.library import compare, parallel, verify
from wiretape.library.compare import Contents, Key, Take
from wiretape.library.ledger import Ledger
from wiretape.library.parallel import Watch, unwatched
from wiretape.recording import capture as captures
from wiretape.store.base import RESPONSES, WIRE, Store
from wiretape.store.directory import DirectoryStore
from wiretape.store.freezing import is_frozen
from wiretape.tape.names import disambiguated_name


@dataclass(frozen=True, slots=True)
class PromotionStep:
    """The takes of one request."""

    label: str
    copies: tuple[tuple[Take, str], ...]
    """What is copied, and under which name."""
    old: tuple[Take, ...] = ()
    """Those that the other session has of the same request."""
    broken: tuple[str, ...] = ()
    """Names of files of the other session that are no recordings, and stand where copies go."""
    difference: str = ""
    """How the answers differ, theirs first, where there were some."""
    faults: tuple[str, ...] = ()
    """Why it may not be done."""

    @property
    def replaced(self) -> tuple[str, ...]:
        """The names that the other session has, and will not have any more as they are."""
        return (*(take.name for take in self.old), *self.broken)

    @property
    def mark(self) -> str:
        """A text that is another one as soon as what is copied, or what it replaces, is."""
        what = [[take.name, take.data, name] for take, name in self.copies]
        instead_of = [[take.name, take.data] for take in self.old]
        return hashlib.sha256(json.dumps([what, instead_of, self.broken]).encode()).hexdigest()[:32]

    @property
    def removed(self) -> tuple[str, ...]:
        """The names that the other session had, and that are not written anew."""
        written = {name for _, name in self.copies}
        return tuple(name for name in self.replaced if name not in written)


@dataclass(frozen=True, slots=True)
class PromotionPlan:
    """What a promotion would do."""

    source: str
    target: str
    steps: tuple[PromotionStep, ...]
    same: int
    """Requests that both answer the same."""
    problems: tuple[str, ...]
    """Why nothing of it may be done, whatever is left out."""

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why it may not be done; empty where it may."""
        return (*self.problems, *(fault for step in self.steps for fault in step.faults))

    def only(self, marks: Collection[str]) -> Self:
        """Return the part of the plan that has these marks."""
        return replace(self, steps=tuple(step for step in self.steps if step.mark in marks))


def plan(store: Store, source: str, target: str, watch: Watch = unwatched) -> PromotionPlan:
    """Return what is to be done, and whether it may be: not into a frozen session, nor with what ``verify`` faults.

    Only the source's own recordings are looked at, not those of its layers. Raises OSError where the store fails.
    """
    ours = compare.contents(store, source, watch)
    theirs = compare.contents(store, target, watch)
    problems = [f"session {target} is frozen"] if is_frozen(store, target) else []
    if source == target:
        problems.append(f"{source} is to be promoted into itself")
    problems += [f"{store.where(source, name)}: {problem}" for name, problem in ours.broken.items()]
    owners = theirs.owners()
    keys = [key for key, takes in ours.takes.items() if not compare.is_same(takes, theirs.takes.get(key, ()))]
    steps = [_step(store, key, ours, theirs, owners) for key in keys]
    found = _all_faults(store, source, [take for step in steps for take, _ in step.copies], watch)
    checked = [
        replace(step, faults=(*_taken(store, target, key, step, owners), *_faults_of(step, found)))
        for key, step in zip(keys, steps, strict=True)
    ]
    return PromotionPlan(source, target, (*checked,), len(ours.takes) - len(keys), (*problems,))


def _taken(store: Store, target: str, key: Key, step: PromotionStep, owners: Mapping[str, Key | None]) -> Iterator[str]:
    for _, name in step.copies:
        if owners.get(name, key) not in (key, None):
            yield f"{store.where(target, name)}: is another request's, and so is its second name"


def _faults_of(step: PromotionStep, found: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for take, _ in step.copies:
        yield from found[take.name]


def _step(store: Store, key: Key, ours: Contents, theirs: Contents, owners: Mapping[str, Key | None]) -> PromotionStep:
    takes = ours.takes[key]
    old = theirs.takes.get(key, ())
    difference = compare.explain(store, (theirs.session, old), (ours.session, takes)) if old else ""
    names = tuple(_free_name(take.name, key, owners) for take in takes)
    # A file that is no recording can serve no one.
    broken = [name for name in names if owners.get(name, key) is None]
    if broken and not old:
        difference = f"no recording: {theirs.broken[broken[0]]}"
    copies = tuple(zip(takes, names, strict=True))
    return PromotionStep(takes[0].label, copies, (*old,), (*broken,), difference)


def _free_name(name: str, key: Key, owners: Mapping[str, Key | None]) -> str:
    """Return the name itself, or the one that a recorder would choose where another request has it."""
    base, dot, take = name.rpartition(".")
    suffix = f".{take}"
    if not (dot and take.isdecimal()):
        base = name
        suffix = ""
    if owners.get(base, key) in (key, None) and owners.get(name, key) in (key, None):
        return name
    return disambiguated_name(base, key[0]) + suffix


def _all_faults(store: Store, session: str, takes: Sequence[Take], watch: Watch) -> dict[str, list[str]]:
    """Return what ``verify`` faults in what is to be copied, by its name.

    What was found sound before, and is as it was, is looked through for values of the environment alone, which may be
    others now.
    """
    ledger = Ledger(store, f"{session}#sound", len(takes))
    states: dict[str, Hashable] = {}
    if isinstance(store, DirectoryStore):
        states = {take.name: (take.data, store.state(session, take.name, WIRE)) for take in takes}
    known = ledger.known(states)
    names = [take.name for take in takes]
    items = [(name, name in known) for name in names]
    of = store.bare() if isinstance(store, DirectoryStore) else store
    work = partial(_faults, of, session)
    mapped = parallel.mapped(work, items) if isinstance(store, DirectoryStore) else map(work, items)
    found: dict[str, list[str]] = {}
    sound: dict[str, list[str]] = {}
    for name, faults in zip(names, watch(mapped, len(names), "checking"), strict=True):
        found[name] = faults
        if not faults and name in states and name not in known:
            sound[name] = []
    ledger.keep(sound, states)
    return found


def _faults(store: Store, session: str, item: tuple[str, bool]) -> list[str]:
    name, was_sound = item
    if was_sound:
        files = (store.read(session, name, folder) for folder in (RESPONSES, WIRE))
        if not any(redaction.DEFAULT.holds_variable(data) for data in files if data):
            return []
    return [*_each_fault(store, session, name)]


def _each_fault(store: Store, session: str, name: str) -> Iterator[str]:
    for fault in verify.verify(name, store.read(session, name) or b"").faults:
        yield f"{store.where(session, name)}: {fault}"
    try:
        data = store.read(session, name, WIRE)
    except NotARecordingError as e:
        yield f"{store.where(session, name, WIRE)}: {e}"
        return
    if data is not None:
        for fault in verify.verify_capture(data):
            yield f"{store.where(session, name, WIRE)}: {fault}"


def carry_out(store: Store, wanted: PromotionPlan) -> None:
    """Do it, each file whole or not at all; asked again after it was cut off, it does the rest.

    Raises ValueError for a plan that is refused, and where the source is not as it was; OSError where the store fails.
    """
    if wanted.refusals:
        raise ValueError(wanted.refusals[0])
    for step in wanted.steps:
        _copy(store, wanted, step.copies)
        for name in step.removed:
            store.remove(wanted.target, name)
            store.remove(wanted.target, name, WIRE)


def _copy(store: Store, wanted: PromotionPlan, copies: Sequence[tuple[Take, str]]) -> None:
    for take, name in copies:
        data = store.read(wanted.source, take.name)
        if data is None or captures.digest(data) != f"sha256:{take.data}":
            # What stands there now was not looked at: a secret may be in it.
            raise ValueError(f"{store.where(wanted.source, take.name)} was recorded anew meanwhile: ask again")
        capture = _capture(store, wanted.source, take)
        _write(store, wanted.target, name, data)
        if capture is not None:
            _write(store, wanted.target, name, capture, WIRE)
        else:
            store.remove(wanted.target, name, WIRE)


def _capture(store: Store, session: str, take: Take) -> bytes | None:
    """Return the capture of a take, where it is still of these bytes."""
    data = store.read(session, take.name, WIRE)
    if data is None or verify.verify_capture(data):
        return None
    return data if captures.loads(data).recording == f"sha256:{take.data}" else None


def _write(store: Store, session: str, name: str, data: bytes, folder: str = RESPONSES) -> None:
    if not store.write(session, name, data, replace=True, folder=folder):
        raise OSError(f"{store.where(session, name, folder)}: others write there just now: ask again")
