"""Runs a command that ends with the process that started it, even when that process is killed.

It is run as a file: ``parent_death.py SIGNAL PARENT COMMAND ...`` becomes the command, so that the process id, the
output and the exit code are those of the command. The system sends SIGNAL when the process PARENT has ended. Only Linux
can do that; elsewhere, the command just runs. Source: prctl(2), PR_SET_PDEATHSIG.
"""

import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def leashed(signal: int, command: Sequence[str]) -> list[str]:
    """Return the command line that runs a command so. Only the main thread may start it: Linux watches that thread."""
    # Isolated and without site-packages, it starts in a few milliseconds and imports nothing from elsewhere.
    return [sys.executable, "-I", "-S", str(Path(__file__).resolve()), str(int(signal)), str(os.getpid()), *command]


def main(arguments: Sequence[str]) -> None:
    """Become the command."""
    signal, parent, *command = arguments
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal))
        if os.getppid() != int(parent):  # The parent ended before it could be watched.
            sys.exit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606 (no shell is the point)
    except OSError as error:
        sys.exit(f"cannot run {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
