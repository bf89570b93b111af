"""Sessions that record what they have no recording of, until requests that missed are there. Over ``Scopes``.

Who looks at a miss and wants it recorded begins this, and runs the program again: its request goes to the provider
then. The session's mode is ``record-if-missing`` meanwhile, whatever it was, as by an override of the control API.

=========  ==========================================  =============================================================
state      what holds                                  what leads out of it
=========  ==========================================  =============================================================
idle       the session is as it was                    ``begin``
waiting    it records what is missing                  all requests that it waits for were recorded; ``end``; 15
                                                       minutes; another override of its mode, which stays
=========  ==========================================  =============================================================

What became of calls is looked up in their log, by a thread of its own for each session that waits.
"""

import logging
import threading
import time
from dataclasses import dataclass, field, replace

from wiretape.call_log.call import Outcome
from wiretape.control.backend import Backend
from wiretape.control.overriding import NotInForceError
from wiretape.control.scopes import Scopes
from wiretape.matching.rules import MatchPolicy
from wiretape.policy import FORMS, Mode
from wiretape.recording import RecordedRequest
from wiretape.recording.model import request_name
from wiretape.sessions.scopes import Overrides, SessionOverride
from wiretape.store.freezing import is_frozen

logger = logging.getLogger(__name__)

_EVERY = 0.5
"""Seconds from one look into the log to the next."""

_LONGEST = 900.0
"""Seconds after which nobody seems to run the program again."""


@dataclass(slots=True)
class _Waiting:
    """A session that records what is missing."""

    former: Mode | None
    """The mode that an override gave it before."""
    after: int
    """The newest call when it began."""
    wanted: list[tuple[str, ...]] = field(default_factory=list)
    """The names that the recording of each request may begin with: each form has its own."""
    ended: threading.Event = field(default_factory=threading.Event)


class MissRecording:
    """Those of one proxy. For any thread but those that carry traffic."""

    def __init__(self, backend: Backend, scopes: Scopes) -> None:
        self._backend = backend
        self._scopes = scopes
        self._lock = threading.Lock()
        self._waiting: dict[str, _Waiting] = {}

    def matching(self, session: str) -> MatchPolicy:
        """Return by which rules a request may be the same as a recorded one."""
        return self._backend.matching(session)

    def refusal(self, session: str, *, is_anybody: bool) -> str:
        """Return why a session cannot record, in words; empty where it can. Raises OSError.

        ``is_anybody``: whether the proxy is open, so that who asks may do no more than a client.
        """
        policy = self._backend.policy()
        configured = policy.sessions.get(session)
        if configured.frozen or is_frozen(self._backend.store(), session):
            return f"session {session} is frozen"
        if configured.modes and Mode.RECORD_IF_MISSING not in configured.modes:
            return f"session {session} does not allow {Mode.RECORD_IF_MISSING}"
        return policy.refusal(session, Mode.RECORD_IF_MISSING) if is_anybody else ""

    def is_waiting(self, session: str) -> bool:
        """Return whether a session records what is missing by now."""
        return session in self._waiting

    def begin(self, session: str, request: RecordedRequest) -> None:
        """Have a session record what is missing until a request is there. Raises OSError where that fails."""
        names = tuple(request_name(request, form) for form in FORMS)
        with self._lock:
            waiting = self._waiting.get(session)
            if waiting is None:
                held = self._backend.overriding.overrides.sessions.get(session, SessionOverride())
                waiting = _Waiting(held.mode, self._backend.calls().newest())
                self._apply(session, Mode.RECORD_IF_MISSING, None)
                self._waiting[session] = waiting
                threading.Thread(
                    target=self._wait, args=(session, waiting), name="wiretape-misses", daemon=True
                ).start()
            waiting.wanted.append(names)

    def end(self, session: str) -> None:
        """Have a session be as it was. Raises OSError where that fails."""
        with self._lock:
            waiting = self._waiting.pop(session, None)
            if waiting:
                waiting.ended.set()
                self._apply(session, waiting.former, Mode.RECORD_IF_MISSING)

    def _wait(self, session: str, waiting: _Waiting) -> None:
        until = time.monotonic() + _LONGEST
        while time.monotonic() < until and not waiting.ended.wait(_EVERY):
            try:
                if self._is_there(session, waiting):
                    break
            except OSError as e:
                logger.warning("session %s: the log of calls cannot be read now: %s", session, e)
        if not waiting.ended.is_set():
            try:
                self.end(session)
            except OSError as e:
                logger.warning("session %s records what is missing still: %s", session, e)

    def _is_there(self, session: str, waiting: _Waiting) -> bool:
        calls = self._backend.calls().calls(session=session, outcomes=(Outcome.RECORDED,), after=waiting.after)
        made = [call.recording for call in calls]
        with self._lock:
            if calls:
                waiting.after = calls[-1].id
            waiting.wanted = [names for names in waiting.wanted if not any(name.startswith(names) for name in made)]
            return not waiting.wanted

    def _apply(self, session: str, mode: Mode | None, instead_of: Mode | None) -> None:
        """Have a mode be in force for a session; where ``instead_of`` is given, only in the place of that one."""

        def changed(overrides: Overrides) -> Overrides:
            held = overrides.sessions.get(session, SessionOverride())
            if instead_of is not None and held.mode is not instead_of:
                return overrides
            override = replace(held, mode=mode)
            if override == SessionOverride():
                return overrides.without_session(session)
            return overrides.with_session(session, override)

        try:
            self._scopes.override(changed)
        except (NotInForceError, ValueError) as e:
            raise OSError(str(e)) from e
