from datetime import UTC, datetime
from pathlib import Path

from wiretape.call_log.call import Call, Outcome
from wiretape.pytest_plugin import saved
from wiretape.recording import capture
from wiretape.store.base import WIRE
from wiretape.store.opening import open_store

NAME = "0123456789ab"


def call(session: str, outcome: Outcome = Outcome.HIT, **more: object) -> Call:
    return Call(1.0, session, "replay", outcome, recording=NAME, **more)  # type: ignore[arg-type]


def test_what_a_recorded_answer_took_is_saved_at_each_hit_but_for_the_time_of_the_replay(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    origin = capture.origin("", datetime.now(UTC), "", 2500.0, clean=lambda text: text)
    store.write(
        "a",
        NAME,
        capture.dumps(capture.Capture("sha256:0", 200, (), (b"{}",), (1.0,), origin)),
        replace=True,
        folder=WIRE,
    )
    calls = [
        call("a", total_ms=500.0),
        call("a"),
        call("b", recorded_in="a", total_ms=9000.0),
        call("c"),
        call("a", Outcome.RECORDED, total_ms=2500.0),
    ]
    assert saved.seconds(calls, store) == {"a": 4.5, "b": 0.0, "c": 0.0}
