"""Tapes, in one line: for tests of what finds and records."""

from dataclasses import fields
from typing import Any

from wiretape.metrics.counters import Counters
from wiretape.policy import Mode
from wiretape.store.base import Store
from wiretape.tape.config import TapeConfig
from wiretape.tape.tape import Tape

_CONFIGURED = {each.name for each in fields(TapeConfig)}


def tape_of(store: Store, session: str, mode: Mode, counters: Counters | None = None, **options: Any) -> Tape:
    """Return the tape of a session. ``options`` are fields of its configuration, and else arguments of the tape's."""
    configured = {name: options.pop(name) for name in _CONFIGURED & options.keys()}
    return Tape(store, TapeConfig(session, mode, **configured), counters or Counters(), **options)
