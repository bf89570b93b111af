"""How two sessions differ, and what is taken over from one into the other: pages to review. Beside ``views``.

What is taken over goes by ``library.promotion``, with the checks of ``wiretape session promote``. A page shows some
requests at a time, each with a mark of all that it shows: of the recordings that would come in, and of those that these
replace. Who accepts some of them sends their marks, and nothing is done where one of these is not as it was.
"""

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from wiretape.library import compare, promotion
from wiretape.library.compare import Contents, Key
from wiretape.library.promotion import PromotionPlan, PromotionStep
from wiretape.library.review import RequestReview, review
from wiretape.sessions.model import Role, check_name
from wiretape.store.base import Store
from wiretape.web.overview import frozen_in_words
from wiretape.web.pages import page
from wiretape.web.source import PageSource
from wiretape.web.views import PageError, place_of
from wiretape.web.visitor import Visitor

MOST = 50
"""Requests on a page."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A request that would be taken over, with all that there is to see of it."""

    step: PromotionStep
    review: RequestReview


class Reviews:
    """Makes the pages about two sessions."""

    def __init__(self, source: PageSource, reading: threading.Lock) -> None:
        """``reading``: held by who reads many files."""
        self._source = source
        self._reading = reading
        self._lock = threading.Lock()
        """Held while recordings are taken over: one after the other."""

    def differences(self, before: str, after: str, first: int, visitor: Visitor) -> str:
        """Return how two sessions differ, from the ``first`` request on. Raises PageError and OSError."""
        store = self._source.store()
        sessions = [self._existing(name, visitor) for name in (before, after)]
        with self._reading:
            old, new = (compare.contents(store, name) for name in sessions)
        found = compare.compare(old, new)
        keys = [*found.changed, *found.only_second, *found.only_first]
        shown = [_reviewed(store, old, new, key) for key in keys[first : first + MOST]]
        values = {"before": before, "after": after, "found": found, "first": first, "most": MOST, "total": len(keys)}
        broken = [*_broken(store, old), *_broken(store, new)]
        title = f"{before} and {after}"
        return self._page("differences.html", title, visitor, reviews=shown, broken=broken, **values)

    def plan(self, source: str, target: str, first: int, done: int, visitor: Visitor) -> str:
        """Return what would be taken over from one session into another. Raises PageError and OSError.

        ``done``: how many were taken over a moment ago.
        """
        self._existing(source, visitor)
        if not target:
            names = sorted({*self._source.store().sessions(), *self._source.known().sessions.names} - {source})
            targets = [name for name in names if visitor.may(Role.ADMIN, name)]
            return self._page("promote_where.html", f"Review {source}", visitor, source=source, targets=targets)
        wanted = self._wanted(source, target, visitor)
        store = self._source.store()
        shown = [Proposed(step, _of_step(store, wanted, step)) for step in wanted.steps[first : first + MOST]]
        values = {"plan": wanted, "proposed": shown, "first": first, "most": MOST, "done": done}
        return self._page("promote.html", f"{source} into {target}", visitor, **values)

    def promote(self, source: str, target: str, marks: Collection[str], visitor: Visitor) -> int:
        """Take over what was accepted, by its marks. Return how many requests. Raises PageError and OSError."""
        self._existing(source, visitor)
        with self._lock:
            wanted = self._wanted(source, target, visitor)
            accepted = wanted.only(marks)
            if len(accepted.steps) < len({*marks}):
                raise PageError(
                    HTTPStatus.CONFLICT,
                    "Nothing is taken over: recordings have changed since they were shown. Look again.",
                )
            if accepted.refusals:
                raise PageError(HTTPStatus.CONFLICT, f"Nothing is taken over: {accepted.refusals[0]}")
            try:
                promotion.carry_out(self._source.store(), accepted)
            except ValueError as e:
                raise PageError(HTTPStatus.CONFLICT, f"Not all is taken over: {e}") from e
        return len(accepted.steps)

    def _wanted(self, source: str, target: str, visitor: Visitor) -> PromotionPlan:
        """Return the plan, for who may carry it out. Raises PageError and OSError."""
        _check(target)
        if not visitor.may(Role.ADMIN, target):
            raise PageError(HTTPStatus.FORBIDDEN, f"This needs a token of the role {Role.ADMIN} for session {target}.")
        store = self._source.store()
        frozen = frozen_in_words(store, self._source.known().sessions, target)
        if frozen:
            raise PageError(HTTPStatus.CONFLICT, f"Nothing can be taken over: session {target} is {frozen}.")
        with self._reading:
            return promotion.plan(store, source, target)

    def _existing(self, name: str, visitor: Visitor) -> str:
        """Return the name of a session that has recordings and may be looked at. Raises PageError and OSError."""
        _check(name)
        if not visitor.may_read(name) or name not in self._source.store().sessions():
            raise PageError(HTTPStatus.NOT_FOUND, f"There is no session {name}.")
        return name

    def _page(self, template: str, title: str, visitor: Visitor, **values: Any) -> str:
        may_promote = {name for name in _names(values) if visitor.may(Role.ADMIN, name)}
        return page(template, title=title, place=place_of(self._source), may_promote=may_promote, **values)


def _names(values: dict[str, Any]) -> Sequence[str]:
    return [values[name] for name in ("before", "after") if name in values]


def _check(name: str) -> None:
    try:
        check_name(name)
    except ValueError as e:
        raise PageError(HTTPStatus.NOT_FOUND, "That is no name of a session.") from e


def _reviewed(store: Store, old: Contents, new: Contents, key: Key) -> RequestReview:
    return review(store, (old.session, old.takes.get(key, ())), (new.session, new.takes.get(key, ())))


def _of_step(store: Store, wanted: PromotionPlan, step: PromotionStep) -> RequestReview:
    return review(store, (wanted.target, step.old), (wanted.source, [take for take, _ in step.copies]))


def _broken(store: Store, held: Contents) -> list[str]:
    return [f"{store.where(held.session, name)}: {problem}" for name, problem in held.broken.items()]
