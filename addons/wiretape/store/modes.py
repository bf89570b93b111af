"""Who may open the files and folders that are made: everybody whom the umask allows, or their owner alone.

A recording is for everybody whom the user's umask lets read it: 0644 under 022, 0600 under 077. The system applies the
umask when it makes a file, so the file is not open to others for a moment either. What waits on this machine and what
was copied to it (spool, journal, cache) is for its owner alone, whatever the umask says.
"""

import os
import secrets
from pathlib import Path


def create(folder: Path, prefix: str, suffix: str, *, private: bool = False) -> tuple[int, Path]:
    """Make a new file in a folder. Return its descriptor, open for writing, and its path. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    path = folder / f"{prefix}{secrets.token_hex(8)}{suffix}"
    mode = 0o666
    if private:
        mode = 0o600
    return os.open(path, flags, mode), path


def make_folder(folder: Path, *, private: bool = False) -> None:
    """Make a folder and its parents. A private one becomes private even if it was there before. Raises OSError."""
    if not private:
        folder.mkdir(parents=True, exist_ok=True)
        return
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)
