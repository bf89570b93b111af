"""The stores that a writer writes to: each opened once, and who writes is told how its session is recorded."""

from collections.abc import Callable
from pathlib import Path

import pytest

from exchanges import config
from wiretape.exceptions import ConfigurationError
from wiretape.journal import stores
from wiretape.journal.stores import Stores
from wiretape.policy import Mode, Takes
from wiretape.store.directory import DirectoryStore
from wiretape.store.grouped import GroupedStore

type Choice = Callable[[str], tuple[Mode, Takes]]


def test_a_place_is_opened_once_for_all_its_sessions(tmp_path: Path) -> None:
    ours = Stores()
    store = ours.of(config(tmp_path / "a", session="one"))
    assert isinstance(store, DirectoryStore)
    assert store.root == tmp_path / "a"
    assert ours.of(config(tmp_path / "a", session="two")) is store
    assert ours.of(config(tmp_path / "b", session="one")) is not store


def test_a_directory_has_one_group_for_several_exchanges(tmp_path: Path) -> None:
    ours = Stores()
    group = ours.group(config(tmp_path))
    assert isinstance(group, GroupedStore)
    assert group.url == str(tmp_path)
    assert ours.group(config(tmp_path, session="other")) is group


def test_a_bucket_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "XDG_CACHE_HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    ours = Stores()
    how = config("s3://bucket/prefix")
    assert ours.group(how) is None
    assert ours.of(how).url == "s3://bucket/prefix"
    ours.close()


def test_what_is_no_place_is_said(tmp_path: Path) -> None:
    del tmp_path
    with pytest.raises(ConfigurationError, match="is no store"):
        Stores().of(config("ftp://host/a"))


def test_what_waited_for_its_store_is_treated_as_its_session_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Choice] = []
    monkeypatch.setattr(stores, "conflict_resolver", given.append)
    ours = Stores()
    ours.of(config(tmp_path, session="one", mode=Mode.RECORD, takes=Takes.SEQUENCE))
    ours.of(config(tmp_path, session="two", mode=Mode.RECORD, takes=Takes.FIRST))
    ours.of(config(tmp_path, session="two", mode=Mode.RECORD_IF_MISSING, takes=Takes.CYCLE))
    (choice,) = given
    assert {name: choice(name) for name in ("one", "two", "of an earlier process")} == {
        "one": (Mode.RECORD, Takes.SEQUENCE),
        "two": (Mode.RECORD_IF_MISSING, Takes.CYCLE),
        "of an earlier process": (Mode.RECORD_IF_MISSING, Takes.LAST),
    }
