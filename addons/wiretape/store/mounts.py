"""Tells what a folder is on: a disk of this machine, a file system of another one, or memory.

On a disk of this machine, reading the state of a file takes microseconds.
"""

import os
import re
from pathlib import Path

_ELSEWHERE = ("nfs", "cifs", "smb", "fuse", "9p", "ceph", "glusterfs", "afs", "lustre", "virtiofs", "vboxsf", "sshfs")

_OCTAL = re.compile(rb"\\([0-3][0-7][0-7])")
"""How a line writes the characters of a name that it cannot contain: space, tab, newline, backslash."""


_MOUNTS = Path("/proc/self/mountinfo")


def is_elsewhere(folder: Path, mounts: Path = _MOUNTS) -> bool:
    """Tell whether a folder, which need not exist, is on a file system of another machine, as far as is known."""
    return _kind(folder, mounts).startswith(_ELSEWHERE)


def is_in_memory(folder: Path, mounts: Path = _MOUNTS) -> bool:
    """Tell whether the files of a folder are in memory alone, and gone when the machine starts again."""
    return _kind(folder, mounts) in ("tmpfs", "ramfs")


def _kind(folder: Path, mounts: Path) -> str:
    """Return the type of the file system that a folder is on; empty where it is not known.

    Source: proc(5), /proc/pid/mountinfo.
    """
    try:
        lines = mounts.read_bytes().split(b"\n")
    except OSError:
        return ""  # This is not Linux.
    best = b""
    kind = b""
    place = os.fsencode(os.path.realpath(folder))  # Path.resolve fails where links form a circle.
    for line in lines:
        before, is_whole, after = line.partition(b" - ")
        if not is_whole:
            continue
        point = _OCTAL.sub(lambda octal: bytes((int(octal[1], 8),)), before.split(b" ")[4])
        if len(point) >= len(best) and (place == point or place.startswith(point.rstrip(b"/") + b"/")):
            best = point
            kind = after.split(b" ")[0]
    return kind.decode("ascii", "replace")
