from wiretape.pytest_plugin.account import Account

TEXT = "wiretape: no recording of this request, abc.\nThe nearest recording is def.json, which differs in:\n  messages"
MISS = {"request": "/v1/chat/completions gpt-4o", "miss": {"text": TEXT}, "why": []}


def test_accounts_add_up() -> None:
    one = Account(2, 1, [MISS], ["a.json"], spent_usd="0.1", saved_usd=None)
    two = Account(1, 1, recorded=["b.json"], spent_usd="0.2", saved_usd="0.05")
    assert one + two == Account(3, 2, [MISS], ["a.json", "b.json"], spent_usd="0.3", saved_usd="0.05")


def test_it_goes_through_json_and_what_is_newer_is_passed_over() -> None:
    account = Account(1, 0, [MISS], [], lost=1)
    assert Account.of(account.as_json() | {"id": "1", "newer": 3}) == account


def test_a_test_without_a_miss_has_no_problem() -> None:
    assert Account(3, 3, recorded=["a.json"], faults=2).problem("t.py::test_a") == ""


def test_a_miss_is_told_as_the_client_was_told_once_and_how_to_record_it() -> None:
    problem = Account(2, 0, [MISS, MISS]).problem("t.py::test_a[a b]")
    assert problem.count(TEXT) == 1
    assert "pytest --wiretape=update 't.py::test_a[a b]'" in problem


def test_a_lost_recording_is_a_problem() -> None:
    assert "1 recording lost" in Account(lost=1).problem("t.py::test_a")


def test_what_was_told_is_not_told_again() -> None:
    first = Account(1, 0, [MISS])
    assert Account(2, 1, [MISS]).since(first).problem("t.py::test_a") == ""
    assert TEXT in Account(2, 0, [MISS, MISS]).since(first).problem("t.py::test_a")
