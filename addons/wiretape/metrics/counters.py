"""What happened, counted by session. The tape counts; the command line, the log and the page for Prometheus read."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any

from wiretape.codecs.units import counted, usd

_SESSIONS = 1000
"""How many sessions have counters of their own. Clients name sessions, and must not fill the memory."""

_RULES_TOLD = 8
"""Rules that a line names."""

OTHERS = "(others)"
"""The name under which all other sessions are counted."""


class Reason(StrEnum):
    """Why a request to a provider became no recording, in words that follow a number."""

    ERROR = "with an error, or a status that is not kept"
    BROKE_OFF = "broke off"
    NO_ANSWER = "without an answer"
    FORM = "in no known form"
    REQUEST = "with a request that cannot be read"
    SIZE = "too large"
    SKIPPED = "excluded by skip"
    CONVERSATION = "as a WebSocket or gRPC"
    METHOD = "with a method that is not recorded"
    PRIVATE = "with a secret"
    FROZEN = "in a frozen session"
    LOST = "LOST"
    """The client got the whole answer, and the disk did not."""
    TOLD = "for what the log tells"


LOSSES = frozenset({Reason.LOST, Reason.PRIVATE, Reason.FROZEN})
"""Why a recording was lost or refused that should have been made."""


@dataclass(slots=True)
class Counters:
    """Requests to providers, by what became of them."""

    hits: int = 0
    """Answered from a recording."""
    misses: int = 0
    """Not in the recordings: refused in ``replay``, asked from the provider in ``record-if-missing``."""
    ignored: int = 0
    """Beside the model, as the telemetry of known programs: answered with nothing."""
    unavailable: int = 0
    """Could not be looked up, because the recordings' store was away."""
    followed: int = 0
    """Answered with the live answer to an equal request that was under way."""
    recorded: int = 0
    """Recordings written, or found already written with the same content."""
    unrecorded: int = 0
    """Live answers that became no recording: errors, streams that broke off, disks that failed."""
    reasons: dict[Reason, int] = field(default_factory=dict)
    """The same, by reason."""
    upstream: int = 0
    """Requests sent on to a provider."""
    connections: int = 0
    """Connections opened to providers, whether or not a request went over them."""
    bytes: int = 0
    """Of answers served from recordings, without their heads and framing."""
    tokens: int = 0
    """Completion tokens served from recordings."""
    faults: int = 0
    """Answers that met a fault, on purpose."""
    hits_by_rules: int = 0
    """Of the hits, those whose request is the same as the recorded one by rules, not exactly."""
    expired: int = 0
    """Recordings that were asked for and are older than their session allows, each counted once."""
    rules: dict[str, int] = field(default_factory=dict)
    """The same, by the rules that were needed: a hit can need several."""
    spent_usd: Decimal = Decimal(0)
    """What the tokens of providers' answers cost, in US dollars."""
    saved_usd: Decimal = Decimal(0)
    """What those cost that were served without a provider: from recordings, and with an equal request's answer."""
    unpriced: int = 0
    """Calls whose tokens have no known price: they are in neither sum."""

    def add(self, others: "Counters") -> None:
        """Add the counters of others."""
        for name in NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(others, name))
        for reason, number in [*others.reasons.items()]:
            self.reasons[reason] = self.reasons.get(reason, 0) + number
        for rule, number in [*others.rules.items()]:
            self.rules[rule] = self.rules.get(rule, 0) + number

    def hit_by_rules(self, names: Iterable[str]) -> None:
        """Count that a hit needed rules, by their names."""
        self.hits_by_rules += 1
        for name in names:
            self.rules[name] = self.rules.get(name, 0) + 1

    def not_recorded(self, reason: Reason) -> None:
        """Count a live answer that becomes no recording."""
        self.unrecorded += 1
        self.reasons[reason] = self.reasons.get(reason, 0) + 1

    @property
    def told_reasons(self) -> str:
        """The reasons in words, the most frequent first: ``2 an error, 1 broke off``."""
        told = sorted(self.reasons.items(), key=lambda each: -each[1])
        return ", ".join(f"{number} {reason}" for reason, number in told)

    @property
    def told_rules(self) -> str:
        """The hits by rules in words, with the rules that the most needed: ``2 of them by rules (call-ids, today)``."""
        most = sorted(self.rules, key=lambda name: -self.rules[name])
        more = ", ..." if len(most) > _RULES_TOLD else ""
        return f"{self.hits_by_rules:,} of them by rules ({', '.join(most[:_RULES_TOLD])}{more})"

    @property
    def told_costs(self) -> str:
        """What was spent and saved in words: ``spent 0.42 USD, saved 1.10 USD (and 3 calls of unknown price)``.

        It is empty where there is nothing to tell.
        """
        sums = {"spent": self.spent_usd, "saved": self.saved_usd}
        told = ", ".join(f"{name} {usd(amount)}" for name, amount in sums.items() if amount)
        if not self.unpriced:
            return told
        unknown = counted(self.unpriced, "call") + " of unknown price"
        return f"{told} (and {unknown})" if told else unknown

    def summary(self) -> str:
        """Return the counters in one line."""
        by_rules = f" {self.told_rules}," if self.hits_by_rules else ""
        line = (
            f"{counted(self.hits, 'hit')} ({counted(self.tokens, 'token')} served from recordings),{by_rules} "
            f"{counted(self.misses, 'miss', 'misses')}, {self.recorded} recorded, "
            f"{counted(self.upstream, 'request')} sent to providers"
        )
        if self.followed:
            line += f", {self.followed} followed an equal one"
        if self.ignored:
            line += f", {self.ignored} beside the model ignored"
        if self.unavailable:
            line += f", {self.unavailable} could not be looked up"
        if self.expired:
            line += f", {counted(self.expired, 'recording')} older than max_age"
        if self.faults:
            line += f", {counted(self.faults, 'fault')} injected"
        if costs := self.told_costs:
            line += f", {costs}"
        why = ""
        if self.reasons:
            why = f" ({self.told_reasons})"
        if not self.unrecorded:
            return line
        return f"{line}, {counted(self.unrecorded, 'answer')} NOT recorded{why}"


NUMBERS = tuple(each.name for each in fields(Counters) if each.name not in ("reasons", "rules"))
"""The names of all counters but those by reason and by rule."""

AMOUNTS = ("spent_usd", "saved_usd")
"""Of these, those that are exact sums of US dollars, and no whole numbers."""


def as_json(counters: Counters) -> dict[str, Any]:
    """Return counters as a value of JSON. Sums of money are texts, as they are exact."""
    return asdict(counters) | {name: str(getattr(counters, name)) for name in AMOUNTS}


def from_json(value: Mapping[str, Any]) -> Counters:
    """Return the counters that ``as_json`` has made a value of; what it does not have is 0.

    Raises ValueError, TypeError, AttributeError or ArithmeticError where it is none.
    """
    counters = Counters()
    for name in NUMBERS:
        read = _amount if name in AMOUNTS else int
        setattr(counters, name, read(value.get(name, 0)))
    for reason, number in value.get("reasons", {}).items():
        counters.reasons[Reason(reason)] = int(number)
    for rule, number in value.get("rules", {}).items():
        counters.rules[str(rule)] = int(number)
    return counters


def _amount(text: str | int) -> Decimal:
    amount = Decimal(text)
    if not amount.is_finite():
        raise ValueError(f"{text!r} is no amount")
    return amount


class SessionCounters:
    """The counters of every session. Any thread may call it; the counters themselves are for one thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counters: dict[str, Counters] = {}

    def of(self, session: str) -> Counters:
        """Return the counters of a session, to be counted up."""
        with self._lock:
            if session not in self._counters and len(self._counters) >= _SESSIONS:
                session = OTHERS
            return self._counters.setdefault(session, Counters())

    def sessions(self) -> dict[str, Counters]:
        """Return all counters by session."""
        with self._lock:
            return dict(self._counters)

    def total(self) -> Counters:
        """Return the sum over all sessions."""
        return added(self.sessions().values())


def added(counters: Iterable[Counters]) -> Counters:
    """Return the sum of counters."""
    total = Counters()
    for each in counters:
        total.add(each)
    return total
