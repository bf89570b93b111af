"""What commands have found out about recordings, noted so that it need not be found out again. Over ``notes``.

It holds for a state of a file, the rules on secrets and a version of wiretape.
"""

import json
from collections.abc import Hashable, Mapping, Sequence

import wiretape
from wiretape import redaction
from wiretape.store.base import Store
from wiretape.store.notes import Note

_MANY = 1000
"""Recordings from which it is worth while on a disk of this machine."""


class Ledger:
    """What was found out of one kind."""

    def __init__(self, store: Store, kind: str, files: int) -> None:
        """``kind`` is no session's name. ``files``: how many there are."""
        self._kind = kind
        self._notes = store.notes if files > _MANY or not store.is_quick else None

    def known(self, states: Mapping[str, Hashable]) -> dict[str, list[str]]:
        """Return what is noted of files that are as they were."""
        if self._notes is None:
            return {}
        noted = self._notes.all(self._kind)
        return {
            name: json.loads(note.head)
            for name, note in noted.items()
            if name in states and note.state == _noted(states[name])
        }

    def keep(self, texts: Mapping[str, Sequence[str]], states: Mapping[str, Hashable]) -> None:
        """Note what was found out."""
        if self._notes and texts:
            notes = [Note(name, _noted(states[name]), json.dumps(each)) for name, each in texts.items()]
            self._notes.keep(self._kind, notes)


def _noted(state: Hashable) -> str:
    return f"{wiretape.__version__} {redaction.DEFAULT.fingerprint} {state!r}"
