"""What ``wiretape rules check`` does: sessions and rules in, lines out."""

import json

from wiretape.cli.console import complain, out, progress, say
from wiretape.cli.rules_in_force import SessionRules
from wiretape.codecs.units import counted
from wiretape.library.folding import Fold, FoldedRequest, Folds, Reader

DIFFERING = 1
"""The exit code where rules make recordings one whose answers differ."""


def check(sessions: SessionRules, *, as_json: bool) -> int:
    """Print the recordings that rules make one, in groups of lines or as JSON. Return the exit code."""
    store = sessions.library.store
    reader = Reader(store, sessions.policy, sessions.providers, is_shared=True)
    found = [reader.folds(name, progress) for name in sessions.names]
    if as_json:
        out(json.dumps([_members(folds.session, fold) for folds in found for fold in folds.folds]))
    for folds in found:
        if not as_json:
            _print(folds)
        for name, problem in folds.broken.items():
            say(f"{store.where(folds.session, name)}: not compared: {problem}")
        complain(f"session {folds.session}: {summary(folds)}")
    return DIFFERING if any(folds.differing for folds in found) else 0


def summary(folds: Folds) -> str:
    """Say in a line what rules make one."""
    if not folds.folds:
        return f"{counted(folds.recordings, 'recording')}, and rules make no two of them one"
    groups = counted(len(folds.folds), "group")
    return (
        f"{counted(folds.recordings, 'recording')}, of which rules make {groups} one: "
        f"in {len(folds.differing)} the answers differ"
    )


def _print(folds: Folds) -> None:
    for fold in folds.folds:
        said = "THEIR ANSWERS DIFFER" if fold.differs else "their answers say the same"
        out(f"{folds.session}: {fold.label}: {len(fold.requests)} requests are one by {', '.join(fold.rules)}: {said}")
        for request in fold.requests:
            out(f"  {_told(request)}")


def _told(request: FoldedRequest) -> str:
    client = f"  ({request.client})" if request.client else ""
    return f"{' '.join(request.names)}{client}"


def _members(session: str, fold: Fold) -> dict[str, object]:
    return {
        "session": session,
        "request": fold.label,
        "rules": fold.rules,
        "answers_differ": fold.differs,
        "requests": [{"recordings": each.names, "client": each.client} for each in fold.requests],
    }
