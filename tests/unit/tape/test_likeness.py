from wiretape.matching.parts import LeftOut, Taken
from wiretape.matching.reduction import Reduced
from wiretape.matching.rules import MatchRule
from wiretape.tape import likeness
from wiretape.tape.likeness import Conversations, values_of

RULE = MatchRule("ids")


def values(*taken: object) -> bytes:
    return values_of(Reduced("00", tuple(Taken(RULE, "id", each) for each in taken), (), {}))


def test_values_that_differ_are_counted() -> None:
    none_known = Conversations()
    assert none_known.differing(values("a", "b"), values("a", "b")) == 0
    assert none_known.differing(values("a", "b"), values("x", "b")) == 1
    assert none_known.differing(values("a", "b"), values("a")) == 1
    assert none_known.differing(values({"a": 1, "b": 2}), values({"b": 2, "a": 1})) == 0
    assert none_known.differing(values({"a": 1}), values({"a": 2})) == 1


def test_what_was_left_out_is_compared_by_its_place() -> None:
    def without(**left: str) -> bytes:
        return values_of(Reduced("00", (), tuple(LeftOut(RULE, (name,), value) for name, value in left.items()), {}))

    none_known = Conversations()
    assert none_known.differing(without(a="1", b="2"), without(b="2")) == 1
    assert none_known.differing(without(b="2"), without(a="1", b="2")) == 1
    assert none_known.differing(without(b="2"), without(b="3")) == 1
    assert none_known.differing(without(b="2", a="1"), without(a="1", b="2")) == 0


def test_a_directory_of_several_paths_moves_no_other_value() -> None:
    def of(*paths: str) -> bytes:
        directories = (Taken(RULE, "cwd", path, is_directory=True) for path in paths)
        return values_of(Reduced("00", (*directories, Taken(RULE, "id", "a")), (), {}))

    assert Conversations().differing(of("/one"), of("/two", "/three")) == 2


def test_a_value_that_stood_for_another_does_not_differ_from_it() -> None:
    known = Conversations()
    known.remember(values("recorded", "call_1"), values("present", "call_1"))
    assert known.differing(values("recorded"), values("present")) == 0
    assert known.differing(values("other"), values("present")) == 1
    known.remember(values("other"), values("present"))
    assert known.differing(values("recorded"), values("present")) == 1
    assert known.differing(values("other"), values("present")) == 0


def test_what_is_remembered_is_bounded() -> None:
    known = Conversations()
    for number in range(likeness._KNOWN + 10):
        known.remember(values(f"recorded {number}"), values(f"present {number}"))
    assert known.differing(values("recorded 0"), values("present 0")) == 1
    assert len(values(*range(10 * likeness._VALUES))) == 8 * likeness._VALUES
