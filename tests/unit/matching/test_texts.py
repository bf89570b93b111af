import pytest

from wiretape.matching.rules import MatchRule
from wiretape.matching.texts import Directories, TextScanner, Wanted

RULE = MatchRule("own")


def test_places_are_in_characters() -> None:
    scanner = TextScanner([Wanted(RULE, r"PGID: (\d+)", "pid")])
    (found,) = scanner.findings("é PGID: 12 é")
    assert (found.start, found.end, found.value) == (8, 10, "12")


def test_what_is_no_pattern_is_said() -> None:
    with pytest.raises(ValueError, match="is no pattern of RE2"):
        TextScanner([Wanted(RULE, "(?=x)", "x")])


def test_patterns_that_are_too_large_together_are_looked_for_one_by_one() -> None:
    rule = MatchRule("x")
    patterns = [rf"\pL{{{50 + number}}}x" for number in range(8)]
    scanner = TextScanner([*(Wanted(rule, each, "long") for each in patterns), Wanted(rule, r"build (\d+)", "build")])
    assert [(each.value, each.wanted.name) for each in scanner.findings("\u00e9 build 12")] == [("12", "build")]


def test_a_directory_ends_where_a_name_does() -> None:
    directories = Directories()
    directories.add(RULE, "cwd", "/home/a/proj")
    found = directories.findings("/home/a/proj. /home/a/project /home/a/proj.bak /home/a/proj/x")
    assert [each.start for each in found] == [0, 47]


def test_directories_are_few_whatever_a_recording_names() -> None:
    directories = Directories()
    directories.add(RULE, "cwd", *(f"/work/{number}" for number in range(100_000)))
    directories.add(RULE, "home", "/home/a")
    assert [each.value for each in directories.findings("/work/1 /work/31 /work/32 /home/a")] == ["/work/31", "/work/1"]


def test_a_name_that_is_made_of_a_directory_stands_alone_too() -> None:
    directories = Directories()
    directories.add(RULE, "home", "/root")
    found = directories.findings("~/.claude/projects/-root/x non-root -root-x --root")
    assert [(each.start, each.value) for each in found] == [(19, "-root")]
