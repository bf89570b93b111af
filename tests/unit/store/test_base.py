"""What every store does, whichever it is: one table for the directory and for both kinds of S3 server."""

import threading
from pathlib import Path
from uuid import uuid4

import pytest

import s3
from wiretape.store.base import RESPONSES, WIRE, Store
from wiretape.store.directory import DirectoryStore

KINDS = ["directory", "moto", "rclone"]


@pytest.fixture(name="store", params=KINDS)
def _store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    if request.param == "directory":
        return DirectoryStore(tmp_path / "recordings")
    for name, value in request.getfixturevalue(request.param).env.items():
        monkeypatch.setenv(name, value)
    return s3.store(f"base/{uuid4().hex}")


def test_what_was_written_is_read(store: Store) -> None:
    assert store.write("team", "abc", b"x" * 100_000, replace=False)
    assert store.read("team", "abc") == b"x" * 100_000
    assert store.exists("team", "abc")


@pytest.mark.parametrize("data", [b"", b"\x00\xff\r\n", "ü".encode(), b"x" * 3_000_000])
def test_bytes_stay_as_they_are(store: Store, data: bytes) -> None:
    store.write("team", "abc", data, replace=False)
    store.refresh("team")
    assert store.read("team", "abc") == data


def test_what_is_not_there_is_none(store: Store) -> None:
    assert store.read("team", "abc") is None
    assert store.state("team", "abc") is None
    assert not store.exists("team", "abc")
    store.write("team", "other", b"x", replace=False)
    assert store.read("team", "abc") is None
    assert store.read("another", "other") is None
    assert store.read("team", "other", WIRE) is None


@pytest.mark.parametrize("name", ["a", "a.2", "0123456789ab-0123abcd.17", "with space", "50%25", "ü+&="])
def test_a_name_is_a_name(store: Store, name: str) -> None:
    store.write("team", name, b"x", replace=False)
    store.refresh("team")
    assert store.read("team", name) == b"x"
    assert list(store.scan("team")) == [name]


def test_folders_are_apart(store: Store) -> None:
    store.write("team", "abc", b"recording", replace=False)
    store.write("team", "abc", b"capture", replace=False, folder=WIRE)
    assert store.read("team", "abc", RESPONSES) == b"recording"
    assert store.read("team", "abc", WIRE) == b"capture"
    assert store.scan("team").keys() == {"abc"}


def test_without_replace_the_first_stays(store: Store) -> None:
    assert store.write("team", "abc", b"first", replace=False)
    assert not store.write("team", "abc", b"second", replace=False)
    assert store.read("team", "abc") == b"first"


def test_replace_replaces(store: Store) -> None:
    assert store.write("team", "abc", b"a longer first", replace=True)
    assert store.write("team", "abc", b"second", replace=True)
    assert store.read("team", "abc") == b"second"
    store.refresh("team")
    assert store.read("team", "abc") == b"second"


def test_the_state_is_another_one_for_other_bytes(store: Store) -> None:
    store.write("team", "abc", b"first", replace=False)
    before = store.state("team", "abc")
    assert before is not None
    assert store.state("team", "abc") == before
    store.write("team", "abc", b"other", replace=True)
    assert store.state("team", "abc") not in {before, None}


def test_a_scan_tells_the_recordings_of_a_session(store: Store) -> None:
    assert store.scan("team") == {}
    store.write("team", "a", b"1", replace=False)
    store.write("team", "b-c.2", b"22", replace=False)
    store.write("teams", "d", b"333", replace=False)
    store.write("team", "e", b"4", replace=False, folder=WIRE)
    first = store.scan("team")
    assert first.keys() == {"a", "b-c.2"}
    assert store.scan("team") == first
    store.write("team", "a", b"other", replace=True)
    second = store.scan("team")
    assert second["a"] != first["a"]
    assert second["b-c.2"] == first["b-c.2"]


def test_sessions(store: Store) -> None:
    assert store.sessions() == []
    for session in ("team", "another", "team.2"):
        store.write(session, "a", b"1", replace=False)
    assert store.sessions() == ["another", "team", "team.2"]


def test_what_was_removed_is_gone(store: Store) -> None:
    store.remove("team", "abc")
    store.write("team", "abc", b"1", replace=False)
    store.write("team", "abc", b"2", replace=False, folder=WIRE)
    store.remove("team", "abc")
    assert store.read("team", "abc") is None
    assert store.read("team", "abc", WIRE) == b"2"
    assert store.scan("team") == {}
    assert store.write("team", "abc", b"3", replace=False)
    assert store.read("team", "abc") == b"3"


def test_where_it_is_can_be_told(store: Store) -> None:
    assert store.where("team").startswith(store.url)
    assert store.where("team").endswith("team")
    assert store.where("team", "abc").endswith("team/responses/abc.json")
    assert store.where("team", "abc", WIRE).endswith("team/wire/abc.json")


def test_start_and_close(store: Store) -> None:
    store.start()
    store.write("team", "abc", b"x", replace=False)
    assert store.sessions() == ["team"]
    store.close()
    store.close()


@pytest.mark.parametrize("replace", [False, True])
def test_of_threads_that_race_one_whole_recording_is_left(store: Store, replace: bool) -> None:
    store.start()
    contents = [f"{number}".encode() * 50_000 for number in range(6)]
    barrier = threading.Barrier(len(contents))
    written: list[bytes] = []
    failed: list[BaseException] = []

    def write(content: bytes) -> None:
        barrier.wait()
        try:
            if store.write("team", "abc", content, replace=replace):
                written.append(content)
            assert store.read("team", "abc") in contents
        except (OSError, AssertionError) as e:
            failed.append(e)

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    store.refresh("team")
    assert store.read("team", "abc") in written
    assert replace or len(written) == 1
