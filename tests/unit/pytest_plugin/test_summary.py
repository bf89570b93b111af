import pytest

from wiretape.library.compare import Take
from wiretape.library.unused import Unused, UnusedRequest
from wiretape.pytest_plugin.account import Account
from wiretape.pytest_plugin.summary import SessionOfRun, Summary, money, table


def told(*, tests: int = 2, has_passed: bool = True, is_whole: bool = True) -> dict[str, object]:
    return {"tests": tests, "is_whole": is_whole, "has_passed": has_passed}


def of_run(*each: dict[str, object], hits: int = 2) -> SessionOfRun:
    session = SessionOfRun("tests.test_a", account=Account(hits, hits))
    for number, one in enumerate(each):
        session.add(f"test_{number}", one)
    return session


def test_it_can_be_judged_where_all_of_its_tests_have_passed() -> None:
    assert of_run(told(), told()).can_be_judged
    assert not of_run(told()).can_be_judged
    assert not of_run(told(), told(has_passed=False)).can_be_judged
    assert not of_run(told(is_whole=False), told(is_whole=False)).can_be_judged


def test_a_test_that_ran_again_is_one() -> None:
    session = SessionOfRun("tests.test_a")
    session.add("test_0", told())
    session.add("test_0", told())
    assert not session.can_be_judged


@pytest.mark.parametrize(("unused", "fails"), [("ignore", False), ("warn", False), ("fail", True)])
def test_unused_recordings_fail_the_run_where_that_is_asked_for(unused: str, fails: bool) -> None:
    session = of_run(told(), told())
    take = Take("0123456789ab", "", "", "", "", "")
    session.unused = Unused("tests.test_a", (UnusedRequest("chat", (take,)),), 1, (), {})
    assert Summary([session], None, unused).fails is fails
    assert not Summary([session], None, unused, pruned=1).fails


def test_calls_outside_of_tests_fail_the_run() -> None:
    assert Summary([], None, "ignore", {"misses": 1}).fails


def test_the_table_has_a_row_for_each_session() -> None:
    session = of_run(told(), told())
    assert [line.split() for line in table([session])] == [
        ["session", "tests", "hits", "misses", "recorded", "unused", "seconds", "saved", "USD", "saved"],
        ["tests.test_a", "2", "2", "0", "0", "-", "0.0", "-"],
    ]


def test_small_amounts_have_more_digits() -> None:
    assert (money("12.3456"), money("0.00042")) == ("12.35", "0.0004")
