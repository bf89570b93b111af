"""Runs of an agent, from the log of calls and the store."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from samples import SAMPLES
from told_calls import HOSTILE, call
from wiretape import recording
from wiretape.call_log.call import Call, MissTold, Outcome
from wiretape.call_log.log import CallLog
from wiretape.call_log.reader import CallReader
from wiretape.matching.rules import MatchContext, Places
from wiretape.providers.usage import Usage
from wiretape.store.opening import open_store
from wiretape.tape.kept_misses import KeptMisses
from wiretape.web import runs
from wiretape.web.runs import RunKey, rows_of, steps_in
from wiretape.web.shelf import Shelf

CHAT = SAMPLES["fireworks chat"]

type Told = Callable[..., CallReader]


def everything(_: str) -> bool:
    return True


@pytest.fixture
def told(tmp_path: Path) -> Told:
    def tell(*calls: Call) -> CallReader:
        log = CallLog(tmp_path / "calls", "r")
        for each in calls:
            log.add(each)
        log.close()
        return CallReader([tmp_path / "calls"])

    return tell


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    for session in ("default", "base"):
        responses = tmp_path / session / "responses"
        responses.mkdir(parents=True)
        (responses / CHAT.name).write_bytes(CHAT.read_bytes())
        (responses / "bad.json").write_text("{")
    return Shelf(open_store(str(tmp_path)), reads_ahead=False)


@pytest.mark.parametrize("test_id", ["tests/test_a.py::test_b[a&b=c]", HOSTILE.replace("\ud800", "")])
def test_a_run_is_named_by_the_query_of_its_address(test_id: str) -> None:
    key = RunKey("r", "default", "0198", test_id)
    assert RunKey.of_text(key.query) == key
    assert key.title == test_id
    assert RunKey().query == ""


@pytest.mark.parametrize("text", ["", "&" * 10_000, "other=1", "%ff=%ff", "a=1;b=2", "run"])
def test_what_names_no_run_is_none(text: str) -> None:
    assert RunKey.of_text(text).query == ""


def test_runs_are_listed_with_the_newest_call_first(told: Told) -> None:
    reader = told(
        call(test_id="a", at=1.0, usage=Usage(input=3, output=4), cost_usd=Decimal("0.5")),
        call(test_id="b", at=2.0),
        call(Outcome.MISS, test_id="a", at=3.0),
        call(session="secret", at=4.0),
    )
    first, second = rows_of(reader, "", lambda session: session != "secret")
    assert (first.key.test_id, first.calls, first.first_at, first.last_at) == ("a", 2, 1.0, 3.0)
    assert first.outcomes == {"hit": 1, "miss": 1}
    assert (first.tokens, first.cost_usd) == (7, Decimal("0.5"))
    assert second.key == RunKey("r", "default", "", "b")
    assert rows_of(reader, "nobody", everything) == []


def test_a_run_has_what_was_said_as_far_as_it_is_kept(told: Told, shelf: Shelf) -> None:
    kept = partial(call, recording=CHAT.stem, test_id="a")
    reader = told(
        kept(recorded_in="base", at=2.0),
        kept(recorded_in="default", at=1.0),
        call(recording="bad", test_id="a", at=3.0),
        call(recording="gone", test_id="a", at=4.0),
        call(Outcome.MISS, test_id="a", at=5.0),
        call(test_id="other"),
    )
    found = steps_in(reader, shelf, RunKey(test_id="a"), everything)
    assert [step.call.at for step in found.steps] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert [step.said is not None for step in found.steps] == [True, True, False, False, False]
    (unread,) = steps_in(reader, shelf, RunKey(test_id="a"), lambda session: session == "default").steps[1:2]
    assert unread.said is None, "it is in a session that may not be read"
    assert steps_in(reader, shelf, RunKey(), everything).steps == []
    assert steps_in(reader, shelf, RunKey(session="default"), lambda _: False).steps == []


def test_a_miss_is_a_step_with_its_request(told: Told, shelf: Shelf) -> None:
    request = recording.loads(CHAT.read_bytes()).request
    notes = shelf.store.notes
    assert notes
    KeptMisses(notes, "default").keep(request, MatchContext(), Places())
    (kept,) = KeptMisses(notes, "default").all()
    missing = MissTold(hash=kept.hash)
    reader = told(
        call(Outcome.MISS, scope="s", miss=missing),
        call(Outcome.MISS, scope="s", miss=MissTold(hash="0123")),
        call(Outcome.MISS, scope="s", session="base", miss=missing),
    )
    found = steps_in(reader, shelf, RunKey(scope="s"), everything).steps
    assert [bool(step.new) for step in found] == [True, False, False]
    assert not found[0].answer


def test_a_long_run_is_bounded(told: Told, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "STEPS", 2)
    found = steps_in(told(*[call(scope="s")] * 5), shelf, RunKey(scope="s"), everything)
    assert (len(found.steps), found.left_out) == (2, 3)
