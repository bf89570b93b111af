"""Whether a session may still spend. Between ``decide``, which asks before a request is sent on, and what was spent.

A request that would be paid for is refused once its session has spent its budget, with status 402 in the provider's
error form; hits go on being served, and what is under way is let finish. So that the next request knows what the one
before it has cost, it waits until that is added up: an answer that has reached its client whole is written, its tokens
are read and priced, which takes some milliseconds. The file of what was spent is for all workers of this machine;
what another worker has served in these milliseconds is not waited for.

Where it cannot be told what was spent, nothing is sent: a budget does not fail open.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wiretape.call_log.places import make_spent_file
from wiretape.codecs.units import counted, usd
from wiretape.pricing.installed import MISSING
from wiretape.pricing.prices import Prices
from wiretape.proxy.call_teller import CallTeller
from wiretape.sessions.model import Sessions
from wiretape.store.opening import StoreUrl

if TYPE_CHECKING:
    from wiretape.pricing.budget import Budget
    from wiretape.pricing.spending import Spending, Spent

_SETTLING = 10.0
"""Seconds for which the costs of answers that have ended are waited for."""

_FREE = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
"""Methods that no provider takes money for."""

_ANEW = {
    "": "",
    "day": "It begins anew at midnight UTC. ",
    "week": "It begins anew on Monday, UTC. ",
    "month": "It begins anew with the next month, UTC. ",
}
"""For each period of a budget, when it is over."""


@dataclass(frozen=True, slots=True)
class Account:
    """What a session may spend, and has spent."""

    session: str
    budget: "Budget"
    spent: "Spent"

    @property
    def is_used_up(self) -> bool:
        """Whether nothing more may be paid for."""
        return self.spent.usd >= self.budget.usd

    def __str__(self) -> str:
        """Return it for the client, with what can be done."""
        unknown = ""
        if self.spent.unpriced:
            unknown = f" (and {counted(self.spent.unpriced, 'call')} of unknown price)"
        return (
            f"the budget of session {self.session} is used up: {usd(self.spent.usd)} of {self.budget} are spent"
            f"{unknown}, so nothing more is sent to a provider; recordings go on being served. "
            f"{_ANEW[self.budget.per]}To go on now: wiretape budget --reset {self.session}, or a higher budget in "
            f"[session.{self.session}] of wiretape.toml"
        )


def spending(place: StoreUrl, sessions: Sessions, prices: Prices, former: "Spending | None") -> "Spending | None":
    """Return what sessions have spent; None where none has a budget. ``former`` is what was in use before.

    Raises ValueError where no price is known, as nothing would ever be spent then; OSError where it cannot be kept.
    """
    limited = next((name for name in sessions.names if sessions.get(name).budget), None)
    if limited is None:
        return None
    if not prices.are_known:
        text = f"session {limited} has a budget, and no price is known: {MISSING}; or [[price]] names some"
        raise ValueError(text)
    from wiretape.pricing.spending import Spending  # Most starts need none of it.

    file = make_spent_file(place.recordings)
    return former if former and former.file == file else Spending(file)


class Budgets:
    """Asks. For the thread that carries the traffic."""

    def __init__(self, teller: CallTeller, now: Callable[[], float]) -> None:
        """``now`` tells the time in seconds since 1970."""
        self._teller = teller
        self._now = now
        self.spending: Spending | None = None
        """What sessions have spent; None where none has a budget."""

    async def used_up(self, session: str, budget: "Budget | None", method: str) -> Account | None:
        """Return the account of a session that may not pay for a request; None where it may.

        ``method`` is the request's. Raises OSError where it cannot be told.
        """
        if budget is None or self.spending is None or method in _FREE:
            return None
        if not await self._teller.settle(session, _SETTLING):
            raise OSError("what the calls before it have cost is not known yet")
        spent = await asyncio.to_thread(self.spending.of, session, budget.per.name_at(self._now()))
        account = Account(session, budget, spent)
        return account if account.is_used_up else None
