"""Rules in plain words: each thing that a rule can do has a sentence."""

import pytest

from wiretape.cli.rule_texts import told
from wiretape.matching.choice import MatchChoice
from wiretape.matching.rules import Kind, MatchRule, Replacement, Selector, Unordered


def lines(rule: MatchRule) -> list[str]:
    """What is told of a rule of a team's own."""
    every = [*told(MatchChoice(is_auto=True), {}, (rule,))]
    return [line.strip() for line in every[every.index("  own") + 1 :]]


BOUND = "In the answer, what was recorded becomes what is there now."


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (MatchRule("own", ignore=("$.a", "$.b", "$.c")), ["What is at $.a, $.b and $.c does not count."]),
        (
            MatchRule("own", ids=("$.a",), references=("$.b",)),
            [
                "Ids at $.a count by the order in which they first appear, not by their letters.",
                "What is at $.b counts as the id that it equals; where there is none, as it is.",
                BOUND,
            ],
        ),
        (
            MatchRule("own", replace=(Replacement("x"), Replacement("y", "$.a", is_tracked=True)), bind=False),
            [
                'What "x" finds in any text does not count.',
                'What "y" finds in the text at $.a does not count, but equal ones have to be equal again.',
                "In the answer, what was recorded stays.",
            ],
        ),
        (
            MatchRule("own", replace=(Replacement("x", name="home"),)),
            ['What "x" finds in any text is the home directory: it does not count, wherever it stands.', BOUND],
        ),
        (
            MatchRule("own", kinds=(Kind.DATES, Kind.PIDS), paths=("$.a",)),
            ["In the text at $.a, dates and numbers of processes do not count.", BOUND],
        ),
        (
            MatchRule("own", unordered=(Unordered.TOOLS, Unordered.TOOL_RESULTS)),
            [
                "The order of the tools does not count.",
                "The order of the results of calls that were made at once does not count.",
            ],
        ),
        (
            MatchRule("own", numbers=True, whitespace=True),
            [
                "Numbers such as 1 and 1.0 are the same.",
                "Blanks and line ends between words are the same, however many there are.",
            ],
        ),
        (
            MatchRule("own", numbers=True, applies=Selector(("openai",), ("/a", "/b"), sessions=("main",))),
            ["Numbers such as 1 and 1.0 are the same.", "For provider openai; endpoint /a or /b; session main."],
        ),
    ],
)
def test_what_a_rule_does_is_said(rule: MatchRule, said: list[str]) -> None:
    assert lines(rule) == said


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_has_words(kind: Kind) -> None:
    assert "do not count." in lines(MatchRule("own", kinds=(kind,)))[0]
