"""Recordings of a bucket as commands see them: all sessions or one, captures where they are wanted, and their names."""

from pathlib import Path

import pytest

from wiretape.cli.files_in_bucket import BucketSource, StoredFile
from wiretape.store.directory import DirectoryStore
from wiretape.store.freezing import Frozen, freeze


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> DirectoryStore:
    """Return a store that is on a disk: what is seen here is what any store has."""
    store = DirectoryStore(tmp_path / "bucket")
    for session, name, folder in (
        ("b", "1", "responses"),
        ("a", "2", "responses"),
        ("a", "1", "responses"),
        ("a", "1", "wire"),
        ("a", "gone", "wire"),
    ):
        store.write(session, name, f"{session} {name} {folder}".encode(), replace=False, folder=folder)
    return store


@pytest.mark.parametrize(
    ("session", "captures", "below"),
    [
        (None, False, ["a/responses/1", "a/responses/2", "b/responses/1"]),
        ("a", False, ["a/responses/1", "a/responses/2"]),
        ("b", True, ["b/responses/1", "b/wire/1"]),
        ("a", True, ["a/responses/1", "a/responses/2", "a/wire/1", "a/wire/2"]),  # There may be one of each.
        ("none", True, []),
    ],
)
def test_which_files_there_are(store: DirectoryStore, session: str | None, captures: bool, below: list[str]) -> None:
    assert [file.below for file in BucketSource(store, session).files(captures=captures)] == below


@pytest.mark.parametrize(("session", "below"), [(None, ""), ("a", "/a")])
def test_people_are_told_where_it_is(store: DirectoryStore, session: str | None, below: str) -> None:
    assert str(BucketSource(store, session)) == f"{store.root}{below}"


def test_work_on_many_comes_back_in_their_order(store: DirectoryStore) -> None:
    files = [StoredFile(store, "s", f"{number}") for number in range(600)]
    source = BucketSource(store, None)
    assert [*source.mapped(lambda file: file.name, files)] == [f"{number}" for number in range(600)]
    assert [*source.mapped(lambda file: file.read(), source.files())] == [
        b"a 1 responses",
        b"a 2 responses",
        b"b 1 responses",
    ]


def test_a_recording_and_its_capture(store: DirectoryStore) -> None:
    file = StoredFile(store, "a", "1")
    assert (file.below, file.is_capture) == ("a/responses/1", False)
    assert str(file) == f"{store.root}/a/responses/1.json"
    assert file.read() == b"a 1 responses"
    capture = file.capture()
    assert (capture.below, capture.is_capture) == ("a/wire/1", True)
    assert capture.read() == b"a 1 wire"
    assert StoredFile(store, "a", "2").capture().read() is None


def test_a_state_is_another_after_a_change(store: DirectoryStore) -> None:
    source = BucketSource(store, "a")
    before = [file.state() for file in source.files()]
    assert [file.state() for file in source.files()] == before
    store.write("a", "1", b"another text", replace=True)
    after = [file.state() for file in source.files()]
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, True]


def test_it_is_written_where_it_is_and_removed(store: DirectoryStore) -> None:
    file = StoredFile(store, "a", "1", "wire")
    assert not file.write(b"new", replace=False)
    assert file.read() == b"a 1 wire"
    assert file.write(b"new", replace=True)
    assert file.read() == b"new"
    assert StoredFile(store, "a", "1").read() == b"a 1 responses"
    file.remove()
    file.remove()
    assert file.read() is None


def test_another_name_is_beside_it_or_below_another_folder(store: DirectoryStore, tmp_path: Path) -> None:
    file = StoredFile(store, "a", "1", "wire")
    assert file.named("3", None) == StoredFile(store, "a", "3", "wire")
    elsewhere = file.named("3", tmp_path / "new")
    assert elsewhere.write(b"new", replace=False)
    assert (tmp_path / "new" / "a" / "wire" / "3.json").read_bytes() == b"new"
    assert StoredFile(store, "a", "3", "wire").read() is None


def test_the_mark_in_the_store_freezes_its_session_alone(store: DirectoryStore) -> None:
    freeze(store, "a", Frozen("ci"))
    assert [(file.below, file.is_frozen) for file in BucketSource(store, None).files()] == [
        ("a/responses/1", True),
        ("a/responses/2", True),
        ("b/responses/1", False),
    ]
