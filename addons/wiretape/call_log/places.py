"""In which files it is kept what became of calls to a place of recordings, in the user's state folder.

They are found by the place alone, so that whoever knows where recordings are finds what became of the calls to them.
"""

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

from wiretape.journal.places import make_private, state_folders
from wiretape.store.opening import place_number

SQLITE = b"SQLite format 3\0"
"""What a log begins with."""

FORM = 1
"""The form of the files. Another version's file has another name: neither reads, nor spoils, that of the other."""


def log_file(recordings: str) -> Path:
    """Return the file for a folder or a bucket of recordings, whether it is there or not.

    Where there are several, in a folder that cannot be written any more, it is the one that is written to now.
    """
    return _found(f"{place_number(recordings)}-{FORM}.sqlite")


def make_log_file(recordings: str) -> Path:
    """Return the same, in a folder that is there and is this user's alone. Raises OSError."""
    return _made(f"{place_number(recordings)}-{FORM}.sqlite")


def spent_file(recordings: str) -> Path:
    """Return the file of what sessions with a budget have spent, whether it is there or not."""
    return _found(f"{place_number(recordings)}-spent-{FORM}.sqlite")


def make_spent_file(recordings: str) -> Path:
    """Return the same, in a folder that is there and is this user's alone. Raises OSError."""
    return _made(f"{place_number(recordings)}-spent-{FORM}.sqlite")


def _found(name: str) -> Path:
    files = [folder / name for folder in state_folders("calls")]
    return next((file for file in files if file.exists()), files[0])


def _made(name: str) -> Path:
    faults = []
    for folder in state_folders("calls"):
        try:
            make_private(folder)
        except OSError as e:
            faults.append(f"{folder}: {e.strerror or e}")
        else:
            return folder / name
    raise OSError(f"there is no place for what became of calls ({'; '.join(faults)})")


def run_name() -> str:
    """Return what the calls of a proxy that starts now have in common, which no other proxy's have."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}-{os.getpid()}-{secrets.token_hex(3)}"


def named_log_file(name: str) -> Path:
    """Return a file that somebody has named. Raises ValueError where it is there, and is something else."""
    file = Path(name).expanduser().absolute()
    if file.is_dir():
        raise ValueError(f"{file} is a folder: name a file")
    if file.exists() and file.stat().st_size:
        with file.open("rb") as opened:
            if opened.read(len(SQLITE)) != SQLITE:
                raise ValueError(f"{file} is no log of calls, and is left as it is")
    return file
