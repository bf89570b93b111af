"""What a command found out is noted for one state of a file, one set of rules on secrets, and one version."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import wiretape
from wiretape import redaction
from wiretape.library.ledger import Ledger
from wiretape.redaction import RedactionPolicy, Redactor
from wiretape.store.notes import Notes

FOUND = {"a": ["one", "two"], "b": []}
STATES = {"a": (1, 2), "b": (3, 4)}


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Any:
    notes = Notes(tmp_path / "notes")
    yield SimpleNamespace(notes=notes, is_quick=False)
    notes.close()


def kept(store: Any, kind: str = "#ls") -> Ledger:
    ledger = Ledger(store, kind, 1)
    ledger.keep(FOUND, STATES)
    return ledger


def test_what_is_kept_is_known_to_the_next(store: Any) -> None:
    kept(store)
    assert Ledger(store, "#ls", 1).known(STATES) == {"a": ["one", "two"], "b": []}
    assert Ledger(store, "#ls", 1).known({"a": (1, 2)}) == {"a": ["one", "two"]}


def test_a_file_that_is_another_by_now_is_not_known(store: Any) -> None:
    assert kept(store).known({"a": (1, 3), "b": (3, 4), "c": (1, 2)}) == {"b": []}


def test_each_kind_has_its_own(store: Any) -> None:
    kept(store)
    assert Ledger(store, "#verify", 1).known(STATES) == {}


def test_with_other_rules_on_secrets_nothing_is_known(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(store)
    monkeypatch.setattr(redaction, "DEFAULT", Redactor(RedactionPolicy(pii=True)))
    assert Ledger(store, "#ls", 1).known(STATES) == {}


def test_nor_with_another_version(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(store)
    monkeypatch.setattr(wiretape, "__version__", "9.9.9")
    assert Ledger(store, "#ls", 1).known(STATES) == {}


def test_of_few_files_on_a_disk_of_this_machine_nothing_is_noted(store: Any) -> None:
    store.is_quick = True
    for files, known in ((1000, {}), (1001, FOUND)):
        ledger = Ledger(store, f"#{files}", files)
        ledger.keep(FOUND, STATES)
        assert ledger.known(STATES) == known


def test_a_store_without_notes_knows_nothing(store: Any) -> None:
    store.notes = None
    assert kept(store).known(STATES) == {}
