"""Which failures mean "there is nothing", and which that it cannot be told. Below all stores; decided here alone.

What cannot be read is never taken for what is not there: a request would be paid for twice, a frozen session written
into, another answer given. So the only sign of absence is that the system knows no such name (ENOENT), and that no link
leads nowhere: what it points to may be on a disk that is not mounted. All else is ``StoreUnavailableError``, also a
file where a folder should be (ENOTDIR). What stands in a recording's place and can be none, see ``regular``, is another
matter.

    error                                   who reads gets
    ENOENT, and no link dangles             None: there is nothing
    any other: EIO, EMFILE, EACCES, ...     StoreUnavailableError
    a bucket that does not answer           StoreAwayError, which is StoreUnavailableError too
"""

import errno
import os

from wiretape.codecs import printable
from wiretape.exceptions import StoreUnavailableError

_CAN_LOOK_AT_LINKS = os.access in os.supports_follow_symlinks


def is_absent(error: OSError, path: str) -> bool:
    """Whether the error of an access to a path says that there is nothing."""
    if error.errno != errno.ENOENT:
        return False
    while not _is_named(path):
        path = path.rpartition("/")[0] or "."
        if os.access(path, os.F_OK):
            return True
    return not os.path.islink(path)  # noqa: PTH114  else it has come just now


def _is_named(path: str) -> bool:
    """Whether there is anything of this name, be it a link that leads nowhere. On the way to each look-up."""
    if _CAN_LOOK_AT_LINKS:
        return os.access(path, os.F_OK, follow_symlinks=False)
    return os.path.lexists(path)


def told(error: OSError, path: str) -> StoreUnavailableError:
    """Return what to raise for an error that does not say that there is nothing."""
    why = error.strerror or type(error).__name__
    if error.errno == errno.ENOENT:
        why = "a link on the way to it leads nowhere (is a disk not mounted?)"
    return StoreUnavailableError(f"{printable.line(path)}: cannot be read: {why}")
