"""What is left of proxies that were killed is finished, once, and said; what cannot be is told by the exit code."""

import re
import shutil
from pathlib import Path

import pytest

from exchanges import PIECES, body, config, keep
from kills import recover
from samples import CHAT
from wiretape.journal.exchange_file import Stage
from wiretape.journal.folder import Journal
from wiretape.journal.key import forget, key_folders
from wiretape.journal.places import journals
from wiretape.journal.writer_process import WriterProcess

pytestmark = pytest.mark.skipif(not key_folders(), reason="no folder in memory is here")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def left(tmp_path: Path) -> Journal:
    """The journal of a proxy that was killed: two have ended, one is whole by what it says, one was under way."""
    journal, how = Journal.create(1 << 30), config(tmp_path / "recordings")
    for word in ("Hello, world!", "b"):
        keep(journal, how, body(word))
    keep(journal, how, body("c"), last=None)
    keep(journal, how, body("d"), pieces=PIECES[:9], last=None)
    journal.release()
    return journal


def count(root: Path) -> int:
    return len([*root.glob("recordings/default/responses/*.json")])


def test_recover_finishes_and_says_so(left: Journal, state: Path, tmp_path: Path) -> None:
    code, said = recover(state)
    assert (code, count(tmp_path)) == (0, 3), said
    assert re.search(r"a proxy \(process \d+\) had ended .*: 3 recorded, 1 dropped that had not ended$", said, re.M)
    assert f"recorded {CHAT.stem}: /v1/chat/completions" in said
    assert (tmp_path / "recordings" / "default" / "responses" / CHAT.name).read_bytes() == CHAT.read_bytes()
    assert journals() == []
    assert not [each for folder in key_folders() for each in folder.glob(f"wiretape-{left.folder.path.name}*")]
    assert recover(state) == (0, "wiretape: nothing was left to be written\n")


def test_a_start_finishes_it_too(left: Journal, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    starts = [WriterProcess(None, lambda _: None) for _ in range(2)]
    with caplog.at_level("INFO"):
        for start in starts:
            start.start()
        assert all(start.wait(60) for start in starts)
    assert count(tmp_path) == 3
    assert [message for message in caplog.messages if "a proxy (process" in message] == [
        f"a proxy (process {left.folder.path.name.split('-')[0]}) had ended with answers still to be written: "
        "3 recorded, 1 dropped that had not ended"
    ]
    assert journals() == []


def test_what_a_living_proxy_has_is_left_to_it(state: Path, tmp_path: Path) -> None:
    journal = Journal.create(1 << 30)
    keep(journal, config(tmp_path / "recordings"))
    assert recover(state) == (0, "wiretape: nothing was left to be written\n")
    assert len(journal.folder.files(Stage.ENDED, Stage.LIVE)) == 1
    journal.release()


def test_what_cannot_be_written_stays_until_it_can(left: Journal, state: Path, tmp_path: Path) -> None:
    root = tmp_path / "recordings"
    root.write_text("no folder")
    code, said = recover(state)
    assert (code, len(left.folder.files(Stage.ENDED, Stage.LIVE))) == (1, 3)
    assert f"3 that could not be written stay in {left.folder.path}: wiretape recover tries again" in said
    root.unlink()
    assert recover(state)[0] == 0
    assert (count(tmp_path), journals()) == (3, [])


def test_what_was_under_way_and_cannot_be_written_keeps_its_key(state: Path, tmp_path: Path) -> None:
    root = tmp_path / "recordings"
    root.write_text("no folder")
    journal = Journal.create(1 << 30)
    keep(journal, config(root), last=None)
    journal.release()
    assert recover(state)[0] == 1
    root.unlink()
    assert recover(state)[0] == 0
    assert (count(tmp_path), journals()) == (1, [])


def test_without_its_key_it_is_lost_loudly_and_once(left: Journal, state: Path, tmp_path: Path) -> None:
    forget(left.folder.path)
    code, said = recover(state)
    assert (code, count(tmp_path)) == (1, 0)
    assert "4 LOST: the key of the journal is gone" in said
    assert recover(state)[0] == 0


def test_a_key_of_another_journal_opens_nothing(left: Journal, state: Path, tmp_path: Path) -> None:
    other = Journal.create(1 << 30)
    (ours, theirs) = (
        next(key for folder in key_folders() for key in folder.glob(f"wiretape-{each.folder.path.name}/key"))
        for each in (left, other)
    )
    shutil.copyfile(theirs, ours)
    code, said = recover(state)
    assert (code, count(tmp_path)) == (1, 0), said
    assert "4 LOST" in said
    other.folder.remove()
    other.release()
