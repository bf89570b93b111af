from fake_control import FakeControl
from wiretape.pytest_plugin.running import RunningTest

SCOPE = {"client": "main", "session": "tests.test_a", "test_id": "t"}
MISS = {"request": "chat", "miss": {"text": "no recording"}, "why": []}


def test_the_account_is_of_all_scopes_that_it_had() -> None:
    control = FakeControl()
    running = RunningTest(control, "t.py::test_a", SCOPE)
    control.become(calls=1, hits=1)
    with running.another({"client": "main", "session": "tests.conftest"}):
        assert running.session == "tests.conftest"
        control.become(calls=2, hits=1, misses=[MISS])
    assert running.session == "tests.test_a"
    control.become(calls=1, hits=1)
    assert running.account().hits == 3
    assert [each[:2] for each in control.asked if each[0] == "end"] == [("end", "scope-1"), ("end", "scope-2")]
    running.end()
    assert {session: account.calls for session, account in running.accounts.items()} == {
        "tests.test_a": 2,
        "tests.conftest": 2,
    }


def test_a_problem_is_told_once() -> None:
    control = FakeControl()
    running = RunningTest(control, "t.py::test_a", SCOPE)
    assert running.problem() == ""
    control.become(misses=[MISS])
    assert "no recording" in running.problem()
    assert running.problem() == ""
    running.end()
    assert running.last_problem() == ""


def test_its_calls_are_those_of_all_its_scopes() -> None:
    control = FakeControl()
    running = RunningTest(control, "t.py::test_a", SCOPE)
    with running.another({"client": "main", "session": "other"}):
        pass
    control.kept = {"scope-1": [{"id": 1}], "scope-3": [{"id": 2}]}
    assert running.calls() == [{"id": 1}, {"id": 2}]


def test_what_changes_is_the_scope_that_is_open() -> None:
    control = FakeControl()
    running = RunningTest(control, "t.py::test_a", SCOPE)
    running.change(pace="2x")
    assert control.asked[-1] == ("change", "scope-1", {"pace": "2x"})
