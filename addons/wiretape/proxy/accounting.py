"""What calls cost, added up: for the counters, and for sessions with a budget. For the thread of the log of calls.

No hit waits for it: whoever serves one hands it to the log, whose thread asks for a price once for all calls that are
the same, and adds it here for each. The thread is the only one that changes these counters, so they need no lock.

==================================  ================================================================
a call                              is counted as
==================================  ================================================================
sent to a provider, of known price  ``spent_usd``, and spent of the session's budget
served here, of known price         ``saved_usd``
either, of no known price           ``unpriced``: it counts as nothing, and a budget says so once
refused, or free of charge          nothing
==================================  ================================================================
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from wiretape.call_log.call import Call, Outcome
from wiretape.metrics.counters import SessionCounters
from wiretape.pricing import names
from wiretape.pricing.prices import Prices, has_tokens
from wiretape.providers.usage import Usage
from wiretape.sessions.model import Sessions

if TYPE_CHECKING:
    from wiretape.pricing.spending import Spending

logger = logging.getLogger(__name__)

_SAVED = frozenset({Outcome.HIT, Outcome.FOLLOWED})


@dataclass(frozen=True, slots=True)
class Terms:
    """By what is counted: one value, swapped whole."""

    prices: Prices = field(default_factory=Prices)
    sessions: Sessions = field(default_factory=Sessions)
    spending: "Spending | None" = None
    """What sessions with a budget have spent; None where none has one."""


class Accounting:
    """Adds up. For the thread of the log, but for ``use``."""

    def __init__(self, counters: SessionCounters, now: Callable[[], float]) -> None:
        """``now`` tells the time in seconds since 1970."""
        self._counters = counters
        self._now = now
        self._terms = Terms()
        self._told: set[tuple[str, str]] = set()
        """Sessions with a budget, and models, of which it was said that no price is known."""
        self._has_failed = False

    def use(self, terms: Terms) -> None:
        """Count by these from now on. For any thread."""
        self._terms = terms

    def close(self) -> None:
        """Close the file of what was spent: nothing more is added."""
        if self._terms.spending:
            self._terms.spending.close()

    def price(self, provider: str, model: str, usage: Usage, at: float) -> Decimal | None:
        """Return what tokens cost; None where that is not known."""
        return self._terms.prices.price(provider, model, usage, at or self._now())

    def add(self, call: Call, times: int) -> None:
        """Count a call that was made so many times."""
        is_saved = call.outcome in _SAVED
        if not (is_saved or call.is_paid):
            return
        cost = call.cost_usd
        if cost is None and not (self._terms.prices.are_known and _should_cost(call)):
            return
        counters = self._counters.of(call.session)
        if cost is None:
            counters.unpriced += times
        elif is_saved:
            counters.saved_usd += cost * times
        else:
            counters.spent_usd += cost * times
        if call.is_paid:
            self._spend(call, times)

    def _spend(self, call: Call, times: int) -> None:
        """Take what a call has cost from the budget of its session."""
        terms = self._terms
        budget = terms.sessions.get(call.session).budget
        if budget is None or terms.spending is None:
            return
        model = call.usage.model or call.model
        if call.cost_usd is None and (call.session, model) not in self._told:
            self._told.add((call.session, model))
            text = "budget of session %s: no price is known for %s at %s, so it counts as nothing: [[price]] names one"
            logger.warning(text, call.session, model or call.request, call.provider or "its provider")
        cost = None if call.cost_usd is None else call.cost_usd * times
        try:
            terms.spending.add(call.session, budget.per.name_at(self._now()), cost)
        except OSError as e:
            if not self._has_failed:
                logger.error("what session %s has spent cannot be written: %s", call.session, e)
            self._has_failed = True
        else:
            self._has_failed = False


def _should_cost(call: Call) -> bool:
    """Return whether a call without a price is one of a model that was answered."""
    is_answered = call.status is None or call.status < 400
    is_model = has_tokens(call.usage) or bool(call.model) or call.outcome is Outcome.LOST
    return is_answered and is_model and not names.is_free(call.endpoint)
