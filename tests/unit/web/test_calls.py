"""Which calls a page shows."""

from pathlib import Path
from typing import Any

import pytest

from told_calls import call, miss
from wiretape.call_log.call import Outcome
from wiretape.call_log.log import CallLog
from wiretape.call_log.reader import CallReader
from wiretape.web import calls
from wiretape.web.calls import CallFilter, page_of


def test_a_filter_is_read_from_an_address_and_written_into_one() -> None:
    query = {"session": "a", "outcome": "miss", "model": "gpt", "words": "x y", "before": "7"}
    wanted = CallFilter.of(query)
    assert wanted == CallFilter("a", Outcome.MISS, "gpt", "x y", 7)
    assert wanted.query(7) == query
    assert wanted.query(0) == {name: value for name, value in query.items() if name != "before"}


@pytest.mark.parametrize(
    "query", [{"outcome": "nothing"}, {"before": "-1"}, {"before": "9" * 40}, {"before": "३"}, {"other": "x"}, {}]
)
def test_what_is_no_field_leaves_all_open(query: dict[str, str]) -> None:
    assert CallFilter.of(query) == CallFilter()


def test_a_field_is_bounded() -> None:
    assert len(CallFilter.of({"words": "x" * 10**6}).words) == 200


@pytest.mark.parametrize(
    ("given", "has"),
    [
        ({}, True),
        ({"model": "PRO"}, True),
        ({"model": "flash"}, False),
        ({"words": "weather test_a"}, True),
        ({"words": "WEATHER nothing"}, False),
        ({"words": "content: a"}, True),
        ({"words": "why-not"}, True),
    ],
)
def test_words_are_anywhere_in_a_call(given: dict[str, Any], has: bool) -> None:
    made = miss(model="gemini-Pro", request="weather", test_id="test_a", why=("why-not",))
    assert CallFilter(**given).has(made) is has


@pytest.fixture
def reader(tmp_path: Path) -> CallReader:
    log = CallLog(tmp_path / "calls", "run")
    for number in range(1, 41):
        session = "b" if number % 4 == 0 else "a"
        log.add(call(Outcome.MISS if number % 2 else Outcome.HIT, session=session, model=f"m{number % 8}"))
    log.close()
    return CallReader([tmp_path / "calls"])


def everything(_: str) -> bool:
    return True


def test_a_page_has_the_newest_and_says_where_older_ones_are(
    reader: CallReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "MOST", 3)
    monkeypatch.setattr(calls, "_BLOCK", 8)
    seen = []
    wanted = CallFilter(session="a", outcome=Outcome.MISS)
    page = page_of(reader, wanted, everything)
    assert page.newest == 40
    while True:
        assert len(page.calls) <= 3
        seen += [each.id for each in page.calls]
        if not page.older:
            break
        page = page_of(reader, CallFilter("a", Outcome.MISS, before=page.older), everything)
    assert seen == [*range(39, 0, -2)]


def test_what_fits_seldom_is_looked_for_in_bounded_time(reader: CallReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_BLOCK", 5)
    monkeypatch.setattr(calls, "_BLOCKS", 3)
    page = page_of(reader, CallFilter(model="m3"), everything)
    assert [each.id for each in page.calls] == [35, 27]
    assert page.older == 26, "the search goes on there"


def test_what_may_not_be_seen_is_not_there(reader: CallReader) -> None:
    page = page_of(reader, CallFilter(), lambda session: session == "b")
    assert {each.session for each in page.calls} == {"b"}
    assert page_of(reader, CallFilter(session="a"), lambda session: session == "b").calls == []


def test_of_no_calls_there_is_an_empty_page(tmp_path: Path) -> None:
    page = page_of(CallReader([tmp_path / "none"]), CallFilter(), everything)
    assert (page.calls, page.newest, page.older) == ([], 0, 0)
