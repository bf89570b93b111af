"""What a command tells the user."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from wiretape.codecs import printable

if TYPE_CHECKING:  # What draws tables takes a while to be imported, and few commands draw any.
    from rich.console import Console
    from rich.table import Table

REFUSED = 2
"""The exit code where nothing was done, because it is not allowed or not possible, as for a wrong flag."""


def say(text: str) -> None:
    """Print a text to stderr, each line marked as ours: a command that runs behind the proxy writes there, too."""
    # Rich is not used: in the log of a CI job, a summary must look as it does on a terminal.
    for line in printable.lines(text).splitlines():
        print(f"wiretape: {line}", file=sys.stderr)


def complain(line: str) -> None:
    """Print a line to stderr, made safe as ``out`` does."""
    print(printable.line(line), file=sys.stderr)


def out(line: str) -> None:
    """Print a line to stdout. Others have written recordings and their names: a terminal must not obey them."""
    print(printable.line(line))


def out_text(text: str) -> None:
    """Print a text of several lines to stdout, made safe in the same way."""
    print(printable.lines(text))


def add_row(table: "Table", *cells: str) -> None:
    """Add a row to a table, made safe in the same way."""
    table.add_row(*map(printable.line, cells))


def console() -> "Console":
    """Return what prints a table on stdout. A pipe has no width: a table that is cut would hide what it says."""
    from rich.console import Console

    # The text of a recording is not markup of Rich.
    if sys.stdout.isatty():
        return Console(markup=False, emoji=False, highlight=False)
    return Console(width=400, no_color=True, markup=False, emoji=False, highlight=False)


_SOON = 0.7
"""Seconds after which a progress bar is shown, where there is more to come."""


def progress[T](items: Iterable[T], count: int, what: str) -> Iterator[T]:
    """Yield the items, and show a progress bar where that is useful: on a terminal, after a while."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import Progress

    errors = Console(stderr=True)
    began = time.monotonic()
    bar = Progress(console=errors, transient=True)
    task = bar.add_task(what, total=count)
    try:
        for item in items:
            # It starts a thread, which a process that was forked before does not have.
            if not bar.live.is_started and time.monotonic() - began > _SOON:
                bar.start()
            yield item
            bar.advance(task)
    finally:
        bar.stop()
