"""A file that may lie in a stranger's checkout, as text: a regular one, of a bounded size. Beside the data's way."""

import os
import stat
from pathlib import Path


def read_small(path: Path, largest: int) -> str:
    """Return the text of a file. It blocks on no FIFO and reads no device.

    Raises OSError where it cannot be read, and ValueError where it is no regular file, larger than ``largest`` bytes,
    or not UTF-8.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is no regular file")
        data = file.read(largest + 1)
    if len(data) > largest:
        raise ValueError(f"it is larger than {largest} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as e:
        raise ValueError(f"not UTF-8: {e}") from e
