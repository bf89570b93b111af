"""Files that are written at once: seen before, whole afterwards, and never over another's."""

import os
from pathlib import Path

import pytest

from wiretape.store.base import WIRE
from wiretape.store.directory import DirectoryStore
from wiretape.store.grouped import GroupedStore


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> GroupedStore:
    return GroupedStore(DirectoryStore(tmp_path))


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_what_waits_is_seen_and_then_it_is_there(store: GroupedStore, tmp_path: Path) -> None:
    assert store.write("s", "a", b"1", replace=False)
    assert store.write("s", "a", b"wire", replace=True, folder=WIRE)
    assert not store.write("s", "a", b"2", replace=False)
    assert (store.read("s", "a"), store.exists("s", "a"), store.read("s", "b")) == (b"1", True, None)
    assert store.state("s", "a") is not None
    assert files(tmp_path) == {}
    assert store.commit() == set()
    assert files(tmp_path) == {"s/responses/a.json": b"1", "s/wire/a.json": b"wire"}
    assert store.commit() == set()


def test_the_last_one_that_replaces_is_written(store: GroupedStore, tmp_path: Path) -> None:
    for data in (b"1", b"2", b"3"):
        store.write("s", "a", data, replace=True)
    assert store.commit() == set()
    assert files(tmp_path) == {"s/responses/a.json": b"3"}


def test_a_name_that_another_process_took_is_not_ours_nor_what_goes_with_it(
    store: GroupedStore, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        store.write("s", name, b"ours", replace=False)
        store.write("s", name, b"our wire", replace=True, folder=WIRE)
    other = DirectoryStore(tmp_path)
    other.write("s", "a", b"theirs", replace=False)
    other.write("s", "a", b"their wire", replace=True, folder=WIRE)
    assert store.commit() == {("s", "a", "responses"), ("s", "a", "wire")}
    assert files(tmp_path) == {
        "s/responses/a.json": b"theirs",
        "s/wire/a.json": b"their wire",
        "s/responses/b.json": b"ours",
        "s/wire/b.json": b"our wire",
    }


def test_what_is_not_on_the_disk_gets_no_name(
    store: GroupedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []

    def fsync(file: int) -> None:
        synced.append(file)
        if os.fstat(file).st_size == 3:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr("os.fsync", fsync)
    store.write("s", "a", b"bad", replace=False)
    store.write("s", "b", b"good", replace=False)
    assert store.commit() == {("s", "a", "responses")}
    assert files(tmp_path) == {"s/responses/b.json": b"good"}
    # Each file, then the folder once.
    assert len(synced) == 3


def test_a_file_that_cannot_be_written_holds_up_no_other(store: GroupedStore, tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("no folder")
    with pytest.raises(OSError, match="Not a directory"):
        store.write("bad", "a", b"1", replace=False)
    store.write("bad", "a", b"1", replace=True)
    store.write("good", "a", b"1", replace=False)
    assert store.commit() == {("bad", "a", "responses")}
    assert (tmp_path / "good" / "responses" / "a.json").read_bytes() == b"1"


def test_nothing_is_written_through_a_link_out_of_the_folder(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "recordings" / "default").mkdir(parents=True)
    (tmp_path / "recordings" / "default" / "responses").symlink_to(elsewhere)
    group = GroupedStore(DirectoryStore(tmp_path / "recordings"))
    assert group.write("default", "abc", b"x", replace=True)
    assert group.commit() == {("default", "abc", "responses")}
    assert [*elsewhere.iterdir()] == []


def test_a_digest_is_that_of_what_waits_or_is_there(store: GroupedStore) -> None:
    assert store.digest("s", "a") is None
    store.write("s", "a", b"1", replace=True)
    told = store.digest("s", "a")
    assert told == "sha256:6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
    store.commit()
    assert store.digest("s", "a") == told


def test_what_waits_goes_with_a_file_that_is_removed(store: GroupedStore, tmp_path: Path) -> None:
    store.write("s", "a", b"1", replace=True)
    store.commit()
    store.write("s", "a", b"2", replace=True)
    assert store.size == 1
    store.remove("s", "a")
    assert (store.size, store.read("s", "a")) == (0, None)
    assert store.commit() == set()
    assert files(tmp_path) == {}


def test_its_state_changes_with_what_waits(store: GroupedStore) -> None:
    assert store.state("s", "a") is None
    states = []
    for data in (b"1", b"2"):
        store.write("s", "a", data, replace=True)
        states.append(store.state("s", "a"))
    store.commit()
    states.append(store.state("s", "a"))
    assert len(set(states)) == 3


def test_all_else_is_the_directorys(store: GroupedStore, tmp_path: Path) -> None:
    store.write("s", "a", b"1", replace=True)
    assert (store.sessions(), [*store.scan("s")]) == ([], []), "a list tells what is there"
    store.commit()
    assert (store.sessions(), [*store.scan("s")]) == (["s"], ["a"])
    assert store.url == str(tmp_path)
    assert store.where("s", "a") == str(tmp_path / "s" / "responses" / "a.json")
    assert store.fetch("s", [("a", "responses")]) == {}
    store.check_writable("s")
    store.refresh("s")
    store.glance("s")
    store.start()
    store.close()


def test_a_disk_that_fails_is_told_by_what_was_not_written(
    store: GroupedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(file: int) -> None:
        raise OSError("the disk fails")

    store.write("s", "a", b"1", replace=False)
    with monkeypatch.context() as failing:
        failing.setattr(os, "fsync", fail)
        assert store.commit() == {("s", "a", "responses")}
    assert files(tmp_path) == {}
