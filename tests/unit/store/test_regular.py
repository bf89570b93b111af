"""What stands under a recording's name: files inside the folder are read, nothing else is, and nothing waits."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from wiretape.exceptions import NotARecordingError, StoreUnavailableError
from wiretape.store import regular
from wiretape.store.directory import DirectoryStore


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings" / "default" / "responses"
    folder.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.json").write_text("secret")
    (folder / "good.json").write_text("good")
    return tmp_path / "recordings"


def listening(path: Path) -> None:
    # The path of a socket is short.
    where = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(where)


def circle(path: Path) -> None:
    path.with_name("other").symlink_to(path.name)
    path.symlink_to("other")


def large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1001)


SPECIAL: dict[str, tuple[Callable[[Path], object], str]] = {
    "a link to /dev/zero": (lambda path: path.symlink_to("/dev/zero"), "link out"),
    "a link to a file of the machine": (lambda path: path.symlink_to("/etc/passwd"), "link out"),
    "a link to what the process knows": (lambda path: path.symlink_to("/proc/self/environ"), "link out"),
    "a link to a neighbour of the folder": (
        lambda path: path.symlink_to("../../../elsewhere/secret.json"),
        "link out",
    ),
    "a link to a folder above": (lambda path: path.symlink_to("../../.."), "link out"),
    "a link to a folder inside": (lambda path: path.symlink_to("."), "a folder, and no file"),
    "a link to itself": (lambda path: path.symlink_to(path.name), "leads nowhere"),
    "links in a circle": (circle, "leads nowhere"),
    "a link to nothing": (lambda path: path.symlink_to("nothing"), "leads nowhere"),
    "a FIFO": (os.mkfifo, "a FIFO, and no file"),
    "a FIFO that nobody may open": (lambda path: os.mkfifo(path, 0), "a FIFO, and no file"),
    "a socket": (listening, "a socket, and no file"),
    "a folder": (lambda path: path.mkdir(), "a folder, and no file"),
    "a file that is too large": (large, "larger than 1,000 bytes"),
}

posix = pytest.mark.skipif(os.name != "posix", reason="what there is on POSIX alone")


@posix
@pytest.mark.parametrize("kind", SPECIAL)
def test_what_is_no_file_inside_is_not_read(root: Path, kind: str) -> None:
    make, problem = SPECIAL[kind]
    make(root / "default" / "responses" / "a.json")
    store = DirectoryStore(root, largest=1000)
    with pytest.raises(NotARecordingError, match=problem):
        store.read("default", "a")
    # It is there, for who lists and who would write.
    assert store.exists("default", "a")
    assert {"a", "good"} <= store.scan("default").keys()
    assert store.read("default", "good") == b"good"


@posix
@pytest.mark.parametrize("kind", SPECIAL)
def test_a_recording_takes_its_place(root: Path, kind: str) -> None:
    SPECIAL[kind][0](path := root / "default" / "responses" / "a.json")
    store = DirectoryStore(root, largest=1000)
    if path.is_dir() and not path.is_symlink():
        return  # A folder is removed by nobody.
    assert store.write("default", "a", b"new", replace=True)
    assert store.read("default", "a") == b"new"
    assert not path.is_symlink()
    assert (root.parent / "elsewhere" / "secret.json").read_text() == "secret"


def test_a_file_as_large_as_may_be_is_read(root: Path) -> None:
    path = root / "default" / "responses" / "a.json"
    for size in (0, 1, 999, 1000):
        path.write_bytes(b"x" * size)
        assert DirectoryStore(root, largest=1000).read("default", "a") == b"x" * size


def test_one_that_grows_while_it_is_read_is_bounded(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = os.read
    monkeypatch.setattr(os, "read", lambda handle, size: read(handle, size) or b"more" * 100)
    with pytest.raises(NotARecordingError, match="larger than 1,000 bytes"):
        DirectoryStore(root, largest=1000).read("default", "good")


@posix
def test_links_that_stay_inside_are_followed(root: Path) -> None:
    store = DirectoryStore(root)
    (root / "default" / "responses" / "a.json").symlink_to("good.json")
    (root / "other").mkdir()
    (root / "other" / "responses").symlink_to("../default/responses")
    (root / "third").symlink_to("default")
    assert store.read("default", "a") == b"good"
    for session in ("other", "third"):
        assert store.read(session, "good") == b"good"
        assert store.scan(session).keys() >= {"a", "good"}
        assert store.write(session, "new", b"new", replace=True)
    assert store.read("default", "new") == b"new"


@posix
def test_the_folder_itself_may_be_a_link(root: Path) -> None:
    (root.parent / "link").symlink_to("recordings")
    store = DirectoryStore(root.parent / "link")
    assert store.read("default", "good") == b"good"
    assert store.write("default", "new", b"new", replace=False)
    assert (root / "default" / "responses" / "new.json").read_bytes() == b"new"


@posix
@pytest.mark.parametrize("folder", ["default", "default/responses"])
@pytest.mark.parametrize("target", ["elsewhere", "elsewhere/nothing", "recordings/../elsewhere"])
def test_a_folder_that_is_a_link_out_is_neither_read_nor_listed_nor_written_to(
    root: Path, folder: str, target: str
) -> None:
    (root / "default" / "responses" / "good.json").unlink()
    (root / "default" / "responses").rmdir()
    if folder == "default":
        (root / "default").rmdir()
    outside = root.parent / target
    (root / folder).symlink_to(outside)
    inner = outside / "responses" if folder == "default" else outside
    if target != "elsewhere/nothing":
        inner.mkdir(exist_ok=True)
        (inner / "secret.json").write_text("secret")
        with pytest.raises(NotARecordingError, match="link out"):
            DirectoryStore(root).read("default", "secret")
        assert DirectoryStore(root).scan("default") == {}
    else:  # It may be on a disk that is not mounted: that there is nothing is not said.
        with pytest.raises(StoreUnavailableError, match="leads nowhere"):
            DirectoryStore(root).scan("default")
    for name in ("new", "secret"):
        with pytest.raises(OSError, match="link out"):
            DirectoryStore(root).write("default", name, b"new", replace=True)
        with pytest.raises(OSError, match="link out"):
            DirectoryStore(root).remove("default", name)
    assert not (inner / "new.json").exists()
    assert not (inner / "secret.json").exists() or (inner / "secret.json").read_text() == "secret"


def test_a_neighbour_of_a_like_name_is_outside(root: Path) -> None:
    beside = root.with_name("recordings-of-others")
    beside.mkdir()
    (beside / "a.json").write_text("secret")
    assert not regular.is_inside(str(beside / "a.json"), str(root))
    assert regular.is_inside(str(root / "default" / "responses" / "good.json"), str(root))
    assert not regular.is_inside(str(root / "nothing"), str(root))


def test_what_is_not_there_is_not_there(root: Path) -> None:
    assert DirectoryStore(root).read("default", "nothing") is None
    assert DirectoryStore(root).read("nobody", "nothing") is None
    with pytest.raises(FileNotFoundError):
        regular.read(str(root / "nothing"), str(root))


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_rights_is_an_error_of_the_system(root: Path) -> None:
    (root / "default" / "responses" / "good.json").chmod(0)
    with pytest.raises(PermissionError):
        DirectoryStore(root).read("default", "good")
