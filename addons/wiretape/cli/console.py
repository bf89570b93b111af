"""What a command has to say beside its output."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from wiretape.codecs import printable

if TYPE_CHECKING:  # What draws tables takes a while to be imported, and few commands draw any.
    from rich.console import Console
    from rich.table import Table

REFUSED = 2
"""The exit code where nothing was done because it may not or cannot be, as for a wrong flag."""


def say(text: str) -> None:
    """On stderr, each line marked as ours: a command that runs behind the proxy writes there too."""
    # Not Rich: a summary in a log of a CI job must be what it is on a terminal.
    for line in printable.lines(text).splitlines():
        print(f"wiretape: {line}", file=sys.stderr)


def complain(line: str) -> None:
    """A line on stderr, beside the output; what is said of ``out`` holds of it too."""
    print(printable.line(line), file=sys.stderr)


def out(line: str) -> None:
    """A line on stdout. Recordings and their names are what others have written: no terminal is to obey them."""
    print(printable.line(line))


def out_text(text: str) -> None:
    """Text of several lines on stdout, of which the same holds."""
    print(printable.lines(text))


def add_row(table: "Table", *cells: str) -> None:
    """A row of a table, of which the same holds."""
    table.add_row(*map(printable.line, cells))


def console() -> "Console":
    """Return what prints a table on stdout. A pipe has no width: a table that is cut would hide what it says."""
    from rich.console import Console

    # What a recording says is not written in Rich's markup.
    if sys.stdout.isatty():
        return Console(markup=False, emoji=False, highlight=False)
    return Console(width=400, no_color=True, markup=False, emoji=False, highlight=False)


_SOON = 0.7
"""Seconds after which a progress bar is shown, where there is more to come."""


def progress[T](items: Iterable[T], count: int, what: str) -> Iterator[T]:
    """The items, of which there are so many, with a progress bar where that is of use: on a terminal, after a while."""
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
            # Its thread begins with it: a process that is forked before has none.
            if not bar.live.is_started and time.monotonic() - began > _SOON:
                bar.start()
            yield item
            bar.advance(task)
    finally:
        bar.stop()
