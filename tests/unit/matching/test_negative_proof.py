"""A thousand pairs of requests that differ in something that matters stay two, by what is built in and every preset."""

from functools import cache

import pytest

from negative_pairs import CWD, FORMS, Pair, conversation, pairs
from wiretape.matching import choice, presets, reduction
from wiretape.matching.rules import MatchContext, MatchRule, Places
from wiretape.recording import RecordedRequest

CHOICES = ("auto", *presets.built_in(), ",".join(presets.built_in()))
"""What is built in alone, each preset, and all of them."""

KNOWN = Places(cwd=(CWD,), home=("/home/dev",), tmp=("/tmp",))

all_pairs = cache(pairs)


def rules_for(chosen: str, form: str) -> tuple[MatchRule, ...]:
    known = presets.built_in()
    policy = presets.policy(choice.parse(chosen, known), known, (), KNOWN)
    return policy.rules_for(MatchContext("", (FORMS[form][1],)))


def digest(rules: tuple[MatchRule, ...], form: str, body: dict[str, object], places: Places) -> str:
    path = FORMS[form][1]
    recorded = path if form in ("chat", "responses") else ""
    request = RecordedRequest(f"https://api.example.com{path}", body, recorded, "" if recorded else "POST")
    return reduction.reducer(rules).reduce(request, places).digest


def folded(chosen: str, form: str, places: Places) -> list[str]:
    """Return what makes no difference by the rules that were chosen."""
    rules = rules_for(chosen, form)

    def is_one(pair: Pair) -> bool:
        return digest(rules, form, pair.one, places) == digest(rules, form, pair.two, places)

    return [pair.what for pair in all_pairs() if pair.form == form and is_one(pair)]


def test_there_are_a_thousand() -> None:
    assert len(all_pairs()) >= 1000
    assert all(pair.one != pair.two for pair in all_pairs())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("chosen", CHOICES)
def test_what_matters_makes_two(chosen: str, form: str) -> None:
    assert folded(chosen, form, KNOWN) == []


@pytest.mark.parametrize("form", FORMS)
def test_what_matters_makes_two_where_no_directory_is_known(form: str) -> None:
    assert folded(CHOICES[-1], form, Places()) == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("chosen", CHOICES)
def test_other_ids_of_the_same_calls_make_none(chosen: str, form: str) -> None:
    body, _ = FORMS[form]
    rules = rules_for(chosen, form)
    one = digest(rules, form, body(conversation(1)), KNOWN)
    assert one == digest(rules, form, body(conversation(1, "toolu_01")), KNOWN)
    assert one != digest((), form, body(conversation(1)), KNOWN)
