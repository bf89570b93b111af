"""The journal: whether there is a place for one, and whether a proxy that was killed has left something in its own."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from wiretape.cli.doctor.finding import Finding, fault, ok, warning
from wiretape.journal.leftovers import has_leftovers
from wiretape.journal.places import state_folders
from wiretape.store.mounts import is_elsewhere


def findings() -> Iterator[Finding]:
    """Look at the folders where journals can be, the best first."""
    reasons = []
    for folder in state_folders():
        reason = _why_not(folder)
        if not reason:
            yield ok("journal", f"what is on its way to becoming a recording can wait in {folder}")
            break
        reasons.append(f"{folder}: {reason}")
    else:
        said = f"there is no place for what is on its way to becoming a recording ({'; '.join(reasons)})"
        yield fault("journal", said, "let XDG_STATE_HOME name a folder of this machine that can be written")
    if has_leftovers():
        said = "a proxy that was killed has left recordings that are not written yet"
        yield warning("journal", said, "write them: wiretape recover, or start a proxy")


def _why_not(folder: Path) -> str:
    """Return why no journal can be there; empty where one can."""
    above = folder
    while not os.path.lexists(above) and above != above.parent:
        above = above.parent
    try:
        if is_elsewhere(above):
            return "it is on another machine's disk"
        with tempfile.TemporaryFile(dir=above):
            return ""
    except OSError as e:
        return e.strerror or str(e)
