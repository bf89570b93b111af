"""In which files it is kept what became of calls to a place of recordings, in the user's state folder.

They are found by the place alone, so that whoever knows where recordings are finds what became of the calls to them.
"""

from pathlib import Path

from wiretape.journal.places import make_private, state_folders
from wiretape.store.opening import place_number

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
