"""``wiretape budget``: what sessions may spend and have spent, on this machine; and that it begins anew.

A configuration and a file of what was spent in, lines out.
"""

import time
from decimal import Decimal
from pathlib import Path

from rich.table import Table

from wiretape import config
from wiretape.call_log import places
from wiretape.cli.console import add_row, console, out
from wiretape.codecs.units import usd
from wiretape.config import Configuration
from wiretape.pricing.spending import Spending, Spent
from wiretape.sessions.model import Sessions, check_name
from wiretape.store.opening import is_url


def show(recordings: str, config_file: Path | None) -> int:
    """Print a line for each session that has a budget, or has spent of one. Return 1 where one is used up."""
    sessions = _sessions(config_file)
    spending = _spending(recordings)
    known = spending.all() if spending else {}
    configured = [name for name in sessions.names if sessions.get(name).budget]
    names = sorted({*configured, *(name for name, _ in known)})
    if not names:
        out('no session has a budget: budget = "5 USD" in [session.NAME] of wiretape.toml gives it one')
        return 0
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("session", no_wrap=True)
    for heading in ("spent", "budget", "left"):
        table.add_column(heading, justify="right")
    table.add_column("calls of unknown price", justify="right")
    is_used_up = False
    for name in names:
        budget = sessions.get(name).budget
        if budget is None:
            spent = Spent(sum((each.usd for (owner, _), each in known.items() if owner == name), Decimal(0)))
            add_row(table, name, usd(spent.usd), "none now", "", "")
            continue
        spent = known.get((name, budget.per.name_at(time.time())), Spent())
        left = max(Decimal(0), budget.usd - spent.usd)
        is_used_up = is_used_up or not left
        add_row(table, name, usd(spent.usd), f"{budget}", usd(left), f"{spent.unpriced:,}" if spent.unpriced else "")
    console().print(table)
    return 1 if is_used_up else 0


def reset(recordings: str, name: str) -> int:
    """Forget what a session has spent; a proxy that runs notices it with the next request."""
    check_name(name)
    spending = _spending(recordings)
    spent = [each.usd for (owner, _), each in spending.all().items() if owner == name] if spending else []
    if not spending or not spent:
        out(f"session {name} has spent nothing here")
        return 0
    spending.reset(name)
    out(f"session {name} begins anew: {usd(sum(spent, Decimal(0)))} were spent")
    return 0


def _sessions(file: Path | None) -> Sessions:
    return (config.read(file) if file else Configuration()).sessions()


def _spending(recordings: str) -> Spending | None:
    """Return what was spent with a place of recordings; None where nothing was."""
    place = recordings if is_url(recordings) else str(Path(recordings).expanduser())
    file = places.spent_file(place)
    return Spending(file) if file.exists() else None
