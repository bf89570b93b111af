from wiretape.pytest_plugin.judging import Collected

TESTS = [("tests/test_a.py", "tests.test_a"), ("tests/test_a.py", "tests.test_a"), ("tests/test_b.py", "shared")]


def test_a_file_of_which_nothing_was_left_out_can_be_judged() -> None:
    collected = Collected.of(TESTS, set(), is_suite=False)
    assert collected.told("tests.test_a") == {"session": "tests.test_a", "tests": 2, "is_whole": True}


def test_a_file_of_which_a_test_was_left_out_cannot() -> None:
    assert not Collected.of(TESTS, {"tests/test_a.py"}, is_suite=False).told("tests.test_a")["is_whole"]
    assert not Collected.of(TESTS, None, is_suite=True).told("tests.test_a")["is_whole"]


def test_a_session_that_markers_name_can_be_judged_where_the_suite_was_to_run() -> None:
    assert not Collected.of(TESTS, set(), is_suite=False).told("shared")["is_whole"]
    assert Collected.of(TESTS, set(), is_suite=True).told("shared")["is_whole"]


def test_a_files_session_that_another_file_names_is_both_files() -> None:
    both = [*TESTS, ("tests/test_b.py", "tests.test_a")]
    assert not Collected.of(both, set(), is_suite=False).told("tests.test_a")["is_whole"]
