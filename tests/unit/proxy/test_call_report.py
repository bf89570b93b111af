"""What a run says of calls when its command has ended: the first misses."""

from wiretape.proxy.call_report import CallReport


def test_the_first_misses_are_told_and_all_are_counted() -> None:
    report = CallReport()
    for number in range(25):
        report.miss(f"call {number}: no recording")
    assert report.missed == 25
    assert report.misses == {f"call {number}: no recording": 1 for number in range(10)}


def test_a_miss_that_is_asked_for_again_is_one_line() -> None:
    report = CallReport()
    for number in (*range(12), 3, 3, 11):
        report.miss(f"call {number}: no recording")
    assert report.missed == 15
    assert len(report.misses) == 10
    assert report.misses["call 3: no recording"] == 3
