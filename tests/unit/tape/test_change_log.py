from wiretape.tape import change_log
from wiretape.tape.change_log import ChangeLog


def test_changes_are_told_since_a_number() -> None:
    log = ChangeLog()
    log.add("a")
    number = log.number
    assert log.since(number) == set()
    log.add("b")
    log.add("b")
    log.add("a")
    assert log.since(number) == {"a", "b"}
    assert log.number == number + 3


def test_what_is_too_long_ago_is_not_known() -> None:
    log = ChangeLog()
    for number in range(3 * change_log._KEPT):
        log.add(str(number))
    assert log.number == 3 * change_log._KEPT
    assert log.since(0) is None
    assert log.since(log.number - 2) == {str(log.number - 1), str(log.number - 2)}
