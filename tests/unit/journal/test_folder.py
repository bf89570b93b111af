"""Where journals are, who has one, and what is left of its key."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from wiretape.journal import folder, key
from wiretape.journal.exchange_file import EntryKind, Stage
from wiretape.journal.folder import Journal
from wiretape.journal.key import find, key_folders
from wiretape.journal.leftovers import has_leftovers, take_over
from wiretape.journal.places import journals

MEMORY = pytest.mark.skipif(not key_folders(), reason="no folder in memory is here")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path / "state"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@MEMORY
def test_a_journal_and_its_key_are_the_users_alone(state: Path) -> None:
    journal = Journal.create(1000)
    folder = journal.folder
    assert folder.path.parent == state / "wiretape" / "journal"
    assert [mode(path) for path in (folder.path, folder.path.parent, folder.path / "owner.lock")] == [
        0o700,
        0o700,
        0o600,
    ]
    (key,) = [each for place in key_folders() for each in place.glob(f"wiretape-{folder.path.name}/key")]
    assert (mode(key.parent), mode(key), key.read_bytes()) == (0o700, 0o600, folder.key)
    assert not [path for path in state.rglob("*") if path.is_file() and folder.key in path.read_bytes()]
    folder.remove()
    assert not key.parent.exists()
    assert journals() == []
    journal.release()


@MEMORY
def test_it_can_be_taken_over_when_its_proxy_and_its_writer_have_ended() -> None:
    journal = Journal.create(1000)
    path = journal.folder.path
    with take_over(path) as taken:
        assert taken is None
    writing = journal.folder.lock_for_writing()
    assert writing
    journal.release()
    assert not has_leftovers()
    with take_over(path) as taken:
        assert taken is None
    writing.release()
    assert has_leftovers()
    with take_over(path) as taken, take_over(path) as other:
        assert other is None
        assert taken
        assert taken.key == journal.folder.key
        assert taken.process == str(os.getpid())
        journal.folder.remove()
    with take_over(path) as taken:
        assert taken is None
    assert not path.exists()


@MEMORY
def test_locks_go_with_the_process_however_it_ends() -> None:
    program = """if True:
        import os, signal
        from wiretape.journal.folder import Journal
        journal = Journal.create(1000)
        journal.folder.lock_for_writing()
        print(journal.folder.path, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert [str(path) for path in journals()] == [done.stdout.strip()], done.stderr
    with take_over(journals()[0]) as taken:
        assert taken
        assert taken.key


def test_without_a_folder_in_memory_the_key_is_on_no_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(key, "is_in_memory", lambda _: False)
    caplog.set_level("INFO")
    journal = Journal.create(1000)
    assert "can keep the journal's key" in caplog.text
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and journal.folder.key in path.read_bytes()]
    journal.release()
    with take_over(journal.folder.path) as taken:
        assert taken
        assert taken.key is None


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is taken for one in memory, and is the first to be tried."""
    monkeypatch.setattr(key, "is_in_memory", lambda _: True)
    folder = tmp_path / "runtime"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    return folder


def test_who_finishes_it_need_not_have_the_environment_of_its_proxy(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal.create(1000)
    assert [*runtime.iterdir()]
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert find(journal.folder.path) == journal.folder.key
    journal.folder.remove()
    assert not [*runtime.iterdir()]
    journal.release()


def test_a_key_that_is_taken_away_while_its_proxy_lives_is_there_again_after_the_next_answer(
    runtime: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal.create(1000)
    shutil.rmtree(runtime)
    assert find(journal.folder.path) is None
    for _ in range(2):
        journal.fill()
        assert find(journal.folder.path) == journal.folder.key
    assert caplog.text.count("has been removed: it is made again") == 1
    journal.folder.remove()
    journal.release()


def test_a_folder_in_memory_that_is_full_has_no_half_of_a_key(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write

    def full(file: int, data: bytes) -> int:
        is_first = runtime in Path(f"/proc/self/fd/{file}").readlink().parents
        return write(file, data[:7] if is_first else data)

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        journal = Journal.create(1000)
    assert not [*runtime.iterdir()]
    assert find(journal.folder.path) == journal.folder.key
    journal.folder.remove()
    journal.release()


def test_no_key_is_read_that_another_could_have_put_there(runtime: Path, tmp_path: Path) -> None:
    journal = Journal.create(1000)
    (folder,) = runtime.iterdir()
    key, aside = folder / "key", tmp_path / "aside"

    def is_read() -> bool:
        return find(journal.folder.path) is not None

    assert is_read()
    for path in (folder, key):
        was = mode(path)
        for bits in (0o004, 0o040, 0o002):
            path.chmod(was | bits)
            assert not is_read(), (path, oct(bits))
        path.chmod(was)
        path.rename(aside)
        path.symlink_to(aside)
        assert not is_read(), path
        path.unlink()
        aside.rename(path)
    key.unlink()
    os.mkfifo(key, 0o600)
    assert not is_read()
    key.unlink()
    key.write_bytes(bytes(31))
    key.chmod(0o600)
    assert not is_read()
    journal.folder.remove()
    journal.release()


def test_no_key_is_put_where_all_may_remove_it(runtime: Path) -> None:
    runtime.chmod(0o777)
    assert runtime not in key_folders()
    runtime.chmod(0o1777)
    assert key_folders()[0] == runtime
    if os.getuid() == 0:
        os.chown(runtime, 65534, -1)
        assert runtime not in key_folders()


def test_where_the_state_folder_cannot_be_it_is_in_the_temporary_one(
    state: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state.write_text("a file")
    journal = Journal.create(1000)
    assert journal.folder.path.is_relative_to(tmp_path)
    assert "no journal can be at" in caplog.text
    assert mode(journal.folder.path.parent.parent) == 0o700
    journal.release()
    assert journals() == [journal.folder.path]


def test_where_there_is_no_place_at_all_it_says_what_to_do(state: Path, tmp_path: Path) -> None:
    state.write_text("a file")
    (tmp_path / f"wiretape-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="let XDG_STATE_HOME name a folder that can be written"):
        Journal.create(1000)


def test_no_journal_is_on_another_machines_disk(monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
    monkeypatch.setattr(folder, "is_elsewhere", lambda path: path.is_relative_to(state))
    assert not Journal.create(1000).folder.path.is_relative_to(state)


def test_it_says_when_it_is_full_and_when_there_is_room() -> None:
    journal = Journal.create(1000)
    freed: list[int] = []
    first, second = journal.begin(), journal.begin()
    first.append(EntryKind.PIECE, 0, b"x" * 700)
    journal.grown(first)
    journal.grown(first)
    assert (journal.taken, journal.is_full) == (first.size, False)
    second.append(EntryKind.PIECE, 0, b"x" * 100)
    journal.grown(second)
    assert (journal.has_room(100), journal.has_room(200)) == (True, False)
    # While all of them are under way it is of no use to wait.
    assert not journal.is_full
    journal.hand_over(first)
    assert journal.is_full
    journal.call_when_freed(lambda: freed.append(1))
    journal.folder.files(Stage.ENDED)[0].moved(Stage.RECORDED)
    journal.written(first.number)
    assert not journal.is_full
    assert (journal.taken, freed) == (second.size, [1])
    journal.release()


def test_files_come_in_the_order_in_which_they_were_handed_over() -> None:
    journal = Journal.create(1000)
    first, second, third = (journal.begin() for _ in range(3))
    journal.hand_over(third)
    journal.hand_over(first)
    assert [(kept.number, kept.stage is Stage.ENDED) for kept in journal.folder.files(Stage.ENDED, Stage.LIVE)] == [
        (3, True),
        (1, True),
        (2, False),
    ]
    second.close()
    journal.release()


def test_a_file_that_is_written_goes_while_it_is_read() -> None:
    journal = Journal.create(1 << 20)
    entry = journal.begin()
    entry.append(EntryKind.PIECE, 0, b"x" * 100)
    journal.grown(entry)
    reader = entry.reader()
    journal.hand_over(entry)
    journal.folder.files(Stage.ENDED)[0].moved(Stage.RECORDED)
    journal.remove(entry.number, Stage.RECORDED)
    journal.written(entry.number)
    assert (journal.taken, journal.folder.files(*Stage)) == (0, [])
    assert reader.next()
    journal.release()


def test_files_are_ready_before_they_are_needed_and_go_with_the_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal.create(1 << 20)
    journal.fill()
    ready = {kept.number for kept in journal.folder.files(Stage.LIVE)}
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", None)  # Nothing is opened on the way of an answer.
        first, second = journal.begin(), journal.begin()
    assert {first.number, second.number} < ready
    journal.fill()
    assert len(journal.folder.files(Stage.LIVE)) == len(ready) + 2
    first.append(EntryKind.PIECE, 0, b"x")
    journal.release()
    journal.folder.remove_empty()
    assert [kept.number for kept in journal.folder.files(*Stage)] == [first.number]
    first.discard()
    second.close()
    journal.folder.remove()
    assert not journal.folder.path.exists()


def test_what_somebody_has_removed_or_replaced_is_a_journal_without_files() -> None:
    journal = Journal.create(1000)
    path = journal.folder.path
    shutil.rmtree(path)
    for _ in range(2):
        assert not journal.is_there
        assert journal.folder.files(*Stage) == []
        assert journal.folder.lock_for_writing() is None
        path.write_text("a file")
    journal.release()
