"""Of which sessions it can be told what no test asks for any more.

A recording is unused where every test that could have asked for it has run to its end and has not. So a session is
judged only if

- all of its tests have passed: one that fails, is skipped or never begins may not have asked for everything;
- nothing was left out of its files: no ``-k``, ``-m``, ``--lf``, no test named on the command line;
- where markers name the session, so that it may be that of other files as well: the whole suite was to run.

Each test's report tells how many tests its session has, and whether nothing was left out: the processes of xdist all
read all files, and each runs a part of them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any, Self

import pytest

from wiretape.pytest_plugin import names


@dataclass(frozen=True, slots=True)
class Collected:
    """The tests that were found, by their sessions."""

    tests: Mapping[str, int]
    whole: Set[str]
    """The sessions of which nothing was left out."""

    @classmethod
    def of(cls, tests: Iterable[tuple[str, str]], left_out: Set[str] | None, *, is_suite: bool) -> Self:
        """Return what was found, given each test's file and session.

        ``left_out`` are the files of which not all tests run; None where nothing tells which these are.
        """
        files: dict[str, set[str]] = {}
        counts: Counter[str] = Counter()
        for file, session in tests:
            files.setdefault(session, set()).add(file)
            counts[session] += 1
        if left_out is None:
            return cls(counts, frozenset())
        whole = {
            session
            for session, its in files.items()
            if not left_out & its and (is_suite or {names.session_of(file) for file in its} == {session})
        }
        return cls(counts, whole)

    def told(self, session: str) -> dict[str, Any]:
        """Return what a test's report tells of its session."""
        return {"session": session, "tests": self.tests[session], "is_whole": session in self.whole}


def left_out(config: pytest.Config, deselected: Set[str]) -> Set[str] | None:
    """Return the files of which not all tests run; None where nothing tells which these are."""
    if config.getoption("lf", False):
        return None
    named = {argument.partition("::")[0] for argument in config.args if "::" in argument}
    paths = [(config.invocation_params.dir / each).resolve() for each in named]
    root = config.rootpath.resolve()
    return deselected | {path.relative_to(root).as_posix() for path in paths if path.is_relative_to(root)}


def is_suite(config: pytest.Config, deselected: Set[str]) -> bool:
    """Return whether all tests there are were to run."""
    if deselected or config.getoption("ignore", None) or config.getoption("ignore_glob", None):
        return False
    source = config.args_source
    if source is pytest.Config.ArgsSource.TESTPATHS:
        return True
    places = [(config.invocation_params.dir / argument).resolve() for argument in config.args]
    return config.rootpath.resolve() in places
