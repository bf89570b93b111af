"""Recordings in a directory: whole or not at all, whoever else writes."""

import errno
import os
import threading
from pathlib import Path

import pytest

from wiretape.exceptions import NotARecordingError, StoreUnavailableError
from wiretape.store.directory import DirectoryStore


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "recordings")


def every_file(store: DirectoryStore) -> set[str]:
    return {str(path.relative_to(store.root)) for path in store.root.rglob("*") if path.is_file()}


def test_a_recording_is_a_file_below_session_and_responses(store: DirectoryStore) -> None:
    assert store.write("team", "abc", b"x", replace=False)
    assert every_file(store) == {"team/responses/abc.json"}
    assert store.path("team", "abc").read_bytes() == b"x"
    assert store.read("team", "abc") == b"x"


def test_what_is_not_there_is_none(store: DirectoryStore) -> None:
    assert store.read("default", "abc") is None
    store.write("default", "other", b"x", replace=False)
    assert store.read("default", "abc") is None
    assert store.read("another", "other") is None


def test_looking_makes_no_folder(store: DirectoryStore) -> None:
    store.read("default", "abc")
    store.scan("default")
    assert not store.root.exists()


def test_replace_replaces(store: DirectoryStore) -> None:
    assert store.write("default", "abc", b"a longer first", replace=True)
    assert store.write("default", "abc", b"second", replace=True)
    assert store.read("default", "abc") == b"second"
    assert every_file(store) == {"default/responses/abc.json"}


def test_without_replace_the_first_stays(store: DirectoryStore) -> None:
    assert store.write("default", "abc", b"first", replace=False)
    assert not store.write("default", "abc", b"second", replace=False)
    assert store.read("default", "abc") == b"first"
    assert every_file(store) == {"default/responses/abc.json"}


def test_replacing_leaves_a_reader_with_the_whole_old_file(store: DirectoryStore) -> None:
    store.write("default", "abc", b"old " * 1000, replace=True)
    with store.path("default", "abc").open("rb") as reading:
        store.write("default", "abc", b"new", replace=True)
        assert reading.read() == b"old " * 1000


def test_colleagues_can_read_a_recording(store: DirectoryStore) -> None:
    store.write("default", "abc", b"x", replace=False)
    assert store.path("default", "abc").stat().st_mode & 0o044 == 0o044


@pytest.mark.parametrize("replace", [True, False])
def test_a_write_that_fails_leaves_no_temporary_file(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, replace: bool
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    store.write("default", "abc", b"first", replace=True)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            store.write("default", "abc", b"second", replace=replace)
        with pytest.raises(OSError, match="No space left"):
            store.write("default", "new", b"second", replace=replace)
    assert every_file(store) == {"default/responses/abc.json"}
    assert store.read("default", "abc") == b"first"
    assert set(store.scan("default")) == {"abc"}


def test_a_folder_in_the_recordings_place_is_an_error_and_stays(store: DirectoryStore) -> None:
    store.path("default", "abc").mkdir(parents=True)
    with pytest.raises(OSError, match="abc"):
        store.write("default", "abc", b"x", replace=True)
    assert store.path("default", "abc").is_dir()
    assert every_file(store) == set()


@pytest.mark.parametrize("place", ["", "default", "default/responses"])
def test_a_file_in_the_folders_place_is_an_error_to_write_and_to_read(store: DirectoryStore, place: str) -> None:
    file = store.root / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"in the way")
    with pytest.raises(OSError, match=r"\S"):
        store.write("default", "abc", b"x", replace=True)
    assert file.read_bytes() == b"in the way"
    for question in (lambda: store.read("default", "abc"), lambda: store.scan("default")):
        with pytest.raises(StoreUnavailableError, match="cannot be read: Not a directory"):
            question()


def test_a_folder_can_be_no_recording(store: DirectoryStore) -> None:
    store.path("default", "abc").mkdir(parents=True)
    with pytest.raises(ValueError, match="is a folder, and no file"):
        store.read("default", "abc")


@pytest.mark.parametrize("target", ["nowhere", "def.json"])
def test_a_link_that_leads_nowhere_is_there_and_no_recording(store: DirectoryStore, target: str) -> None:
    store.write("default", "abc", b"x", replace=False)
    store.path("default", "def").symlink_to(target)
    assert store.scan("default").keys() == {"abc", "def"}
    assert store.exists("default", "def")
    with pytest.raises(NotARecordingError):
        store.read("default", "def")


@pytest.mark.parametrize("place", ["", "default", "default/responses"])
def test_a_folder_that_is_a_link_to_what_is_not_mounted_is_not_empty(store: DirectoryStore, place: str) -> None:
    link = store.root / place
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to("nowhere")
    with pytest.raises(StoreUnavailableError):
        store.read("default", "abc")
    with pytest.raises(StoreUnavailableError):
        store.scan("default")


def test_scan_tells_the_recordings_and_nothing_else(store: DirectoryStore) -> None:
    store.write("default", "a", b"1", replace=False)
    store.write("default", "b-c.2", b"22", replace=False)
    store.write("other", "d", b"333", replace=False)
    folder = store.path("default", "a").parent
    for name in (".hidden.json", ".wiretape-x.tmp", "notes.txt", "a.json.orig", "json"):
        (folder / name).write_bytes(b"x")
    found = store.scan("default")
    assert {name: size for name, (_, size) in found.items()} == {"a": 1, "b-c.2": 2}
    assert store.scan("other").keys() == {"d"}
    assert store.scan("none") == {}


def test_the_state_in_a_scan_changes_when_the_file_does(store: DirectoryStore) -> None:
    store.write("default", "a", b"one", replace=True)
    before = store.scan("default")
    assert store.scan("default") == before
    os.utime(store.path("default", "a"), ns=(1, 1))
    store.path("default", "a").write_bytes(b"two")
    assert store.scan("default")["a"] != before["a"]
    store.path("default", "a").unlink()
    assert store.scan("default") == {}


@pytest.mark.parametrize("replace", [True, False])
def test_of_threads_that_race_one_whole_file_is_left(store: DirectoryStore, replace: bool) -> None:
    contents = [f"{number}".encode() * 50_000 for number in range(8)]
    barrier = threading.Barrier(len(contents))
    written: list[bytes] = []
    failed: list[Exception] = []

    def write(content: bytes) -> None:
        barrier.wait()
        try:
            for _ in range(5):
                if store.write("default", "abc", content, replace=replace):
                    written.append(content)
                assert store.read("default", "abc") in contents
        except (OSError, AssertionError) as e:
            failed.append(e)

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert every_file(store) == {"default/responses/abc.json"}
    assert store.read("default", "abc") in written
    assert len(written) == (5 * len(contents) if replace else 1)


def test_whether_a_session_can_be_written_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "there" / "team" / "responses").mkdir(parents=True)
    for root in ("there", "absent/below"):
        DirectoryStore(tmp_path / root).check_writable("team")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "responses", "team", "there"]
    for root in ("file", "file/below"):
        with pytest.raises(NotADirectoryError):
            DirectoryStore(tmp_path / root).check_writable("team")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("tempfile.NamedTemporaryFile", full)
    with pytest.raises(OSError, match="No space left"):
        DirectoryStore(tmp_path / "there").check_writable("team")


@pytest.mark.parametrize("replace", [False, True])
def test_a_file_system_without_links_is_written_to_as_well(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, *, replace: bool
) -> None:
    def fail(self: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", fail)
    assert store.write("s", "a", b"first", replace=replace)
    assert store.write("s", "a", b"second", replace=replace) is replace
    assert store.read("s", "a") == (b"second" if replace else b"first")
    assert every_file(store) == {"s/responses/a.json"}


def test_what_cannot_be_written_leaves_nothing_behind(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, data: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="full"):
        store.write("s", "a", b"x", replace=True)
    assert every_file(store) == set()


def test_a_digest_is_that_of_the_bytes(store: DirectoryStore) -> None:
    assert store.digest("s", "a") is None
    store.write("s", "a", b"1", replace=True)
    assert store.digest("s", "a") == "sha256:6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"


def test_a_folder_that_cannot_be_written_to_is_told_before(store: DirectoryStore) -> None:
    store.check_writable("s")
    assert every_file(store) == set()
    store.root.parent.mkdir(exist_ok=True)
    store.root.write_text("a file")
    with pytest.raises(OSError, match="Not a directory"):
        store.check_writable("s")
