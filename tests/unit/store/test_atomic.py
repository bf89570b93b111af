"""Files that appear whole or not at all, and the temporary files that killed writers leave."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wiretape.store.atomic import remove_leftovers, write_temporary
from wiretape.store.directory import DirectoryStore


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "recordings")


def no_such_process() -> int:
    """Return the id that a process had which has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    return ended.pid


@pytest.mark.parametrize(("error", "stays"), [(None, True), (PermissionError, True), (ProcessLookupError, False)])
def test_a_temporary_file_is_removed_only_where_its_writer_has_ended(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, error: type[OSError] | None, stays: bool
) -> None:
    def kill(pid: int, signal: int) -> None:
        assert (pid, signal) == (os.getpid(), 0)
        if error:  # PermissionError: it lives, and is another user's.
            raise error

    store.write("s", "a", b"x", replace=True)
    file, temporary = write_temporary(store.path("s", "b"), b"half of it")
    os.close(file)
    with monkeypatch.context() as patched:
        patched.setattr("wiretape.store.atomic.os.kill", kill)
        removed = remove_leftovers(store.root)
    assert (temporary.exists(), removed) == (stays, [] if stays else [temporary])
    assert store.read("s", "a") == b"x"


def test_a_writer_that_has_ended_is_told_from_one_that_lives(store: DirectoryStore) -> None:
    file, temporary = write_temporary(store.path("s", "a"), b"half of it")
    os.close(file)
    left = temporary.with_name(temporary.name.replace(f"-{os.getpid()}-", f"-{no_such_process()}-"))
    left.write_bytes(b"half of it")
    assert remove_leftovers(store.root) == [left]
    assert temporary.exists()


def leftover(root: Path, name: str, *, age_s: float = 0) -> Path:
    path = root / "s" / "responses" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"half")
    then = time.time() - age_s
    os.utime(path, (then, then))
    return path


def test_what_a_killed_writer_left_is_removed_at_the_start(store: DirectoryStore) -> None:
    ended = no_such_process()
    named = write_temporary(store.path("s", "x"), b"x")
    os.close(named[0])
    machine = named[1].name.split("-")[1]
    kept = [
        named[1],  # Of a writer that lives: this process.
        leftover(store.root, f".wiretape-0000ffff-{ended}-a.tmp"),  # Of another machine.
        leftover(store.root, "notes.tmp", age_s=9999),
    ]
    gone = [
        leftover(store.root, f".wiretape-{machine}-{ended}-b.tmp"),
        leftover(store.root, ".wiretape-0000ffff-1-c.tmp", age_s=3700),
        leftover(store.root, ".wiretape-d.tmp", age_s=3700),
    ]
    store.start()
    assert [path.exists() for path in kept] == [True, True, True]
    assert [path.exists() for path in gone] == [False, False, False]
