"""How an exchange is to be recorded goes through the journal as JSON, in a form that stays."""

import json
from dataclasses import replace

from wiretape.journal.write_job import WriterConfig
from wiretape.policy import Mode, Takes
from wiretape.redaction.rules import OnSecret, RedactionPolicy, RedactionRule
from wiretape.replay.pacing import Pace
from wiretape.store.opening import StoreUrl
from wiretape.tape.config import TapeConfig

TAPE = TapeConfig("own", Mode.RECORD, ("below",), Takes.CYCLE, "2026", Pace(2.0), keep_captures=False, keep_errors=True)
POLICY = RedactionPolicy(OnSecret.REFUSE, allow=("a",), rules=(RedactionRule("b", "c.d", allow=("e",)),))


def test_what_a_writer_asks_for_comes_back_and_what_a_lookup_goes_by_does_not() -> None:
    config = WriterConfig(StoreUrl("s3://bucket/x", "/local", 1, 2), TAPE, POLICY)
    known = WriterConfig.from_json(json.loads(json.dumps(config.as_json())))
    assert known == replace(config, tape=replace(TAPE, layers=(), pace=Pace()))


def test_the_form_in_the_journal_stays() -> None:
    told = WriterConfig(StoreUrl("/recordings"), TAPE, POLICY).as_json()
    assert [*told] == ["place", "session", "mode", "takes", "form", "keep_captures", "keep_errors", "places", "policy"]
    assert {name: told[name] for name in ("session", "mode", "takes", "form", "keep_captures", "keep_errors")} == {
        "session": "own",
        "mode": "record",
        "takes": "cycle",
        "form": "2026",
        "keep_captures": False,
        "keep_errors": True,
    }
