"""A network namespace in which every name leads here, and homes and folders that look the same each time.

``enter`` starts this process again inside; as root, or in a user namespace. There are no other routes in it, so nothing
that runs inside can leave the machine, whatever it does.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from agents.programs import NOTES

ADDRESS = "198.51.100.7"
"""What every name is resolved to: an address for documentation, which lo is given."""

NAMES = "127.0.0.53"

_INSIDE = "WIRETAPE_AGENTS_INSIDE"
_ZONE = Path("/usr/share/zoneinfo/Etc")


def enter() -> None:
    """Go on in a namespace of its own, or return where this is it already."""
    if os.environ.get(_INSIDE):
        return
    kinds = "-nm" if os.geteuid() == 0 else "-Urnm"
    os.environ[_INSIDE] = "1"
    os.execvp("unshare", ["unshare", kinds, sys.executable, "-P", *sys.argv])


def prepare(folder: Path) -> None:
    """Give lo its address, and let names be asked of ``NAMES``."""
    for command in (("link", "set", "lo", "up"), ("address", "add", f"{ADDRESS}/32", "dev", "lo")):
        _run("ip", *command)
    resolver = folder / "resolv.conf"
    resolver.write_text(f"nameserver {NAMES}\noptions timeout:1 attempts:1\n", "utf-8")
    _run("mount", "--bind", str(resolver), str(Path("/etc/resolv.conf").resolve()))


@contextmanager
def scratch(kept: Path | None) -> Iterator[Path]:
    """Yield a folder for homes, checkouts and recordings, which goes away unless it is one to keep."""
    if kept is not None:
        yield fresh(kept.absolute())
        return
    folder = Path(tempfile.mkdtemp(prefix="agents-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fresh(folder: Path) -> Path:
    """Return a folder after it was emptied, or made."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def checkout(folder: Path, committed: str = "2026-01-01T00:00:00Z") -> Path:
    """Return a folder that is a new checkout with one commit, whose hash goes by when it was made."""
    fresh(folder)
    (folder / "notes.txt").write_text(NOTES, "utf-8")
    dates = {"GIT_AUTHOR_DATE": committed, "GIT_COMMITTER_DATE": committed}
    author = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    for command in (("init", "-q", "-b", "main"), ("add", "."), (*author, "commit", "-q", "-m", "notes")):
        subprocess.run(["git", *command], cwd=folder, env=os.environ | dates, check=True)
    return folder


@contextmanager
def other_side() -> Iterator[None]:
    """Let the machine's zone, UTC by its name, have the local date of the other side of the earth.

    At any hour it is another day in the zone twelve hours behind, or in that fourteen hours ahead.
    """
    before_noon = datetime.now(UTC).hour < 12
    zone = _ZONE / ("GMT+12" if before_noon else "GMT-14")
    local = Path("/etc/localtime").resolve()
    _run("mount", "--bind", str(zone), str(local))
    try:
        yield
    finally:
        _run("umount", str(local))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
