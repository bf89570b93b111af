"""Recordings that wait on a disk: whole, bounded, in order, whoever was killed."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from wiretape.store.bucket.spool import Spool, SpooledName, Waiting

LIMIT = 1 << 20


def address(name: str, *, session: str = "team", folder: str = "responses", replace: bool = False) -> SpooledName:
    return SpooledName(session, name, folder, replace)


@pytest.fixture(name="spool")
def _spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool", LIMIT)


def test_what_was_added_waits(spool: Spool) -> None:
    assert spool.pending == 0
    assert spool.get("team", "abc", "responses") is None
    spool.add(address("abc", replace=True), b"x\n\x00y")
    spool.add(address("abc", folder="wire"), b"wire")
    waiting = spool.get("team", "abc", "responses")
    assert waiting
    assert waiting.data() == b"x\n\x00y"
    assert waiting.address == address("abc", replace=True)
    assert spool.pending == 2
    assert spool.get("other", "abc", "responses") is None
    assert spool.get("team", "ab", "responses") is None


def test_looking_makes_no_folder(spool: Spool) -> None:
    spool.get("team", "abc", "responses")
    assert spool.drain(lambda _: None) == 0
    assert not spool.folder.exists()


def test_the_newest_is_served_and_the_oldest_goes_up_first(spool: Spool) -> None:
    for number in range(5):
        spool.add(address("abc", replace=True), b"%d" % number)
    newest = spool.get("team", "abc", "responses")
    assert newest
    assert newest.data() == b"4"
    seen: list[bytes | None] = []
    assert spool.drain(lambda waiting: seen.append(waiting.data())) == 5
    assert seen == [b"0", b"1", b"2", b"3", b"4"]
    assert spool.pending == 0
    assert newest.data() is None


def test_a_restart_finds_all(spool: Spool) -> None:
    spool.add(address("a"), b"1")
    spool.add(address("b", session="other"), b"2")
    again = Spool(spool.folder, LIMIT)
    assert [(each.address, each.data()) for each in again.entries()] == [
        (address("a"), b"1"),
        (address("b", session="other"), b"2"),
    ]


def test_one_that_cannot_go_up_holds_up_no_other_and_two_end_it(spool: Spool) -> None:
    for name in ("a", "bad", "b", "bad2", "bad3", "c"):
        spool.add(address(name), b"x")
    up: list[str] = []

    def put(waiting: Waiting) -> None:
        if waiting.address.name.startswith("bad"):
            raise OSError(waiting.address.name)
        up.append(waiting.address.name)

    with pytest.raises(OSError, match="bad3"):
        spool.drain(put)
    assert up == ["a", "b"]
    assert [each.address.name for each in spool.entries()] == ["bad", "bad2", "bad3", "c"]


def test_bounded_in_bytes(spool: Spool) -> None:
    spool.add(address("a"), b"x" * (LIMIT // 2))
    with pytest.raises(OSError, match=r"full: \d[\d,]+ of 1,048,576 bytes wait"):
        spool.add(address("b"), b"x" * (LIMIT // 2))
    assert spool.pending == 1
    spool.add(address("c"), b"x" * (LIMIT // 3))
    assert spool.size <= LIMIT
    spool.drain(lambda _: None)
    spool.add(address("b"), b"x" * (LIMIT // 2))


def test_threads_that_add_at_once_stay_within_the_bound(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 50_000)
    kept = []

    def add(number: int) -> None:
        for count in range(10):
            try:
                spool.add(address(f"{number}.{count}"), b"x" * 2000)
                kept.append(number)
            except OSError:
                pass

    threads = [threading.Thread(target=add, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert spool.size <= 50_000
    assert spool.pending == len(kept) > 20


def test_what_is_added_while_draining_stays(spool: Spool) -> None:
    spool.add(address("abc", replace=True), b"old")
    spool.drain(lambda _: spool.add(address("abc", replace=True), b"new"))
    waiting = spool.get("team", "abc", "responses")
    assert waiting
    assert waiting.data() == b"new"


def test_removed(spool: Spool) -> None:
    for _ in range(3):
        spool.add(address("a"), b"x")
    spool.add(address("b"), b"x")
    spool.remove("team", "a", "responses")
    assert [each.address.name for each in spool.entries()] == ["b"]


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"{}\nx", b"[]\nx", b'{"written": 1}\n'])
def test_a_broken_entry_is_put_aside(spool: Spool, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    spool.add(address("a"), b"x")
    [path] = spool.folder.iterdir()
    path.write_bytes(content)
    spool.add(address("b"), b"y")
    assert [each.address.name for each in spool.entries()] == ["b"]
    assert "put aside" in caplog.text
    assert spool.drain(lambda _: None) == 1
    assert path.with_suffix(".broken").read_bytes() == content


def test_files_of_others_are_left_alone(spool: Spool) -> None:
    spool.add(address("a"), b"x")
    for name in (".wiretape-1-2-x.tmp", "notes", "x.broken"):
        (spool.folder / name).write_bytes(b"?")
    assert spool.pending == 1
    assert spool.drain(lambda _: None) == 1
    assert {path.name for path in spool.folder.iterdir()} >= {".wiretape-1-2-x.tmp", "notes", "x.broken"}


def test_a_full_disk_is_an_error_and_leaves_nothing(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            spool.add(address("a"), b"x")
    assert [*spool.folder.iterdir()] == []


@pytest.mark.skipif(sys.platform == "win32", reason="no locks between processes there")
def test_while_another_process_takes_up_nothing_happens_and_its_death_frees(spool: Spool) -> None:
    spool.add(address("a"), b"x")
    program = (
        "import sys, pathlib; from wiretape.store.bucket.spool import Spool\n"
        f"Spool(pathlib.Path({str(spool.folder)!r}), {LIMIT}).drain(lambda _: (print('in', flush=True), input()))"
    )
    other = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with other:
        assert other.stdout
        other.stdout.readline()
        assert spool.drain(lambda _: pytest.fail("it is not ours")) == 0
        spool.add(address("b"), b"y")
        other.kill()
    assert spool.drain(lambda _: None) == 2, "nothing is lost with it"
