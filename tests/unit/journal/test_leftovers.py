"""What a proxy has left is taken over by one process, and only when the proxy and its writer have ended."""

from pathlib import Path

import pytest

from wiretape.journal import key
from wiretape.journal.folder import OWNER, WRITER
from wiretape.journal.leftovers import Leftover, has_leftovers, take_over
from wiretape.journal.lock import Lock


@pytest.fixture(name="journal")
def _journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a journal that nobody holds, the only one of this user."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(key, "key_folders", list)
    journal = tmp_path / "state" / "wiretape" / "journal" / "4711-0123456789abcdef"
    journal.mkdir(parents=True)
    return journal


def test_one_that_nobody_holds_is_taken_over_by_one_at_a_time(journal: Path) -> None:
    assert has_leftovers()
    with take_over(journal) as leftover:
        assert leftover == Leftover(journal, None)
        assert leftover
        assert leftover.process == "4711"
        with take_over(journal) as other:
            assert other is None
        # Who was refused has not let go of what the first one holds.
        assert not has_leftovers()
    assert has_leftovers()


@pytest.mark.parametrize("name", [OWNER, WRITER])
def test_one_that_is_held_is_left_alone_until_it_is_not(journal: Path, name: str) -> None:
    lock = Lock.take(journal / name)
    assert lock
    with take_over(journal) as leftover:
        assert leftover is None
    assert not has_leftovers()
    lock.release()
    assert has_leftovers()


def test_it_is_let_go_when_who_finishes_it_fails(journal: Path) -> None:
    with pytest.raises(RuntimeError), take_over(journal):
        raise RuntimeError
    assert has_leftovers()


def test_one_that_has_gone_is_none_and_is_not_made_anew(journal: Path) -> None:
    journal.rmdir()
    with take_over(journal) as leftover:
        assert leftover is None
    assert not has_leftovers()
    assert not journal.exists()
