"""What commands have noted of recordings: it holds for a state of a file, and for the rules on secrets."""

from collections.abc import Hashable, Mapping
from pathlib import Path

import pytest

from wiretape.library.ledger import Ledger
from wiretape.redaction import DEFAULT
from wiretape.store.opening import open_store

STATES: Mapping[str, Hashable] = {"a": (1, 2), "b": (3, 4)}
FOUND = {"a": ["one"], "b": ["two", "three"]}


def opened(folder: Path, files: int = 2000, kind: str = "s#kind") -> Ledger:
    return Ledger(open_store(str(folder / "recordings"), local=folder / "local"), kind, files)


def test_what_was_found_out_is_known_while_the_files_are_as_they_were(tmp_path: Path) -> None:
    opened(tmp_path).keep(FOUND, STATES)
    assert opened(tmp_path).known(STATES) == FOUND
    assert opened(tmp_path).known({"a": (1, 2), "b": (3, 5)}) == {"a": ["one"]}
    assert opened(tmp_path).known({"a": (1, 2)}) == {"a": ["one"]}
    assert opened(tmp_path, kind="s#other").known(STATES) == {}


def test_of_few_files_nothing_is_noted(tmp_path: Path) -> None:
    opened(tmp_path, files=1000).keep(FOUND, STATES)
    assert opened(tmp_path).known(STATES) == {}


@pytest.mark.parametrize("what", ["version", "rules"])
def test_it_holds_for_a_version_and_for_the_rules_on_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    opened(tmp_path).keep(FOUND, STATES)
    if what == "version":
        monkeypatch.setattr("wiretape.__version__", "0.0.0")
    else:
        monkeypatch.setattr(type(DEFAULT), "fingerprint", "other rules")
    assert opened(tmp_path).known(STATES) == {}
