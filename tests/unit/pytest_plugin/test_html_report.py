"""What the calls of a run were answered with, as one file."""

from dataclasses import replace
from pathlib import Path

import pytest

from looked_at import write as write_recording
from samples import CHAT
from told_calls import call, miss
from wiretape import recording
from wiretape.call_log.call import Call, Outcome
from wiretape.matching.rules import MatchContext, Places
from wiretape.pytest_plugin import html_report
from wiretape.recording import request_hash
from wiretape.store.base import Store
from wiretape.store.opening import open_store
from wiretape.tape.kept_misses import KeptMisses


@pytest.fixture
def store(tmp_path: Path) -> Store:
    write_recording(tmp_path, "default", CHAT.stem)
    return open_store(str(tmp_path))


def hit(test: str = "", **more: str) -> Call:
    return call(Outcome.HIT, recording=CHAT.stem, test_id=test, **more)


def written(calls: list[Call], store: Store, tmp_path: Path) -> str:
    file = tmp_path / "out" / "report.html"
    assert str(file) in html_report.write(file, calls, store)
    return file.read_text("utf-8")


def test_misses_come_first_with_what_they_asked_and_why(store: Store, tmp_path: Path) -> None:
    near = recording.loads(CHAT.read_bytes()).request
    asked = replace(near, body={**near.body, "messages": [{"role": "user", "content": "How <b>late</b> is it?"}]})
    assert store.notes
    KeptMisses(store.notes, "default").keep(asked, MatchContext(), Places())
    told = miss("There is no recording.", test_id="test_clock")
    assert told.miss
    told = replace(told, miss=replace(told.miss, hash=request_hash(asked)[:12]))
    text = written([hit(), told, told], store, tmp_path)
    assert text.index("miss, 2 calls") < text.index(">hit<")
    for part in ("How &lt;b&gt;late&lt;/b&gt; is it?", "There is no recording.", "test_clock"):
        assert part in text


def test_calls_with_one_recording_are_one_entry_that_names_their_tests(store: Store, tmp_path: Path) -> None:
    text = written(
        [hit("test_a"), hit("test_b"), hit("test_a", session="other", recorded_in="default")], store, tmp_path
    )
    assert text.count('<details class="entry">') == 1
    assert "hit, 3 calls" in text
    assert "test_a\ntest_b" in text
    assert "Hello, world!" in text


def test_what_cannot_be_read_has_its_call_all_the_same(store: Store, tmp_path: Path) -> None:
    passed = call(Outcome.PASSED, why=("the answer is no JSON",))
    text = written([replace(hit(), recording="000000000000"), passed], store, tmp_path)
    assert text.count("no recording") == 2
    assert "the answer is no JSON" in text


def test_of_very_many_the_first_are_told(store: Store, tmp_path: Path) -> None:
    calls = [call(Outcome.PASSED, session=f"s{number}") for number in range(html_report.MOST + 3)]
    assert "3 more are left out" in html_report.write(tmp_path / "report.html", calls, store)
