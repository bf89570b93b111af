"""What a command has to say beside its output."""

import sys


def say(text: str) -> None:
    """On stderr, each line marked as ours: a command that runs behind the proxy writes there too."""
    # Not Rich: a summary in a log of a CI job must be what it is on a terminal.
    for line in text.splitlines():
        print(f"wiretape: {line}", file=sys.stderr)
