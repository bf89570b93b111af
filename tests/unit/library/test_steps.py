"""Calls as the steps of a run, and where two runs part."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from told_calls import call
from wiretape.call_log.call import Outcome
from wiretape.library.conversation import Part, PartKind, Turn
from wiretape.library.steps import Said, Step, gist, parting, steps_of, totals
from wiretape.providers.usage import Usage


def text(role: str, said: str) -> Turn:
    return Turn(role, (Part(PartKind.TEXT, said),))


def calling(id_: str = "1", thought: str = "") -> Turn:
    thinking = (Part(PartKind.REASONING, thought),) if thought else ()
    return Turn("assistant", (*thinking, Part(PartKind.TOOL_CALL, '{"city": "Bern"}', "weather", id_)))


def result(said: str = "sunny", id_: str = "1") -> Turn:
    return Turn("tool", (Part(PartKind.TOOL_RESULT, said, "", id_),))


SYSTEM = text("system", "Be brief.")
ASKED = text("user", "Weather in Bern?")
DONE = text("assistant", "It is sunny.")

FIRST = Said([SYSTEM, ASKED], [calling(thought="Let me look.")])
SECOND = Said([SYSTEM, ASKED, calling(), result()], [DONE])


def steps(*said: Said | None) -> list[Step]:
    return steps_of((call(Outcome.HIT), each) for each in said)


def test_a_step_has_what_is_new_in_its_request() -> None:
    first, second = steps(FIRST, SECOND)
    assert (first.new, first.follows) == ([SYSTEM, ASKED], 0)
    assert first.tools == ["weather"]
    assert second.new == [result()], "the answer to the first comes back without what was thought"
    assert (second.follows, second.tools, second.answer) == (1, [], [DONE])


def test_an_answer_that_comes_back_as_another_one_is_new() -> None:
    _, second = steps(FIRST, replace(SECOND, request=[SYSTEM, ASKED, text("assistant", "No."), result()]))
    assert second.new == [text("assistant", "No."), result()]


def test_conversations_that_go_on_at_once_are_told_apart() -> None:
    other = Said([text("user", "Another one")], [text("assistant", "Yes.")])
    found = steps(FIRST, other, SECOND, FIRST, None)
    assert [each.follows for each in found] == [0, 0, 1, 3, 0]
    assert found[2].new == [result()]
    assert found[3].new == [], "it asks what was asked before"
    assert found[4].said is None


def test_what_steps_took_together() -> None:
    costing = [
        call(Outcome.HIT, usage=Usage(input=5, output=7), cost_usd=Decimal("0.25")),
        call(Outcome.RECORDED, usage=Usage(input=1, output=2), cost_usd=Decimal("0.5")),
        call(Outcome.PASSED, usage=Usage(output=1)),
        call(Outcome.MISS),
    ]
    all_ = totals(steps_of((each, None) for each in costing))
    assert (all_.input, all_.output, all_.cost_usd, all_.spent_usd, all_.unpriced) == (
        6,
        10,
        Decimal("0.75"),
        Decimal("0.5"),
        1,
    )


OTHER_IDS = [
    Said([SYSTEM, ASKED], [calling("call_x", "Let me look.")]),
    Said([SYSTEM, ASKED, calling("call_x"), result(id_="call_x")], [DONE]),
]


@pytest.mark.parametrize(
    ("here", "there", "same", "ends"),
    [
        ([FIRST, SECOND], [FIRST, SECOND], 2, (None, None)),
        ([FIRST, SECOND], OTHER_IDS, 2, (None, None)),
        ([FIRST, SECOND], [FIRST], 1, (2, None)),
        ([], [FIRST], 0, (None, 1)),
        ([FIRST, SECOND], [FIRST, replace(SECOND, answer=[text("assistant", "It rains.")])], 1, (2, 2)),
        ([FIRST, SECOND], [FIRST, Said([SYSTEM, ASKED, calling(), result("rain")], [DONE])], 1, (2, 2)),
        ([None], [None], 0, (1, 1)),
    ],
)
def test_two_runs_are_the_same_up_to_where_they_part(
    here: Sequence[Said], there: Sequence[Said], same: int, ends: tuple[int | None, int | None]
) -> None:
    found = parting(steps(*here), steps(*there))
    assert len(found.same) == same
    assert (found.here and found.here.number, found.there and found.there.number) == ends


def test_the_same_recording_is_the_same_step() -> None:
    one, two = (
        steps_of([(call(Outcome.HIT, recording="a", recorded_in=session), FIRST)]) for session in ("default", "base")
    )
    assert len(parting(one, two).same) == 1
    (missed,) = steps_of([(call(Outcome.MISS), replace(FIRST, answer=[]))])
    assert parting(one, [missed]).same == [], "there was no answer"


@pytest.mark.parametrize(
    ("turns", "line"),
    [
        ([], ""),
        ([SYSTEM, ASKED], "Weather in Bern?"),
        ([calling(thought="Hm.")], 'weather({"city": "Bern"})'),
        ([result("two\n lines")], "→ two lines"),
        ([Turn("user", (Part(PartKind.IMAGE, "x" * 10**6),))], "image"),
    ],
)
def test_a_gist_is_a_line(turns: list[Turn], line: str) -> None:
    assert gist(turns) == line


def test_a_gist_is_short() -> None:
    assert len(gist([text("user", "word " * 10**6)])) < 200
