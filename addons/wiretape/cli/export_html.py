"""``wiretape export html``: recordings as one file that opens in any browser."""

from collections.abc import Sequence
from pathlib import Path

from wiretape.cli.console import say
from wiretape.codecs.units import counted
from wiretape.exceptions import WiretapeError
from wiretape.store.base import Store
from wiretape.web.report import Entry, entry, report
from wiretape.web.shelf import Shelf

MOST = 500
"""Recordings that a report has at most: the newest."""


def export(store: Store, sessions: Sequence[str], output: Path) -> int:
    """Write a report about sessions, or about all. Return the exit code: 1 where a recording cannot be read.

    Raises OSError, and ValueError where there is no such session.
    """
    known = store.sessions()
    for name in sessions:
        if name not in known:
            raise ValueError(f"no session {name} below {store.url}; there are {', '.join(known) or 'none'}")
    sessions = sessions or known
    shelf = Shelf(store, reads_ahead=False)
    listed: list[tuple[str, str, str]] = []
    code = 0
    for session in sessions:
        page = shelf.page(session, most=10**9)
        listed += [(row.when, session, row.name) for row in page.rows]
        for name, why in page.broken.items():
            say(f"{session}/{name}: {why}")
            code = 1
    listed.sort(reverse=True)
    entries = [each for _, session, name in listed[:MOST] if (each := _entry(shelf, session, name))]
    data = report(", ".join(sessions), entries)
    output.write_bytes(data)
    left = f"; the {len(listed) - MOST:,} older ones are left out" if len(listed) > MOST else ""
    say(f"{output}: {counted(len(entries), 'recording')}, {len(data) / 1000:,.0f} kB{left}")
    return code


def _entry(shelf: Shelf, session: str, name: str) -> Entry | None:
    try:
        shelved = shelf.shelved(session, name)
    except (ValueError, WiretapeError):
        return None
    return entry(shelved) if shelved else None
