"""Which recordings nobody asked for, by what became of calls in one or many runs; and how they go. Over a store.

A recording is used where a call was answered from it, or has made it. What was answered from a layer counts for the
session that has the recording, whichever was asked. Takes stay together: of a request of which one take was asked for
the others are used too, as the next run may need them, and so are the parts of a list of models.

Nothing is said of a session of which no run is known. A session is judged where calls came to it: that it has answered
as another one's layer does not tell what its own tests ask for. Who names it has it judged all the same.

    known = evidence(CallReader([log_file("recordings")]), since=0.0)
    found = find(compare.contents(store, "main"), known)
    remove(store, found)
"""

from collections.abc import Mapping
from dataclasses import dataclass

from wiretape.call_log.reader import CallReader
from wiretape.library.compare import Contents, Take
from wiretape.recording import capture as captures
from wiretape.store.base import WIRE, Store


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one or many runs."""

    runs: int
    calls: int
    first_at: float
    """When the first call came: seconds since 1970."""
    last_at: float
    asked: frozenset[str]
    """The sessions to which calls came."""
    used: Mapping[str, frozenset[str]]
    """The recordings that were asked for, or made, by the session that has them."""

    def judges(self, session: str) -> bool:
        """Return whether it is known what a session was asked for."""
        return session in self.asked

    def tells_of(self, session: str) -> bool:
        """Return whether anything at all is known of a session: calls to it, or that it answered as a layer."""
        return session in self.asked or session in self.used


def evidence(reader: CallReader, since: float) -> Evidence:
    """Return what is known of the runs whose last call came then or later. Raises OSError and ValueError as reading."""
    runs = [run for run in reader.runs() if run.last_at >= since]
    used: dict[str, set[str]] = {}
    for each in reader.recordings(runs=[run.run for run in runs]) if runs else ():
        # A report of a version that told no layer says nothing of where it was.
        for session in [each.session] if each.session else each.asked_by:
            used.setdefault(session, set()).add(each.recording)
    return Evidence(
        len(runs),
        sum(run.calls for run in runs),
        min((run.first_at for run in runs), default=0.0),
        max((run.last_at for run in runs), default=0.0),
        frozenset(session for run in runs for session in run.sessions),
        {session: frozenset(names) for session, names in used.items()},
    )


@dataclass(frozen=True, slots=True)
class UnusedRequest:
    """A request that nobody sent, with all its takes."""

    label: str
    takes: tuple[Take, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its recordings."""
        return tuple(take.name for take in self.takes)


@dataclass(frozen=True, slots=True)
class Unused:
    """What of a session nobody asked for."""

    session: str
    requests: tuple[UnusedRequest, ...]
    recordings: int
    """All that the session has."""
    gone: tuple[str, ...]
    """What was asked for and is not there any more."""
    broken: Mapping[str, str]
    """Files that are no recordings, and what is wrong with them: they are left alone."""

    @property
    def count(self) -> int:
        """How many recordings nobody asked for."""
        return sum(len(each.takes) for each in self.requests)


def find(contents: Contents, known: Evidence) -> Unused:
    """Return what of a session's recordings nobody asked for."""
    used = known.used.get(contents.session, frozenset())
    requests = tuple(
        UnusedRequest(takes[0].label, takes)
        for takes in contents.takes.values()
        if used.isdisjoint(take.name for take in takes)
    )
    there = {take.name for takes in contents.takes.values() for take in takes}
    gone = tuple(sorted(used - there - contents.broken.keys()))
    return Unused(contents.session, requests, len(there), gone, contents.broken)


def remove(store: Store, found: Unused) -> None:
    """Remove what nobody asked for, captures included; asked again after it was cut off, it does the rest.

    Raises ValueError where a recording is another by now, and OSError where the store fails.
    """
    for request in found.requests:
        # The last take first: what is left then is the takes from the first on, as they are looked up.
        for take in reversed(request.takes):
            data = store.read(found.session, take.name)
            if data is None:
                continue
            if captures.digest(data) != f"sha256:{take.data}":
                raise ValueError(f"{store.where(found.session, take.name)} was recorded anew meanwhile: ask again")
            # The recording tells that there may be a capture, so the capture goes first.
            store.remove(found.session, take.name, WIRE)
            store.remove(found.session, take.name)
