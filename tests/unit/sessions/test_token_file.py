"""The file of the tokens: its owner's alone, whole, and seen as it is now."""

import errno
import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from wiretape.sessions import token_file
from wiretape.sessions.model import Role
from wiretape.sessions.token_file import TokenFile, read, write
from wiretape.sessions.tokens import Tokens

posix = pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "team" / "tokens.toml"


def test_what_was_written_is_read(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    token, tokens = Tokens().create("checkout", Role.READ)
    write(path, tokens)
    assert read(path).check("checkout", token.text)
    assert [*path.parent.iterdir()] == [path]
    assert not caplog.records


def test_a_file_tells_whose_a_token_is_and_which_sessions_there_are(path: Path) -> None:
    token, tokens = Tokens().create("checkout", Role.READ)
    write(path, tokens.create("*", Role.ADMIN)[1])
    file = TokenFile(path)
    assert [entry.session for entry in file.having(token.text)] == ["checkout"]
    assert file.sessions() == {"checkout", "*"}


@posix
def test_only_its_owner_can_open_it(path: Path) -> None:
    write(path, Tokens())
    path.chmod(0o644)
    write(path, Tokens())
    assert path.stat().st_mode & 0o777 == 0o600


@posix
@pytest.mark.parametrize(("mode", "says"), [(0o640, "can be read by others"), (0o602, "can be written by others")])
def test_one_that_others_can_open_is_told(path: Path, caplog: pytest.LogCaptureFixture, mode: int, says: str) -> None:
    write(path, Tokens())
    path.chmod(mode)
    read(path)
    assert says in caplog.text


@posix
def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    write(path, Tokens())
    link = tmp_path / "link.toml"
    link.symlink_to(path)
    write(link, Tokens().create("checkout", Role.READ)[1])
    assert link.is_symlink()
    assert len(read(path)) == 1


def test_one_that_cannot_be_written_is_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(path, Tokens().create("checkout", Role.READ)[1])
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        write(path, Tokens())
    assert len(read(path)) == 1
    assert [*path.parent.iterdir()] == [path]


def test_a_wrong_file_names_itself(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"\xff")
    with pytest.raises(ValueError, match=r"tokens.toml: not UTF-8"):
        read(path)
    with pytest.raises(FileNotFoundError):
        TokenFile(path.with_name("none"))


@posix
def test_what_is_no_file_is_not_waited_for(path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path)
    with pytest.raises(OSError, match="it is no regular file"):
        read(path)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(OSError, match="it is no regular file"):
        read(path)


def test_a_token_that_is_made_or_taken_back_counts_at_once(path: Path) -> None:
    one, tokens = Tokens().create("checkout", Role.READ, "one")
    write(path, tokens)
    door = TokenFile(path)
    assert door.check("checkout", one.text)
    two, tokens = tokens.create("checkout", Role.WRITE, "two")
    write(path, tokens)
    assert door.check("checkout", two.text)
    write(path, tokens.without("one"))
    assert door.check("checkout", one.text) is None
    assert door.check("checkout", two.text)


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_text("[[token]]\nname = 1")])
def test_while_the_file_cannot_be_read_nobody_gets_in(
    path: Path, damage: object, caplog: pytest.LogCaptureFixture
) -> None:
    token, tokens = Tokens().create("checkout", Role.READ)
    write(path, tokens)
    door = TokenFile(path)
    assert callable(damage)
    damage(path)
    assert door.check("checkout", token.text) is None
    assert door.check("checkout", token.text) is None
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "tokens.toml" in errors[0].getMessage()
    write(path, tokens)
    assert door.check("checkout", token.text)


def test_a_file_that_cannot_be_read_is_no_fault_of_who_asks_and_is_read_again(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    token, tokens = Tokens().create("checkout", Role.READ)
    write(path, tokens)
    door = TokenFile(path)
    aside = path.with_name("aside")
    path.rename(aside)
    path.symlink_to(path.name)
    for _ in range(3):
        with pytest.raises(OSError, match="Too many levels"):
            door.check("checkout", token.text)
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    path.unlink()
    aside.rename(path)
    assert door.check("checkout", token.text)


def test_a_file_that_could_not_be_opened_a_moment_ago_is_opened_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, tokens = Tokens().create("checkout", Role.READ)
    write(path, Tokens())
    door = TokenFile(path)
    write(path, tokens)

    def fail(*_: object) -> Tokens:
        raise OSError(errno.EMFILE, "Too many open files", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(token_file, "read", fail)
        with pytest.raises(OSError, match="Too many open files"):
            door.check("checkout", token.text)
    assert door.check("checkout", token.text), "though the file is the same"


@posix
def test_one_that_becomes_a_fifo_or_a_device_holds_nobody_up(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    token, tokens = Tokens().create("checkout", Role.READ)
    write(path, tokens)
    door = TokenFile(path)
    kinds: list[Callable[[Path], None]] = [os.mkfifo, lambda at: at.symlink_to("/dev/zero"), Path.mkdir]
    descriptors = opened()
    for make in kinds:
        path.unlink()
        make(path)
        for _ in range(3):
            with pytest.raises(OSError, match="it is no regular file"):
                door.check("checkout", token.text)
        path.rmdir() if path.is_dir() else path.unlink()
        write(path, tokens)
        assert door.check("checkout", token.text)
    assert len([each for each in caplog.records if each.levelname == "ERROR"]) == 3
    assert "by others than its owner" not in caplog.text
    assert opened() == descriptors


def opened() -> int:
    """How many files this process has open, where the system tells."""
    return len([*Path("/dev/fd").iterdir()]) if Path("/dev/fd").exists() else 0
