"""What rules make one in the recordings, told when a proxy starts. Beside the traffic: over ``library.folding``.

A start warns, in the background and in one line a session: it reads the recordings one by one, with a pause after each,
so that no request waits for it. What it found is noted, and is found again where no recording and no rule has changed.
Where there are very many, or in a bucket, it says that it has not looked.

With ``wiretape_strict_rules`` it looks at all of them first, and refuses.
"""

import hashlib
import logging
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mitmproxy import exceptions

import wiretape
from wiretape import redaction
from wiretape.codecs.units import counted
from wiretape.matching.built_in import BUILT_IN
from wiretape.matching.rules import MatchPolicy
from wiretape.proxy.runtime import Runtime
from wiretape.store.base import RESPONSES, Store
from wiretape.store.notes import Note

if TYPE_CHECKING:  # It is loaded aside, or where it has to be waited for.
    from wiretape.library.folding import Folds, Reader
    from wiretape.library.parallel import Watch

logger = logging.getLogger(__name__)

_MOST = 1000
"""Recordings of a session that are looked at in the background."""

_WORTH_NOTING = 64
"""Recordings from which it is noted what was found."""

_PAUSE = 0.002
"""Seconds after each of them, in which others go first."""

_TOLD = 3
"""Recordings of a group that are named."""


def sessions_of(runtime: Runtime, session: str) -> tuple[str, ...]:
    """Return the sessions that are looked at: that of who names none, those below it, and all that are configured."""
    return tuple(dict.fromkeys((*runtime.sessions.order(session), *runtime.sessions.names)))


def refuse(store: Store, runtime: Runtime, sessions: Sequence[str]) -> None:
    """Raise OptionsError where rules make recordings one whose answers differ, or where that cannot be told."""
    reader = _reader(store, runtime)
    try:
        found = [reader.folds(session) for session in sessions]
    except OSError as e:
        raise exceptions.OptionsError(f"wiretape_strict_rules: it cannot be told what rules make one: {e}") from e
    for folds in found:
        if folds.differing:
            raise exceptions.OptionsError(
                f"wiretape_strict_rules: {_told(folds)}. Change the rules, or remove what is not to answer: "
                "wiretape rules check tells all"
            )


def _reader(store: Store, runtime: Runtime) -> "Reader":
    from wiretape.library.folding import Reader

    return Reader(store, runtime.matching, runtime.providers, is_shared=False)


def _told(folds: "Folds") -> str:
    first = folds.differing[0]
    names = [name for request in first.requests for name in request.names[:1]]
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    others = len(folds.differing) - 1
    beside = f", and {counted(others, 'group')} more" if others else ""
    return (
        f"session {folds.session}: recordings are one by the rules {', '.join(first.rules)}, though their answers "
        f"differ: {', '.join(names[:_TOLD])}{more}{beside}"
    )


class StartCheck:
    """Looks once what rules make one, in a thread of its own, and says it."""

    def __init__(self, store: Store, runtime: Runtime, sessions: Sequence[str]) -> None:
        self._store = store
        self._runtime = runtime
        self._sessions = sessions
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin, where there are rules beyond the built-in ones."""
        if is_more_than_built_in(self._runtime.matching):
            threading.Thread(target=self._run, name="wiretape-rules", daemon=True).start()

    def stop(self) -> None:
        """End it, whether or not it has told anything. It may be called twice."""
        self._stopped.set()

    def _run(self) -> None:
        try:
            for session in self._sessions:
                self._look(session)
        except _StoppedError:
            pass
        except OSError as e:
            logger.info("what rules make one is not checked: %s", e)

    def _look(self, session: str) -> None:
        if not self._store.is_quick or _has_more(self._store, session):
            logger.info(
                "session %s: what rules make one is not checked: it has more than %d recordings, or is in a bucket "
                "(wiretape rules check looks at all)",
                session,
                _MOST,
            )
            return
        differing = self._differing(session)
        if differing:
            logger.warning(
                "session %s: rules make %s of recordings one whose answers differ, so that one answers for the "
                "others: wiretape rules check tells which",
                session,
                counted(differing, "group"),
            )

    def _differing(self, session: str) -> int:
        """Return in how many groups of recordings that are one the answers differ."""
        states = self._store.scan(session)
        notes = self._store.notes if len(states) >= _WORTH_NOTING else None
        key = f"{session}#rules"  # It is no session's name.
        # All that it depends on.
        basis = (
            wiretape.__version__,
            redaction.DEFAULT.fingerprint,
            self._runtime.matching.rules,
            sorted(states.items()),
        )
        mark = hashlib.sha256(repr(basis).encode("utf-8", "backslashreplace")).hexdigest()
        if notes and (noted := notes.all(key).get(mark)):
            return int(noted.head)
        found = len(_reader(self._store, self._runtime).folds(session, self._watch()).differing)
        if notes:
            notes.drop(key, notes.all(key))
            notes.keep(key, [Note(mark, "", str(found))])
        return found

    def _watch(self) -> "Watch":
        def watch(items: Iterable[Any], count: int, what: str) -> Iterator[Any]:
            del count, what
            for item in items:
                if self._stopped.wait(_PAUSE):
                    raise _StoppedError
                yield item

        return watch


def _has_more(store: Store, session: str) -> bool:
    """Return whether a folder has more recordings than are looked at, without a look at each."""
    try:
        with os.scandir(Path(store.where(session)) / RESPONSES) as entries:
            return next(islice(entries, _MOST, None), None) is not None
    except FileNotFoundError:
        return False


class _StoppedError(Exception):
    """The proxy ends."""


def is_more_than_built_in(policy: MatchPolicy) -> bool:
    """Return whether there are rules that are not for everyone."""
    return any(rule not in BUILT_IN for rule in policy.rules)
