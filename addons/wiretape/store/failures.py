"""Tells which failures mean "there is nothing", and which mean "it cannot be told". All stores use it.

A file that cannot be read is never taken for one that is not there: a request would be paid for twice, a frozen session
would be written into, another answer would be given. The only sign of absence is that the system knows no such name
(ENOENT), and that no link leads nowhere: its target may be on a disk that is not mounted. Everything else is
``StoreUnavailableError``, also a file where a folder should be (ENOTDIR). It is another matter where something stands
in the place of a recording that cannot be one: see ``regular``.

    error                                   a read
    ENOENT, and no link leads nowhere       returns None: there is nothing
    any other: EIO, EMFILE, EACCES, ...     raises StoreUnavailableError
    a bucket that does not answer           raises StoreAwayError, which is a StoreUnavailableError
"""

import errno
import os

from wiretape.codecs import printable
from wiretape.exceptions import StoreUnavailableError

_CAN_LOOK_AT_LINKS = os.access in os.supports_follow_symlinks


def is_absent(error: OSError, path: str) -> bool:
    """Tell whether the error of an access to a path means that there is nothing."""
    if error.errno != errno.ENOENT:
        return False
    while not _is_named(path):
        path = path.rpartition("/")[0] or "."
        if os.access(path, os.F_OK):
            return True
    return not os.path.islink(path)  # noqa: PTH114  otherwise it has appeared just now


def _is_named(path: str) -> bool:
    """Tell whether there is anything of this name, even a link that leads nowhere. Each look-up needs it."""
    if _CAN_LOOK_AT_LINKS:
        return os.access(path, os.F_OK, follow_symlinks=False)
    return os.path.lexists(path)


def told(error: OSError, path: str) -> StoreUnavailableError:
    """Return the error to raise for one that does not mean that there is nothing."""
    why = error.strerror or type(error).__name__
    if error.errno == errno.ENOENT:
        why = "a link on the way to it leads nowhere (is a disk not mounted?)"
    return StoreUnavailableError(f"{printable.line(path)}: cannot be read: {why}")
