"""Who may open what is made: what the umask leaves, or the owner alone."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from wiretape.cli.files_on_disk import OnDisk
from wiretape.sessions import token_file
from wiretape.sessions.model import Role
from wiretape.sessions.tokens import Tokens
from wiretape.store import modes
from wiretape.store.atomic import write_file
from wiretape.store.base import WIRE
from wiretape.store.bucket.cache import Disk
from wiretape.store.bucket.spool import Spool, SpooledName
from wiretape.store.bucket.versions import StoredObject, Version
from wiretape.store.directory import DirectoryStore

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")

UMASKS = {0o022: (0o644, 0o755), 0o002: (0o664, 0o775), 0o077: (0o600, 0o700), 0o027: (0o640, 0o750), 0: (0o666, 0o777)}
"""With each, the modes of a file and of a folder."""


@pytest.fixture(name="umask", params=UMASKS, ids="{:03o}".format)
def _umask(request: pytest.FixtureRequest) -> Iterator[int]:
    umask: int = request.param
    former = os.umask(umask)
    yield umask
    os.umask(former)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_recordings_captures_and_their_folders_follow_the_umask(tmp_path: Path, umask: int) -> None:
    store = DirectoryStore(tmp_path / "recordings")
    for folder in ("responses", WIRE):
        for replace in (False, True, True):  # New, and in the place of another.
            store.write("default", "a", b"x", replace=replace, folder=folder)
            assert mode(store.path("default", "a", folder)) == UMASKS[umask][0]
            store.path("default", "a", folder).chmod(0o604)
    for path in (store.root, store.root / "default", store.root / "default" / "responses"):
        assert mode(path) == UMASKS[umask][1]


def test_what_is_converted_follows_the_umask(tmp_path: Path, umask: int) -> None:
    OnDisk(tmp_path / "new" / "a.json", tmp_path).write(b"x", replace=False)
    assert mode(tmp_path / "new" / "a.json") == UMASKS[umask][0]
    assert mode(tmp_path / "new") == UMASKS[umask][1]


def test_it_is_so_from_the_first_moment(tmp_path: Path, umask: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    sync = os.fsync

    def watching(handle: int) -> None:
        seen.append(os.fstat(handle).st_mode & 0o7777)
        sync(handle)

    monkeypatch.setattr(os, "fsync", watching)
    write_file(tmp_path / "a.json", b"x", replace=False)
    write_file(tmp_path / "private" / "a.json", b"x", replace=False, private=True)
    assert (seen[0], seen[2]) == (UMASKS[umask][0], 0o600)


@pytest.mark.usefixtures("umask")
def test_what_waits_for_a_bucket_is_its_owners_alone(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "local" / "spool" / "own", 1 << 20)
    spool.add(SpooledName("default", "a", "responses", replace=True), b"x")
    (entry,) = files(tmp_path)
    assert mode(entry) == 0o600
    for folder in (tmp_path / "local", tmp_path / "local" / "spool", spool.folder):
        assert mode(folder) == 0o700


@pytest.mark.usefixtures("umask")
def test_copies_of_a_bucket_are_their_owners_alone(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "local" / "cache" / "own", 1 << 20)
    for data in (b"one", b"two"):
        disk.keep("default/responses/a.json", StoredObject(data, Version(data.decode(), None, 3)))
        (copy,) = files(tmp_path)
        assert mode(copy) == 0o600
    assert mode(tmp_path / "local" / "cache" / "own") == 0o700


@pytest.mark.usefixtures("umask")
def test_tokens_are_their_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "tokens.toml"
    for number in range(2):
        _, made = Tokens().create("*", Role.READ, f"a{number}", datetime(2026, 1, 31, tzinfo=UTC))
        token_file.write(path, made)
        assert mode(path) == 0o600
        path.chmod(0o644)


def test_a_folder_that_was_open_is_closed(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir(mode=0o755)
    spool.chmod(0o755)
    modes.make_folder(spool, private=True)
    assert mode(spool) == 0o700
    assert mode(tmp_path) == mode(tmp_path)


def test_no_two_files_are_made_under_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda _: "00")
    handle, path = modes.create(tmp_path, "a-", ".tmp")
    os.close(handle)
    assert path.name == "a-00.tmp"
    with pytest.raises(FileExistsError):
        modes.create(tmp_path, "a-", ".tmp")
    path.unlink()
    path.symlink_to("elsewhere")
    with pytest.raises(FileExistsError):
        modes.create(tmp_path, "a-", ".tmp")
