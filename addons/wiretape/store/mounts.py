"""What a folder is on: a disk of this machine, where to look at a file's state takes microseconds, or memory."""

import os
import re
from pathlib import Path

_ELSEWHERE = ("nfs", "cifs", "smb", "fuse", "9p", "ceph", "glusterfs", "afs", "lustre", "virtiofs", "vboxsf", "sshfs")

_OCTAL = re.compile(rb"\\([0-3][0-7][0-7])")
"""What a line cannot hold of a name: space, tab, newline, backslash."""


_MOUNTS = Path("/proc/self/mountinfo")


def is_elsewhere(folder: Path, mounts: Path = _MOUNTS) -> bool:
    """Whether a folder, which need not exist yet, is on a file system of another machine's, as far as can be told."""
    return _kind(folder, mounts).startswith(_ELSEWHERE)


def is_in_memory(folder: Path, mounts: Path = _MOUNTS) -> bool:
    """Whether what is in a folder is in memory alone, and gone when the machine starts again."""
    return _kind(folder, mounts) in ("tmpfs", "ramfs")


def _kind(folder: Path, mounts: Path) -> str:
    """The type of the file system that a folder is on; empty where that cannot be told.

    Source: proc(5), /proc/pid/mountinfo.
    """
    try:
        lines = mounts.read_bytes().split(b"\n")
    except OSError:
        return ""  # Not Linux.
    best = b""
    kind = b""
    place = os.fsencode(os.path.realpath(folder))  # Path.resolve fails where links go round in a circle.
    for line in lines:
        before, is_whole, after = line.partition(b" - ")
        if not is_whole:
            continue
        point = _OCTAL.sub(lambda found: bytes((int(found[1], 8),)), before.split(b" ")[4])
        if len(point) >= len(best) and (place == point or place.startswith(point.rstrip(b"/") + b"/")):
            best = point
            kind = after.split(b" ")[0]
    return kind.decode("ascii", "replace")
