"""Where journals can be, by this machine and this user; and what else a proxy keeps of its doings. Below ``folder``.

It is in the user's state folder; where that cannot be written, in a folder of this user's below the temporary
one. That is a folder for all, in which somebody else may have made ours first: nothing is used that is another user's.
"""

import contextlib
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

_ID = re.compile(r"\d+-[0-9a-f]{16}")


JOURNALS = "journal"
"""The folder of journals."""


def state_folders(name: str = JOURNALS) -> list[Path]:
    """Return where a folder of this name can be, the best first. Which they are depends on the environment."""
    return [Path(base, "wiretape", name) for base in _bases()] + [_temporary() / name]


def _bases() -> Iterator[str]:
    chosen = os.environ.get("XDG_STATE_HOME") or os.environ.get("LOCALAPPDATA") or ""
    if Path(chosen).is_absolute():
        yield chosen
        return
    with contextlib.suppress(RuntimeError):  # A user without a home, as in some containers.
        yield str(Path.home() / ".local" / "state")


def _temporary() -> Path:
    return Path(tempfile.gettempdir(), f"wiretape-{os.getuid() if hasattr(os, 'getuid') else 'journal'}")


def journals() -> list[Path]:
    """Return the folders of all journals of this user, whichever process made them. Never raises."""
    folders = []
    for parent in state_folders():
        with contextlib.suppress(OSError):
            folders += [each for each in sorted(parent.iterdir()) if _ID.fullmatch(each.name) and _is_own(each)]
    return folders


def make_private(folder: Path) -> None:
    """Make a folder, and the one above it, which are this user's alone. Raises OSError where one is another user's."""
    folder.mkdir(0o700, parents=True, exist_ok=True)
    for each in (folder.parent, folder):
        status = each.lstat()
        if hasattr(os, "getuid") and (not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid()):
            raise OSError(f"{each} is another user's")
        if status.st_mode & 0o077:
            each.chmod(0o700)


def _is_own(path: Path) -> bool:
    status = path.lstat()
    return stat.S_ISDIR(status.st_mode) and (not hasattr(os, "getuid") or status.st_uid == os.getuid())
