"""What a command has to say beside its output."""

import sys

from rich.console import Console


def say(text: str) -> None:
    """On stderr, each line marked as ours: a command that runs behind the proxy writes there too."""
    # Not Rich: a summary in a log of a CI job must be what it is on a terminal.
    for line in text.splitlines():
        print(f"wiretape: {line}", file=sys.stderr)


def console() -> Console:
    """For a table on stdout. A pipe has no width: a table that is cut would hide what it says."""
    return Console() if sys.stdout.isatty() else Console(width=400, no_color=True)
