"""What became of each call: a line of JSON each, and the first misses for the summary."""

import io
import json
from pathlib import Path
from typing import Any

from builders import tape_of
from wiretape.policy import Mode
from wiretape.providers import wire
from wiretape.proxy.call_report import Became, CallReport
from wiretape.store.directory import DirectoryStore
from wiretape.tape.hit import Hit
from wiretape.tape.tape import Tape


def tape(session: str = "checkout") -> Tape:
    return tape_of(DirectoryStore(Path("nowhere")), session, Mode.REPLAY)


def lines(file: io.StringIO) -> list[dict[str, Any]]:
    told = [json.loads(line) for line in file.getvalue().splitlines()]
    assert all(each.pop("at").endswith("Z") for each in told)
    return told


def test_a_line_for_each_call() -> None:
    file = io.StringIO()
    report = CallReport(file)
    report.hit(tape(), Hit("abc", wire.HttpResponse(200, (), (b"x",)), (0.0,), 7, 1, "/v1/chat/completions m"))
    report.miss(tape(), "/v1/embeddings m", "it is a conversation")
    report.other(Became.RECORDED, tape(), "https://a.example/v1/x")
    report.other(Became.NOT_RECORDED, tape(), "https://a.example/v1/x", ["no answer came"])
    base = {"session": "checkout", "mode": "replay"}
    assert lines(file) == [
        {**base, "outcome": "hit", "request": "/v1/chat/completions m", "recording": "abc", "tokens": 7},
        {**base, "outcome": "miss", "request": "/v1/embeddings m", "difference": "it is a conversation"},
        {**base, "outcome": "recorded", "request": "https://a.example/v1/x"},
        {**base, "outcome": "not recorded", "request": "https://a.example/v1/x", "log": ["no answer came"]},
    ]


def test_the_first_misses_are_told_and_all_are_counted() -> None:
    report = CallReport()
    for number in range(25):
        report.miss(tape(), f"call {number}", "no recording")
    assert report.missed == 25
    assert report.misses == {f"call {number} (session checkout): no recording": 1 for number in range(10)}


def test_a_miss_that_is_asked_for_again_is_one_line() -> None:
    report = CallReport()
    for number in (*range(12), 3, 3, 11):
        report.miss(tape(), f"call {number}", "no recording")
    assert report.missed == 15
    assert len(report.misses) == 10
    assert report.misses["call 3 (session checkout): no recording"] == 3


def test_no_secret_and_no_line_end_of_a_clients_is_told() -> None:
    secret = "sk-proj-" + "aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA" * 2
    file = io.StringIO()
    report = CallReport(file)
    report.miss(tape(), f"call\n{secret}", f"key {secret}")
    (told,) = report.misses
    assert "\n" not in told
    assert secret not in told + file.getvalue()
    assert len(file.getvalue().splitlines()) == 1
