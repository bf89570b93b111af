"""A value that came into an answer is taken out where the client sends it back; a user's own letters are not."""

import json

import pytest

from wiretape.matching import reduction
from wiretape.matching.reduction import Reduced
from wiretape.matching.rules import MatchRule, Places, Replacement
from wiretape.providers.answers import HttpResponse
from wiretape.recording import RecordedRequest

CHAT = "/chat/completions"
TODAY = MatchRule("today", replace=(Replacement(r"Today's date is (\S+)", name="date"),))
FRIDAY = "2026-11-27"
MONDAY = "2026-11-30"


def reduced(today: str, question: str, *answers: str, rule: MatchRule = TODAY) -> Reduced:
    messages = [{"role": "system", "content": f"Today's date is {today}\n"}, {"role": "user", "content": question}]
    messages += [{"role": "assistant", "content": text} for text in answers]
    request = RecordedRequest(f"https://api.openai.com/v1{CHAT}", {"messages": messages}, CHAT)
    return reduction.reducer((rule,)).reduce(request, Places())


def played(recorded: Reduced, present: Reduced, text: str) -> str:
    answer = HttpResponse(200, (("content-type", "text/plain"),), (text.encode(),))
    return reduction.bindings(recorded, present).rewrite(answer).body.decode()


@pytest.mark.parametrize(
    "answer", ["It is {}.", "{}", 'A call: {"day": "\\n{}", "also": "{}"}', "/home/a/{}.txt \0date\0", "\ud800 {}"]
)
def test_what_an_answer_was_given_comes_back(answer: str) -> None:
    recorded = reduced(FRIDAY, "Write the date down", answer.replace("{}", FRIDAY))
    present = reduced(MONDAY, "Write the date down", answer.replace("{}", MONDAY))
    assert recorded.digest == present.digest
    assert recorded.digest != reduced(MONDAY, "Write the date down", answer.replace("{}", "2026-12-01")).digest
    assert played(recorded, present, f"On {FRIDAY}") == f"On {MONDAY}"


@pytest.mark.parametrize("question", ["What was on {}?", "Dates:\n{}", '{"day":"{}"}'])
def test_what_a_user_typed_too_stays(question: str) -> None:
    question = question.replace("{}", FRIDAY)
    recorded = reduced(FRIDAY, question, f"On {FRIDAY} it rained")
    present = reduced(MONDAY, question, f"On {FRIDAY} it rained")
    assert recorded.digest == present.digest
    assert recorded.digest != reduced(MONDAY, question, f"On {MONDAY} it rained").digest
    assert played(recorded, present, f"On {FRIDAY}") == f"On {FRIDAY}"


def test_a_part_of_another_word_is_not_typed() -> None:
    recorded = reduced(FRIDAY, f"build{FRIDAY}")
    assert played(recorded, reduced(MONDAY, f"build{FRIDAY}"), FRIDAY) == MONDAY


def test_two_values_stay_two() -> None:
    rule = MatchRule(
        "days", replace=(Replacement(r"Today's date is (\S+)\n", name="date"), Replacement("due (\\S+)", name="date"))
    )
    recorded = reduced(FRIDAY, f"due {MONDAY}", FRIDAY, rule=rule)
    assert recorded.digest == reduced(MONDAY, "due 2026-12-03", MONDAY, rule=rule).digest
    assert recorded.digest != reduced(MONDAY, "due 2026-12-03", "2026-12-03", rule=rule).digest


def test_what_is_not_bound_is_not_looked_for() -> None:
    rule = MatchRule("today", replace=TODAY.replace, bind=False)
    assert reduced(FRIDAY, "x", FRIDAY, rule=rule).digest != reduced(MONDAY, "x", MONDAY, rule=rule).digest
    assert json.dumps(reduced(FRIDAY, "x", FRIDAY, rule=rule).body).count(FRIDAY) == 1
