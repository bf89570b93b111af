"""What ``wiretape session`` does. A store and a configuration in, lines out.

Each function returns the exit code: 0, or 1 where ``diff`` found a difference or ``--yes`` is missing. Each raises
ValueError and OSError, whose text is for people, where it may not or cannot be done.
"""

import getpass
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from wiretape import config
from wiretape.cli.console import add_row, console, out, progress, say
from wiretape.cli.files import largest
from wiretape.codecs.units import counted
from wiretape.library import compare, promotion
from wiretape.library.promotion import PromotionPlan, PromotionStep
from wiretape.sessions.model import Sessions, check_name
from wiretape.store import freezing
from wiretape.store.base import RESPONSES, WIRE, Store
from wiretape.store.directory import DirectoryStore
from wiretape.store.freezing import Frozen
from wiretape.store.opening import is_url, open_store

NOT_DONE = 1


@dataclass(frozen=True, slots=True)
class Library:
    """All sessions: what they contain, and what the configuration says about them."""

    store: Store
    sessions: Sessions

    def existing(self, name: str) -> str:
        """Return the name of a session that has recordings. Raises ValueError, which lists those that have."""
        there = self.store.sessions()
        if check_name(name) not in there:
            raise ValueError(f"no session {name} below {self.store.url}; there are {', '.join(there) or 'none'}")
        return name

    def known(self, name: str) -> str:
        """Return the name of a session that has recordings or is configured. Raises ValueError."""
        if check_name(name) in self.sessions.names:
            return name
        return self.existing(name)

    def frozen(self, name: str) -> str:
        """Return how a session is frozen, in words; empty where it is not."""
        if self.sessions.get(name).frozen:
            return "frozen by the configuration"
        mark = freezing.mark(self.store, name)
        if not mark:
            return ""
        return str(mark)


def open_library(recordings: str, config_file: Path | None, local: str = "") -> Library:
    """Return the sessions below a directory or in a bucket. Raises ValueError and OSError.

    ``local``: the folder on this machine for what is found out about them; by default in the user's cache.
    """
    if not is_url(recordings) and not Path(recordings).expanduser().is_dir():
        raise ValueError(f"{recordings} is no directory: name that of all sessions with --recordings")
    if not is_url(recordings):
        recordings = str(Path(recordings).expanduser())
    # Without a spool: a command that has ended must have done what it says.
    folder = Path(local).expanduser() if local else None
    store = open_store(recordings, local=folder, spool=0, largest=largest())
    sessions = Sessions()
    if config_file:
        sessions = _configured(config_file)
    return Library(store, sessions)


def _configured(file: Path) -> Sessions:
    return config.read(file).sessions()


def list_all(library: Library) -> int:
    """Print a line for each session."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("session", no_wrap=True)
    table.add_column("recordings", justify="right")
    for heading in ("mode", "layers", "frozen"):
        table.add_column(heading, overflow="fold")
    for name in sorted({*library.store.sessions(), *library.sessions.names}):
        try:
            check_name(name)
        except ValueError as e:
            say(f"passed over: {e}")
            continue
        said = library.sessions.get(name)
        count = f"{len(library.store.scan(name)):,}"
        add_row(table, name, count, said.mode or "", ", ".join(said.layers), library.frozen(name))
    console().print(table)
    return 0


def show(library: Library, name: str) -> int:
    """Print what a session contains, and what the configuration says about it."""
    held = compare.contents(library.store, library.known(name), progress)
    out(f"session {name}: {library.store.where(name)}")
    out(f"  {_held(library.store, name)}, {counted(len(held.takes), 'request')}")
    out(f"  {library.frozen(name) or 'not frozen'}")
    order = library.sessions.order(name)
    if len(order) > 1:
        out(f"  looked up in {', then '.join(order)}")
    above = library.sessions.above(name)
    if above:
        out(f"  below {', '.join(above)}")
    for key, value in library.sessions.get(name).words:
        out(f"  {key}: {value}")
    for label, number in sorted(Counter(take.label for takes in held.takes.values() for take in takes).items()):
        out(f"{number:6,}  {label}")
    for broken, problem in held.broken.items():
        say(f"{library.store.where(name, broken)}: {problem}")
    return 0


def diff(library: Library, first: str, second: str) -> int:
    """Print a line for each request that two sessions answer differently."""
    store = library.store
    ours, theirs = (compare.contents(store, library.known(name), progress) for name in (first, second))
    comparison = compare.compare(ours, theirs)
    for key in comparison.only_first:
        out(f"- {_named(ours.takes[key])}")
    for key in comparison.only_second:
        out(f"+ {_named(theirs.takes[key])}")
    for key in comparison.changed:
        explained = compare.explain(store, (first, ours.takes[key]), (second, theirs.takes[key]))
        out(f"~ {_named(ours.takes[key])}: {explained}")
    for each in (ours, theirs):
        for broken, problem in each.broken.items():
            say(f"{store.where(each.session, broken)}: not compared: {problem}")
    say(
        f"- {len(comparison.only_first)} only in {first}, + {len(comparison.only_second)} only in {second}, "
        f"~ {len(comparison.changed)} that differ, {comparison.same} the same"
    )
    if comparison:
        return 1
    return 0


def _named(takes: Sequence[compare.Take]) -> str:
    return f"{takes[0].name} {takes[0].label}"


def promote(library: Library, source: str, target: str, *, yes: bool) -> int:
    """Take the recordings of a session over into another."""
    if library.sessions.get(check_name(target)).frozen:
        raise ValueError(f"nothing is promoted: session {target} is frozen by the configuration")
    plan = promotion.plan(library.store, library.existing(source), target, progress)
    if plan.refusals:
        for refusal in plan.refusals:
            out(refusal)
        raise ValueError(f"nothing is promoted: {counted(len(plan.refusals), 'reason')} against it")
    out(_summary(plan))
    for step in plan.steps:
        out(_line(step))
    if not plan.steps:
        return 0
    if not yes:
        return _not_done()
    promotion.carry_out(library.store, plan)
    say(f"promoted into {library.store.where(target)}")
    return 0


def _summary(plan: PromotionPlan) -> str:
    replacing = sum(1 for step in plan.steps if step.replaced)
    return (
        f"promote {plan.source} into {plan.target}: {len(plan.steps) - replacing} new, {replacing} replaced, "
        f"{plan.same} the same already"
    )


def _line(step: PromotionStep) -> str:
    names = ", ".join(name for _, name in step.copies)
    if not step.replaced:
        return f"+ {names} {step.label}"
    removed = ""
    if step.removed:
        removed = f" (and {', '.join(step.removed)} removed)"
    return f"~ {names} {step.label}{removed}: {step.difference}"


def freeze(library: Library, name: str, *, yes: bool) -> int:
    """Freeze a session with a mark in the store."""
    library.existing(name)
    is_frozen = library.frozen(name)
    if is_frozen:
        out(f"session {name} is {is_frozen} already")
        return 0
    out(f"freeze session {name}, {_held(library.store, name)}: nothing is recorded in it any more, by anybody")
    if not yes:
        return _not_done()
    freezing.freeze(library.store, name, Frozen(_who(), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")))
    say(f"session {name} is frozen")
    return 0


def thaw(library: Library, name: str, *, yes: bool) -> int:
    """Remove the mark."""
    if library.sessions.get(check_name(name)).frozen:
        raise ValueError(f"session {name} is frozen by the configuration: take frozen = true out of [session.{name}]")
    is_frozen = library.frozen(name)
    if not is_frozen:
        library.existing(name)
        out(f"session {name} is not frozen")
        return 0
    out(f"thaw session {name}, {is_frozen}: it can be recorded in again")
    if not yes:
        return _not_done()
    freezing.thaw(library.store, name)
    say(f"session {name} is thawed")
    return 0


def remove(library: Library, name: str, *, yes: bool) -> int:
    """Remove a session with everything in it."""
    library.existing(name)
    is_frozen = library.frozen(name)
    if is_frozen:
        raise ValueError(f"session {name} stays: it is {is_frozen}; thaw it first")
    above = library.sessions.above(name)
    if above:
        raise ValueError(f"session {name} stays: it is a layer of {', '.join(above)}")
    others = _others(library.store, name)
    more = ""
    if others:
        more = f", {counted(len(others), 'other file')} ({', '.join(others[:5])})"
    out(f"remove session {name}, {_held(library.store, name)}{more}: {library.store.where(name)}")
    if not yes:
        return _not_done()
    if isinstance(library.store, DirectoryStore):
        shutil.rmtree(library.store.root / name)
    else:
        for recording in library.store.scan(name):
            # The recording tells that there may be a capture. So the capture goes first: this may be interrupted.
            library.store.remove(name, recording, WIRE)
            library.store.remove(name, recording)
    say(f"session {name} is removed")
    return 0


def _others(store: Store, name: str) -> list[str]:
    """Return the files in the folder of a session that are neither recordings nor captures."""
    if not isinstance(store, DirectoryStore):
        return []
    root = store.root / name
    files = (path.relative_to(root) for path in sorted(root.rglob("*")) if not path.is_dir())
    return [str(path) for path in files if path.parent.name not in (RESPONSES, WIRE) or path.suffix != ".json"]


def _held(store: Store, name: str) -> str:
    recordings = store.scan(name)
    captures = sum(store.exists(name, recording, WIRE) for recording in recordings)
    return f"{counted(len(recordings), 'recording')}, {counted(captures, 'capture')}"


def _not_done() -> int:
    say("nothing is done yet: add --yes to do it")
    return NOT_DONE


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""  # In some containers, the user has no name.
