"""What of two texts varies from run to run, and what is another text."""

import pytest

from wiretape.matching import texts
from wiretape.matching.rules import Kind, MatchRule, Replacement
from wiretape.matching.texts import TextScanner
from wiretape.matching.varying import varying

# Two texts -> the kinds and the patterns that make them one.
VARY: dict[str, tuple[str, str, tuple[Kind, ...], tuple[str, ...]]] = {
    "a date": ("Today's date is 2026-11-27.", "Today's date is 2026-11-28.", (Kind.DATES,), ()),
    "two kinds": (
        "2026-11-27 0c7a3f60-7a35-4fd8-bb5f-7d2c1e9f3a11",
        "2026-11-28 9c7a3f60-7a35-4fd8-bb5f-7d2c1e9f3a12",
        (Kind.DATES, Kind.UUIDS),
        (),
    ),
    "a hash behind a label": ("v=2.1; cch=7053e; ok", "v=2.1; cch=a1b2c; ok", (), (r"\bcch=([0-9a-f]+);",)),
    "a number behind a label": ("Build: 97 done", "Build: 102 done", (), (r"\bBuild: (\d+)",)),
    "a label of several words": (
        "Run number (x): a7_b",
        "Run number (x): c9-d",
        (),
        (r"\bRun number \(x\): ([A-Za-z0-9_.+-]+)",),
    ),
    "two places": ("a=1, b=2.", "a=3, b=4.", (), (r"\ba=(\d+),", r"\bb=(\d+)\.")),
    "a kind, and a label": ("2026-11-27 run=17", "2026-11-28 run=18", (Kind.DATES,), (r"\brun=(\d+)",)),
    "beside a kind": ("at=2026-11-27 run=17", "at=2026-11-27 run=18", (), (r"\brun=(\d+)",)),
    "letters beyond ASCII": ("Größe=1.5k", "Größe=1.6k", (), (r"\bGröße=([A-Za-z0-9_.+-]+)",)),
}

OTHER: dict[str, tuple[str, str]] = {
    "another question": ("Who are you?", "What is it?"),
    "another word": ("The capital of France", "The capital of Germany"),
    "another word behind a label": ("Question: Ada", "Question: Bob"),
    "another number": ("Add 17 and 4", "Add 18 and 4"),
    "another file": ("Read src/a1.py", "Read src/a2.py"),
    "another id that is spoken of": ("Close ticket PROJ-12", "Close ticket PROJ-13"),
    "more words": ("cch=7053e; ok", "cch=7053e; ok, and so on"),
    "a date, and a question": ("2026-11-27: who?", "2026-11-28: what?"),
    "a date that only one has": ("Today is 2026-11-27.", "Today is fine."),
    "nothing in common": ("a", "b"),
}


@pytest.mark.parametrize(("here", "there", "kinds", "patterns"), VARY.values(), ids=VARY)
def test_what_varies(here: str, there: str, kinds: tuple[Kind, ...], patterns: tuple[str, ...]) -> None:
    found = varying(here, there)
    assert found
    assert found.kinds == kinds
    assert tuple(each.pattern for each in found.patterns) == patterns


@pytest.mark.parametrize(("here", "there", "kinds", "patterns"), VARY.values(), ids=VARY)
def test_without_it_both_are_one(here: str, there: str, kinds: tuple[Kind, ...], patterns: tuple[str, ...]) -> None:
    rule = MatchRule("r", kinds=kinds, replace=tuple(map(Replacement, patterns)))
    scanner = TextScanner(each for each, _ in texts.wanted((rule,)))

    def rest(text: str) -> list[str]:
        kept = []
        end = 0
        for found in texts.apart(scanner.findings(text)):
            kept.append(text[end : found.start])
            end = found.end
        return [*kept, text[end:]]

    assert rest(here) == rest(there)
    assert rest(here) != [here]


@pytest.mark.parametrize(("here", "there"), OTHER.values(), ids=OTHER)
def test_what_is_another_text(here: str, there: str) -> None:
    assert varying(here, there) is None
    assert varying(there, here) is None


@pytest.mark.parametrize(("label", "name"), [("Request Id", "request-id"), ("home", "home-value"), ("Ä", "value")])
def test_what_is_found_has_a_name_which_is_none_of_a_directory(label: str, name: str) -> None:
    found = varying(f"{label}: a1b2", f"{label}: c3d4")
    assert found
    assert [each.name for each in found.patterns] == [name]


def test_a_very_long_text_is_not_looked_at() -> None:
    assert varying("a=1 " + "x" * 100_000, "a=2 " + "x" * 100_000) is None
