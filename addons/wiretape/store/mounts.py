"""Whether a folder is on a disk of this machine, where to look at a file's state takes microseconds."""

import os
import re
from pathlib import Path

_ELSEWHERE = ("nfs", "cifs", "smb", "fuse", "9p", "ceph", "glusterfs", "afs", "lustre", "virtiofs", "vboxsf", "sshfs")

_OCTAL = re.compile(rb"\\([0-3][0-7][0-7])")
"""What a line cannot hold of a name: space, tab, newline, backslash."""


def is_elsewhere(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> bool:
    """Whether a folder, which need not exist yet, is on a file system of another machine's, as far as can be told.

    Source: proc(5), /proc/pid/mountinfo.
    """
    try:
        lines = mounts.read_bytes().split(b"\n")
    except OSError:
        return False  # Not Linux.
    best, kind = b"", b""
    place = os.fsencode(folder.resolve())
    for line in lines:
        before, is_whole, after = line.partition(b" - ")
        if not is_whole:
            continue
        point = _OCTAL.sub(lambda found: bytes((int(found[1], 8),)), before.split(b" ")[4])
        if len(point) >= len(best) and (place == point or place.startswith(point.rstrip(b"/") + b"/")):
            best, kind = point, after.split(b" ")[0]
    return kind.decode("ascii", "replace").startswith(_ELSEWHERE)
