"""The faults that are in force: those that are configured, and those that were asked for of sessions and of scopes.

Each set counts by itself, from when it was asked for: the first call of a test is the first one of its scope's faults.
Of a set that stays as it is when others come and go the counters stay, too. What was asked for is counted over all
workers, as the turns of takes are, and begins anew with these; what is configured each worker counts by itself.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence

from wiretape.replay.faults import Fault, FaultQuery, FaultRule, Faults
from wiretape.replay.take_counters import Turns
from wiretape.sessions.scopes import Overrides, Scope


class FaultSets:
    """Knows which faults a request may meet. For the thread that carries the traffic."""

    def __init__(self) -> None:
        self.configured = Faults()
        self._of_sessions: dict[str, Faults] = {}
        self._of_scopes: dict[str, Faults] = {}
        """By their ids."""

    def use(self, overrides: Overrides, turns: Turns) -> None:
        """From now on these were asked for; ``turns`` count."""
        of_sessions = {name: override.faults for name, override in overrides.sessions.items()}
        of_scopes = {scope.id: scope.override.faults for scope in overrides.scopes.values()}
        self._of_sessions = _kept(self._of_sessions, of_sessions, turns, "session")
        self._of_scopes = _kept(self._of_scopes, of_scopes, turns, "scope")

    @property
    def has_any(self) -> bool:
        """Whether there are any."""
        return bool(self.configured or self._of_sessions or self._of_scopes)

    def of(self, session: str, scope: Scope | None) -> tuple[Faults, ...]:
        """Return those of a session, in a scope or in none: what is nearest to the client comes first."""
        sets = (
            self._of_scopes.get(scope.id) if scope else None,
            self._of_sessions.get(session),
            self.configured,
        )
        return tuple(each for each in sets if each)

    def rewind(self) -> None:
        """Count again from the start what this process counts by itself."""
        self.configured.rewind()


def _kept(
    former: Mapping[str, Faults], wanted: Mapping[str, Sequence[FaultRule]], turns: Turns, kind: str
) -> dict[str, Faults]:
    """Return sets of the wanted rules: the former ones, where their rules are the same."""
    sets = {}
    for name, rules in wanted.items():
        known = former.get(name)
        if known and known.rules == (*rules,):
            sets[name] = known
        elif rules:
            sets[name] = Faults(rules, turns, f"faults of {kind} {name}: {_digest(rules)}")
    return sets


def _digest(rules: Sequence[FaultRule]) -> str:
    """Return what is another for other rules, in each worker."""
    told = json.dumps([rule.entry for rule in rules], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def draw(sets: Sequence[Faults], query: FaultQuery) -> Fault | None:
    """Return the fault that a request meets: of the first set that has one for it. Each set counts it."""
    drawn: Fault | None = None
    for faults in sets:
        fault = faults.draw(query)
        drawn = drawn or fault
    return drawn
