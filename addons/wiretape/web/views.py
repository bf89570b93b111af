"""What is asked for -> a page. It knows no web framework; the store may be waited for.

What there is not, or may not be looked at, is a ``PageError``, whose text is shown in the page's frame.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from wiretape.call_log import call as calls_log
from wiretape.call_log.call import Call, Outcome
from wiretape.call_log.reader import CallReader
from wiretape.exceptions import WiretapeError
from wiretape.library import conversation, steps
from wiretape.library.turn_differences import compared
from wiretape.sessions.model import check_name
from wiretape.web import details
from wiretape.web.calls import CallFilter, page_of
from wiretape.web.misses import differences_beside, missed
from wiretape.web.overview import session_lines
from wiretape.web.pages import page
from wiretape.web.runs import RunKey, RunSteps, rows_of, steps_in
from wiretape.web.shelf import Shelf, Shelved
from wiretape.web.source import PageSource

_MOST = 200
"""Rows on a page."""

_REST = 9.0
"""A thread beside the traffic of a proxy has a tenth of the time at most."""


class PageError(Exception):
    """There is no such page. The text is for people."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Place:
    """What a page is about, for its frame."""

    store: str
    is_live: bool
    """Whether a proxy runs."""
    has_tokens: bool
    """Whether who looks has shown a token."""


def place_of(source: PageSource) -> Place:
    """Return what the pages of a source are about."""
    return Place(source.store().url, source.calls() is not None, source.tokens() is not None)


class Views:
    """Makes the pages of one store, and of the proxy that has it where one runs."""

    def __init__(self, source: PageSource, reading: threading.Lock) -> None:
        """``reading``: held by who reads many files."""
        self._source = source
        self._reading = reading
        self._lock = threading.Lock()
        self._kept: Shelf | None = None

    @property
    def _shelf(self) -> Shelf:
        """The shelf of the store that is in force: a proxy may take on another one while it runs."""
        store = self._source.store()
        with self._lock:
            if self._kept is None or self._kept.store is not store:
                if self._kept:
                    self._kept.close()
                rest = _REST if self._source.calls() is not None else 0.0
                self._kept = Shelf(store, lambda row: self._source.costs().of_row(row), self._reading, rest=rest)
            return self._kept

    def index(self, may_read: Callable[[str], bool]) -> str:
        """Return the list of sessions."""
        return self._page("index.html", "Sessions", sessions=session_lines(self._source, self._shelf, may_read))

    def session(self, name: str, search: str, first: int, *, can_review: bool) -> str:
        """Return the recordings of a session. ``can_review``: whether they may be taken over into another one."""
        _check(name)
        if name not in self._shelf.store.sessions():
            raise PageError(HTTPStatus.NOT_FOUND, f"There is no session {name}.")
        rows = self._shelf.page(name, search, first, _MOST)
        values = {"rows": rows.rows, "total": rows.total, "unread": rows.unread, "search": search}
        values |= {"unsearched": rows.unsearched, "broken": rows.broken, "can_review": can_review}
        return self._page("session.html", name, session=name, first=first, most=_MOST, **values)

    def recording(self, session: str, name: str) -> str:
        """Return a recording: what was said, and when it came."""
        shelved = self._shelved(session, name)
        request = shelved.recording.request
        values = details.of(self._shelf, shelved, is_live=self._source.calls() is not None)
        return self._page("recording.html", f"{request.model or request.label}", **values)

    def compare(self, session: str, name: str, other_session: str, other: str) -> str:
        """Return two recordings beside each other: what was asked, and what was answered."""
        here = self._shelved(session, name)
        there = self._shelved(other_session, other)
        asked = compared(conversation.turns_of(here.recording.request), conversation.turns_of(there.recording.request))
        answered = compared(conversation.answer_of(here.recording), conversation.answer_of(there.recording))
        return self._page("compare.html", "Two recordings", here=here, there=there, asked=asked, answered=answered)

    def raw(self, session: str, name: str, *, is_capture: bool) -> bytes:
        """Return a recording's file as it is, or its capture's."""
        shelved = self._shelved(session, name)
        data = shelved.capture_data if is_capture else shelved.data
        if data is None:
            raise PageError(HTTPStatus.NOT_FOUND, f"There is no capture of {name}.")
        return data

    def calls(self, wanted: CallFilter, may_read: Callable[[str], bool]) -> str:
        """Return the newest calls of those that are wanted."""
        found = page_of(self._reader(), wanted, may_read)
        older = urlencode(wanted.query(found.older)) if found.older else ""
        return self._page(
            "calls.html",
            "Calls",
            calls=[*map(calls_log.as_json, found.calls)],
            newest=found.newest,
            older=older,
            newer=urlencode(wanted.query(0)),
            wanted=wanted,
            outcomes=[*Outcome],
        )

    def _reader(self) -> CallReader:
        reader = self._source.calls()
        if reader is None:
            raise PageError(HTTPStatus.NOT_FOUND, "No proxy runs here: there are no calls to see.")
        return reader

    def call(self, number: int, may_read: Callable[[str], bool], offer: Callable[[Call], Any]) -> str:
        """Return a call: what became of it, and where it missed, the nearest recording beside it.

        ``offer``: what can be done about it.
        """
        reader = self._source.calls()
        found = reader.call(number) if reader else None
        if found is None or not may_read(found.session):
            raise PageError(HTTPStatus.NOT_FOUND, "There is no such call, or it is not known any more.")
        asked = missed(self._shelf.store, found)
        nearest = self._nearest(found)
        beside = None
        if asked and nearest:
            beside = compared(conversation.turns_of(asked), conversation.turns_of(nearest.recording.request))
        values = {
            "call": calls_log.as_json(found),
            "offer": offer(found),
            "run": RunKey.of_call(found).query,
            "turns": conversation.turns_of(asked) if asked else [],
            "nearest": nearest,
            "beside": beside,
            "others": differences_beside(asked, nearest.recording.request) if asked and nearest else [],
        }
        return self._page("call.html", f"Call {number}", **values)

    def runs(self, session: str, may_read: Callable[[str], bool]) -> str:
        """Return the runs of the newest calls."""
        rows = rows_of(self._reader(), session, may_read)
        return self._page("runs.html", "Runs", rows=rows, session=session)

    def run(self, key: RunKey, may_read: Callable[[str], bool]) -> str:
        """Return the steps of a run."""
        found = self._steps(key, may_read)
        return self._page("run.html", found.key.title, run=found, all=steps.totals(found.steps))

    def compare_runs(self, here: RunKey, there: RunKey, may_read: Callable[[str], bool]) -> str:
        """Return two runs beside each other up to where they part."""
        ours = self._steps(here, may_read)
        theirs = self._steps(there, may_read)
        parting = steps.parting(ours.steps, theirs.steps)
        one = parting.here
        two = parting.there
        asked = compared(*(steps.without_ids(each.new if each else ()) for each in (one, two)))
        answered = compared(*(steps.without_ids(each.answer if each else ()) for each in (one, two)))
        return self._page(
            "runs_compare.html",
            "Two runs",
            here=ours,
            there=theirs,
            all_here=steps.totals(ours.steps),
            all_there=steps.totals(theirs.steps),
            parting=parting,
            asked=asked,
            answered=answered,
        )

    def _steps(self, key: RunKey, may_read: Callable[[str], bool]) -> RunSteps:
        found = steps_in(self._reader(), self._shelf, key, may_read)
        if not found.steps:
            raise PageError(HTTPStatus.NOT_FOUND, "There are no calls of such a run, or they are not known any more.")
        return found

    def _nearest(self, call: Call) -> Shelved | None:
        """Return the recording that is nearest to a call that missed."""
        if call.miss is None or not call.miss.nearest:
            return None
        # It is named with its session where that is another one.
        session, _, name = call.miss.nearest.rpartition("/")
        with suppress(OSError, ValueError, WiretapeError):
            return self._shelf.shelved(session or call.session, name)
        return None

    def login(self, problem: str = "") -> str:
        """Return the page that asks for a token."""
        return page("login.html", title="Token", place=Place("", is_live=False, has_tokens=False), problem=problem)

    def error(self, error: PageError) -> str:
        """Return the page that tells what is wrong."""
        return self._page("error.html", error.status.phrase, text=str(error))

    def _page(self, template: str, title: str, **values: Any) -> str:
        return page(template, title=title, place=place_of(self._source), **values)

    def _shelved(self, session: str, name: str) -> Shelved:
        _check(session)
        try:
            shelved = self._shelf.shelved(session, name)
        except (ValueError, WiretapeError) as e:
            raise PageError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{name} is no recording: {e}") from e
        if shelved is None:
            raise PageError(HTTPStatus.NOT_FOUND, f"There is no recording {name} in {session}.")
        return shelved


def _check(session: str) -> None:
    try:
        check_name(session)
    except ValueError as e:
        raise PageError(HTTPStatus.NOT_FOUND, "That is no name of a session.") from e
