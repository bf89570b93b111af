"""What a command has to say beside its output."""

import sys

from rich.console import Console

REFUSED = 2
"""The exit code where nothing was done because it may not or cannot be, as for a wrong flag."""


def say(text: str) -> None:
    """On stderr, each line marked as ours: a command that runs behind the proxy writes there too."""
    # Not Rich: a summary in a log of a CI job must be what it is on a terminal.
    for line in text.splitlines():
        print(f"wiretape: {line}", file=sys.stderr)


def counted(number: int, one: str, several: str = "") -> str:
    """So many of them, as ``2 hits``."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def console() -> Console:
    """For a table on stdout. A pipe has no width: a table that is cut would hide what it says."""
    return Console() if sys.stdout.isatty() else Console(width=400, no_color=True)
