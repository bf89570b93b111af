"""A lock on a file: one holder at a time, and none where its folder has gone."""

import subprocess
import sys
from pathlib import Path

from wiretape.journal.lock import Lock

HOLDER = """
import sys
from pathlib import Path
from wiretape.journal.lock import Lock
held = Lock.take(Path(sys.argv[1]))
print(held is not None, flush=True)
sys.stdin.read()
"""


def test_a_lock_is_held_by_one_and_let_go_once(tmp_path: Path) -> None:
    first = Lock.take(tmp_path / "owner.lock")
    assert first
    assert Lock.take(tmp_path / "owner.lock") is None
    first.release()
    first.release()
    second = Lock.take(tmp_path / "owner.lock")
    assert second
    second.release()


def test_a_lock_is_let_go_however_its_process_ends(tmp_path: Path) -> None:
    path = tmp_path / "owner.lock"
    with subprocess.Popen(
        [sys.executable, "-P", "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "True\n"
        assert Lock.take(path) is None
        holder.kill()
        holder.wait()
    lock = Lock.take(path)
    assert lock
    lock.release()


def test_there_is_no_lock_in_a_folder_that_has_gone(tmp_path: Path) -> None:
    assert Lock.take(tmp_path / "gone" / "owner.lock") is None
    (tmp_path / "file").touch()
    assert Lock.take(tmp_path / "file" / "owner.lock") is None
