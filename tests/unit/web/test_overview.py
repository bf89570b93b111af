"""The list of sessions: what is told of each, and that nothing is read for it."""

from decimal import Decimal
from pathlib import Path

import pytest

from harness import wait_until
from samples import SAMPLES
from wiretape import config
from wiretape.config.overrides import Known
from wiretape.library.costs import costs
from wiretape.library.unused import Evidence
from wiretape.recording import capture as captures
from wiretape.store import freezing
from wiretape.store.freezing import Frozen
from wiretape.store.opening import open_store
from wiretape.web.overview import UnusedTold, session_lines, unused_of
from wiretape.web.shelf import Shelf, Summary
from wiretape.web.source import RecordingsAlone

CHAT = SAMPLES["fireworks chat"].read_bytes()
PRICED = """
[[price]]
provider = "fireworks"
model = "*"
input = 1.0
output = 1.0

[session.checkout]
layers = ["base"]

[session.empty]
frozen = true
"""


def unread(*_: object) -> bytes:
    raise AssertionError("it is read")


@pytest.fixture
def source(tmp_path: Path) -> RecordingsAlone:
    for session, day in (("checkout", 3), ("checkout", 5), ("base", 1)):
        for folder in ("responses", "wire"):
            (tmp_path / session / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / session / "responses" / f"{day:012x}.json").write_bytes(CHAT)
        taken = captures.Origin("", f"2026-11-{day:02}T00:00:00Z", "", "0", 1.0)
        wire = captures.dumps(captures.Capture(captures.digest(CHAT), 200, (), None, (), taken))
        (tmp_path / session / "wire" / f"{day:012x}.json").write_bytes(wire)
    file = tmp_path / "team.toml"
    file.write_text(PRICED)
    store = open_store(str(tmp_path))
    freezing.freeze(store, "base", Frozen("anna", "2026-11-01"))
    return RecordingsAlone(store, Known.of(config.read(file)), costs(file))


def test_sessions_are_told_with_what_they_stand_on_and_how_they_are_frozen(source: RecordingsAlone) -> None:
    shelf = Shelf(source.store(), reads_ahead=False)
    base, checkout, empty = session_lines(source, shelf, lambda _: True)
    assert (checkout.name, checkout.layers, checkout.frozen) == ("checkout", ("base",), "")
    assert base.frozen == "frozen by anna at 2026-11-01"
    assert (empty.summary.recordings, empty.frozen) == (0, "frozen by the configuration")
    assert [each.name for each in session_lines(source, shelf, lambda name: name == "base")] == ["base"]


def test_ages_and_costs_come_as_recordings_are_read(source: RecordingsAlone, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(source.store(), lambda row: source.costs().of_row(row))
    with monkeypatch.context() as held:
        held.setattr(shelf, "_read", unread)
        held.setattr(shelf, "_thread", lambda *_: None)
        first = session_lines(source, shelf, lambda _: True)[1].summary
    assert (first.recordings, first.read, first.newest) == (2, 0, "")
    wait_until(lambda: shelf.summaries(["checkout"])["checkout"].read == 2)
    told = session_lines(source, shelf, lambda _: True)[1]
    assert (told.summary.oldest, told.summary.newest) == ("2026-11-03T00:00:00Z", "2026-11-05T00:00:00Z")
    assert told.cost_usd == Decimal("0.00008"), "40 tokens each, at a dollar a million"
    assert told.unused is None, "no run is known"


def test_of_what_nobody_asked_for_the_takes_of_a_request_stay_together() -> None:
    sizes = {"aaa": 10, "aaa.2": 20, "bbb": 100, "bbb.2": 200}
    known = Evidence(1, 1, 0.0, 0.0, frozenset({"checkout"}), {"checkout": frozenset({"aaa.2"})})
    summary = Summary(4, 4, "", "", None, sizes)
    assert unused_of("checkout", summary, known) == UnusedTold(2, 300)
    assert unused_of("base", summary, known) is None
