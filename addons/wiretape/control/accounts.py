"""What became of all that was asked in a scope: calls -> its account. Values in, values out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from wiretape.call_log import call as calls_log
from wiretape.call_log.call import Call, Outcome
from wiretape.control.kept import KeptRecording
from wiretape.control.schemas import TOKENS
from wiretape.sessions.scopes import Scope

_SAVED = frozenset({Outcome.HIT, Outcome.FOLLOWED})
"""What no provider was asked for: its cost is saved."""


def account(
    scope: Scope, calls: Sequence[Call], recordings: Iterable[KeptRecording], *, is_open: bool
) -> dict[str, Any]:
    """Return the account of a scope as a value of JSON. ``recordings``: those of the scope, asked for or not."""
    became = Counter(call.outcome for call in calls)
    asked = asked_for(calls)
    return {
        "id": scope.id,
        "client": scope.client,
        "session": scope.session,
        "test_id": scope.test_id,
        "is_open": is_open,
        "calls": len(calls),
        "hits": became[Outcome.HIT],
        "misses": [calls_log.as_json(call) for call in calls if call.outcome is Outcome.MISS],
        "recorded": [call.recording for call in calls if call.outcome is Outcome.RECORDED],
        "passed": became[Outcome.PASSED],
        "refused": became[Outcome.REFUSED],
        "faults": became[Outcome.FAULT],
        "lost": became[Outcome.LOST],
        "unused": [each.as_json() for each in recordings if (each.session, each.name) not in asked],
        "tokens": _tokens(calls),
        "spent_usd": _sum(call.cost_usd for call in calls if call.is_paid),
        "saved_usd": _sum(call.cost_usd for call in calls if call.outcome in _SAVED),
    }


def asked_for(calls: Iterable[Call]) -> set[tuple[str, str]]:
    """Return which recordings calls had or made: sessions and names."""
    return {(call.recorded_in or call.session, call.recording) for call in calls if call.recording}


def _tokens(calls: Sequence[Call]) -> dict[str, int | None]:
    """Return the sum of each kind of tokens; None where no answer tells any."""
    summed: dict[str, int | None] = {}
    for name in TOKENS:
        told = [number for call in calls if (number := getattr(call.usage, name)) is not None]
        summed[name] = sum(told) if told else None
    return summed


def _sum(costs: Iterable[Decimal | None]) -> str | None:
    known = [cost for cost in costs if cost is not None]
    return str(sum(known, Decimal(0))) if known else None
