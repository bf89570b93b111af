"""What ``wiretape unused`` and ``wiretape prune`` do: recordings that nobody asked for, listed and removed.

Each function returns the exit code, and raises ValueError and OSError, whose text is for people.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from wiretape.call_log.places import log_file
from wiretape.call_log.reader import CallReader
from wiretape.cli.console import out, progress, say
from wiretape.cli.sessions import NOT_DONE, Library
from wiretape.codecs.units import counted, parse_age
from wiretape.library import compare, unused
from wiretape.library.unused import Evidence, Unused

FOUND = 1
"""The exit code where there are recordings that nobody asked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the two commands."""

    sessions: Sequence[str] = ()
    """Those alone; all of which a run is known where none is named."""
    calls: Sequence[Path] = ()
    """Reports and logs of calls; the log of this machine where none is named."""
    since: str = ""
    """Runs that ended then or later: a time of RFC 3339, or an age such as 30d; all where empty."""


def list_unused(library: Library, asked: Asked, *, as_json: bool = False) -> int:
    """Print the recordings that nobody asked for."""
    known = _evidence(library, asked)
    found = _found(library, asked, known)
    if as_json:
        sys.stdout.write(json.dumps(_as_json(known, found), indent=2) + "\n")
    else:
        _print(known, found)
    return FOUND if any(each.requests for each in found) else 0


def prune(library: Library, asked: Asked, *, yes: bool) -> int:
    """Remove them, where ``yes``; else say what would be removed."""
    known = _evidence(library, asked)
    found = []
    for each in _found(library, asked, known):
        is_frozen = library.frozen(each.session)
        if is_frozen and each.session in asked.sessions:
            raise ValueError(f"nothing is removed: session {each.session} is {is_frozen}; thaw it first")
        if is_frozen:
            say(f"session {each.session} stays as it is: it is {is_frozen}")
        else:
            found.append(each)
    _print(known, found)
    if not any(each.requests for each in found):
        return 0
    if not yes:
        say("nothing is done yet: add --yes to remove them, with their captures")
        return NOT_DONE
    for each in found:
        unused.remove(library.store, each)
    say(f"{counted(sum(each.count for each in found), 'recording is', 'recordings are')} removed")
    return 0


def _evidence(library: Library, asked: Asked) -> Evidence:
    """Return what is known of runs. Raises ValueError where that is nothing."""
    for file in asked.calls:
        if not file.is_file():
            raise ValueError(f"{file}: there is no such file")
    files = asked.calls or [log_file(library.store.url)]
    known = unused.evidence(CallReader(files), _since(asked.since))
    if not known.runs:
        where = "in these files" if asked.calls else f"of {library.store.url} on this machine"
        when = f" since {asked.since}" if asked.since else ""
        raise ValueError(
            f"no run is known {where}{when}, so nobody can tell what is unused: run the tests first (wiretape run), or "
            "name the reports of other runs with --calls (wiretape run --report jsonl FILE writes one)"
        )
    return known


def _since(text: str) -> float:
    if not text:
        return 0.0
    try:
        return datetime.now(UTC).timestamp() - parse_age(text)
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text)
    except ValueError as e:
        raise ValueError(f"--since: {text!r} is neither a time such as 2026-11-28 nor an age such as 30d") from e
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _found(library: Library, asked: Asked, known: Evidence) -> list[Unused]:
    return [
        unused.find(compare.contents(library.store, session, progress), known)
        for session in _judged(library, asked, known)
    ]


def _judged(library: Library, asked: Asked, known: Evidence) -> Iterable[str]:
    if not asked.sessions:
        for session in library.store.sessions():
            if known.judges(session):
                yield session
            else:
                say(f"session {session}: no run that asked it is known, so nothing is said of it")
    for session in dict.fromkeys(asked.sessions):
        if not known.tells_of(library.existing(session)):
            raise ValueError(f"no run is known that asked session {session}, so nobody can tell what of it is unused")
        yield session


def _print(known: Evidence, found: Sequence[Unused]) -> None:
    for each in found:
        for request in each.requests:
            out(f"{each.session}/{', '.join(request.names)} {request.label}")
        for name, problem in each.broken.items():
            say(f"{each.session}/{name}: left alone: {problem}")
        if each.gone:
            say(f"session {each.session}: {counted(len(each.gone), 'recording')} asked for and not there any more")
    for each in found:
        share = f"{each.count:,} of {counted(each.recordings, 'recording')}"
        say(f"session {each.session}: nobody asked for {share}")
    runs = counted(known.runs, "run")
    say(f"by {counted(known.calls, 'call')} of {runs}, from {_time(known.first_at)} to {_time(known.last_at)}")


def _as_json(known: Evidence, found: Sequence[Unused]) -> dict[str, object]:
    return {
        "runs": known.runs,
        "calls": known.calls,
        "first_at": _time(known.first_at),
        "last_at": _time(known.last_at),
        "sessions": [
            {
                "session": each.session,
                "recordings": each.recordings,
                "unused": [{"names": [*request.names], "request": request.label} for request in each.requests],
                "gone": [*each.gone],
            }
            for each in found
        ],
    }


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
