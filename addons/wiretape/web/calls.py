"""Which calls a page shows: what its address leaves of the newest ones. Below ``views``.

The address says it in fields of its own, so that a link shows what somebody sees, with a script or without. The script
of the page asks the same of calls that come later: ``static/calls.mjs`` reads the fields as ``CallFilter.has`` does.

    /calls?session=checkout&outcome=miss&words=weather     the newest of those
    /calls?session=checkout&before=1200                    those that came before the call with this id
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from wiretape.call_log.call import Call, Outcome
from wiretape.call_log.reader import CallReader

MOST = 500
"""Calls on a page."""

_BLOCK = 1000
"""Calls that are read at a time."""

_BLOCKS = 10
"""How often: a page is answered in bounded time, however few calls fit."""

_LONGEST = 200
"""Characters of a field."""


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls are wanted. What is empty is left open."""

    session: str = ""
    outcome: Outcome | None = None
    model: str = ""
    """A part of the model's name."""
    words: str = ""
    """Each of them is somewhere in the call."""
    before: int = 0
    """Those with a lower id; 0 for the newest."""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """Return the filter that an address asks for; what it has of another kind is passed over."""
        outcome = query.get("outcome", "")
        before = query.get("before", "")
        return cls(
            session=query.get("session", "").strip()[:_LONGEST],
            outcome=Outcome(outcome) if outcome in [*Outcome] else None,
            model=query.get("model", "").strip()[:_LONGEST],
            words=query.get("words", "").strip()[:_LONGEST],
            before=int(before) if before.isascii() and before.isdecimal() and len(before) < 18 else 0,
        )

    def has(self, call: Call) -> bool:
        """Return whether a call that the log has found by session and outcome is wanted."""
        if self.model.lower() not in call.model.lower():
            return False
        text = _text(call)
        return all(word in text for word in self.words.lower().split())

    def query(self, before: int) -> dict[str, str]:
        """Return the fields of the address that shows the same calls before an id; of 0 the newest."""
        given = {"session": self.session, "outcome": self.outcome or "", "model": self.model, "words": self.words}
        if before:
            given["before"] = str(before)
        return {name: value for name, value in given.items() if value}


def _text(call: Call) -> str:
    """Return all in which words are looked for."""
    said = (call.session, call.mode, call.outcome, call.model, call.request, call.provider, call.test_id, call.scope)
    named = (call.client, call.recording, call.miss.difference if call.miss else "", *call.why)
    return " ".join((*said, *named)).lower()


@dataclass(frozen=True, slots=True)
class CallPage:
    """Some calls, the newest first."""

    calls: list[Call]
    newest: int
    """The id up to which the log was looked at: what comes later has a higher one."""
    older: int
    """Before this id there may be more; 0 where there are none."""


def page_of(reader: CallReader, wanted: CallFilter, may_read: Callable[[str], bool]) -> CallPage:
    """Return the newest calls that are wanted and may be seen. Raises OSError."""
    newest = wanted.before - 1 if wanted.before else reader.newest()
    found: list[Call] = []
    older = 0
    for block in _blocks(reader, wanted, newest + 1):
        for call in reversed(block):
            if len(found) == MOST:
                return CallPage(found, newest, found[-1].id)
            if may_read(call.session) and wanted.has(call):
                found.append(call)
        older = block[0].id if len(block) == _BLOCK else 0
    return CallPage(found, newest, older)


def _blocks(reader: CallReader, wanted: CallFilter, before: int) -> Iterator[list[Call]]:
    """Yield calls in blocks, the newest block first."""
    outcomes = (wanted.outcome,) if wanted.outcome else ()
    for _ in range(_BLOCKS):
        block = reader.calls(session=wanted.session, outcomes=outcomes, before=before, limit=_BLOCK)
        if not block:
            return
        yield block
        if len(block) < _BLOCK:
            return
        before = block[0].id
