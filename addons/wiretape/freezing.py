"""A frozen session: nothing is recorded in it, by anybody. The mark is in the store, where all proxies see it.

Over a store, beside the tape. The configuration may freeze a session too (``session.Session.frozen``).
"""

import json
from dataclasses import dataclass

from wiretape.store.base import Store

# Its own folder, as the store's files are all in one; hidden, so that nobody takes it for a recording.
_FOLDER = ".wiretape"
_NAME = "frozen"


@dataclass(frozen=True, slots=True)
class Frozen:
    """What the mark says."""

    by: str = ""
    at: str = ""
    """RFC 3339."""

    def __str__(self) -> str:
        """In words."""
        return " ".join(filter(None, ("frozen", self.by and f"by {self.by}", self.at and f"at {self.at}")))


def is_frozen(store: Store, session: str) -> bool:
    """Whether there is a mark, whatever it says. Raises OSError, Unavailable where that cannot be told."""
    return store.exists(session, _NAME, _FOLDER)


def mark(store: Store, session: str) -> Frozen | None:
    """The mark, where there is one. Raises as ``is_frozen``."""
    data = store.read(session, _NAME, _FOLDER)
    if data is None:
        return None
    try:
        said = json.loads(data)
        return Frozen(str(said.get("by", "")), str(said.get("at", "")))
    except (ValueError, AttributeError):
        return Frozen()  # Somebody's own; a session that was meant to be frozen is.


def freeze(store: Store, session: str, what: Frozen) -> bool:
    """Put the mark; False where there is one already, which stays. Raises OSError."""
    data = json.dumps({"by": what.by, "at": what.at}, indent=2) + "\n"
    return store.write(session, _NAME, data.encode("ascii"), replace=False, folder=_FOLDER)


def thaw(store: Store, session: str) -> None:
    """Take the mark away, if there is one. Raises OSError."""
    store.remove(session, _NAME, _FOLDER)
