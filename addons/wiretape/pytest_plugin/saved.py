"""How much longer providers would have taken for what recordings have answered. Between the calls and the captures."""

from collections.abc import Iterable
from contextlib import suppress

from wiretape.call_log.call import Call, Outcome
from wiretape.recording import capture
from wiretape.store.base import WIRE, Store


def seconds(calls: Iterable[Call], store: Store) -> dict[str, float]:
    """Return the seconds, by the calls' sessions: what the recorded answers took, less what the replayed ones did."""
    took: dict[tuple[str, str], float] = {}
    saved: dict[str, float] = {}
    for call in calls:
        if call.outcome is Outcome.HIT and call.recording:
            place = call.recorded_in or call.session, call.recording
            if place not in took:
                took[place] = _took(store, *place)
            longer = max(0.0, took[place] - (call.total_ms or 0.0)) / 1000
            saved[call.session] = saved.get(call.session, 0.0) + longer
    return saved


def _took(store: Store, session: str, name: str) -> float:
    """Return the milliseconds that a recorded answer took; 0 where its capture does not tell."""
    with suppress(OSError, ValueError):
        data = store.read(session, name, WIRE)
        origin = capture.loads(data).origin if data else None
        return origin.took if origin else 0.0
    return 0.0
