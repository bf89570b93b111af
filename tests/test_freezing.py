"""A frozen session: the mark is in the store, where every proxy sees it."""

from pathlib import Path
from uuid import uuid4

import pytest

import s3
from wiretape.freezing import Frozen, freeze, is_frozen, mark, thaw
from wiretape.store.base import Store
from wiretape.store.directory import DirectoryStore

ANN = Frozen("ann", "2026-01-31T12:00:00Z")


@pytest.fixture(name="store", params=["directory", "moto"])
def _store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    if request.param == "directory":
        return DirectoryStore(tmp_path / "recordings")
    for name, value in request.getfixturevalue(request.param).env.items():
        monkeypatch.setenv(name, value)
    return s3.store(f"freezing/{uuid4().hex}")


def test_there_and_back(store: Store) -> None:
    store.write("team", "abc", b"{}", replace=False)
    assert not is_frozen(store, "team")
    assert mark(store, "team") is None
    assert freeze(store, "team", ANN)
    assert is_frozen(store, "team")
    assert not is_frozen(store, "other")
    assert mark(store, "team") == ANN
    assert list(store.scan("team")) == ["abc"]
    thaw(store, "team")
    thaw(store, "team")
    assert not is_frozen(store, "team")
    assert store.read("team", "abc") == b"{}"


def test_who_froze_it_first_stays(store: Store) -> None:
    assert freeze(store, "team", ANN)
    assert not freeze(store, "team", Frozen("bob", "2027-01-01T00:00:00Z"))
    assert mark(store, "team") == ANN


def test_another_proxy_sees_it(tmp_path: Path) -> None:
    freeze(DirectoryStore(tmp_path), "team", ANN)
    assert is_frozen(DirectoryStore(tmp_path), "team")


@pytest.mark.parametrize("text", ["", "[]", "1", "frozen by hand"])
def test_a_mark_that_says_nothing_is_a_mark(tmp_path: Path, text: str) -> None:
    store = DirectoryStore(tmp_path)
    freeze(store, "team", ANN)
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    file.write_text(text)
    assert is_frozen(store, "team")
    assert str(mark(store, "team")) == "frozen"


def test_in_words() -> None:
    assert str(ANN) == "frozen by ann at 2026-01-31T12:00:00Z"
