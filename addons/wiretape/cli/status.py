"""``wiretape status``: reads what a proxy has counted, from its page or its control API, and shows it."""

import json
from collections.abc import Mapping
from contextlib import closing
from decimal import Decimal
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from rich.table import Table

from wiretape.cli.console import REFUSED, console, say
from wiretape.codecs import printable
from wiretape.codecs.units import usd
from wiretape.control.client import ControlClient, ControlError
from wiretape.metrics import counters as counting
from wiretape.metrics import prometheus
from wiretape.metrics.counters import NUMBERS, Counters, added
from wiretape.network.dns_rebinding import FORBIDDEN, MISDIRECTED

_PATIENCE = 5.0

NOT_FOUND = 404

_HEADINGS = {
    "hits_by_rules": "by rules",
    "upstream": "upstream requests",
    "connections": "upstream connections",
    "spent_usd": "spent",
    "saved_usd": "saved",
}


class NoAnswerError(Exception):
    """There is no page. The message is for the user."""


def status(url: str, *, as_json: bool) -> int:
    """Print the counters of the proxy at ``url``. Return the exit code."""
    try:
        sessions = fetch(url)
    except (NoAnswerError, prometheus.MissingPackageError) as e:
        say(str(e))
        return REFUSED
    if as_json:
        values = {session: counting.as_json(counters) for session, counters in sessions.items()}
        print(json.dumps({"sessions": values, "total": counting.as_json(added(sessions.values()))}, indent=2))
    else:
        console().print(table(sessions))
    return 0


def fetch(url: str) -> dict[str, Counters]:
    """Return the counters of a proxy by session. Raises NoAnswerError."""
    kinds = {"http": HTTPConnection, "https": HTTPSConnection}
    wrong = NoAnswerError(f"{url!r} is no address of a page: it is http://HOST:PORT")
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
    except ValueError as e:
        raise wrong from e
    if parts.scheme not in kinds or not parts.hostname:
        raise wrong
    try:
        # HTTP_PROXY is ignored: it may be the very proxy that is asked about.
        with closing(kinds[parts.scheme](parts.hostname, parts.port, timeout=_PATIENCE)) as connection:
            connection.request("GET", parts.path.removesuffix("/").removesuffix("/metrics") + "/metrics")
            answer = connection.getresponse()
            text = answer.read().decode("utf-8")
            if answer.status == NOT_FOUND:
                return _by_api(url)
            if answer.status in (MISDIRECTED, FORBIDDEN):
                raise NoAnswerError(f"{url}: {text.strip()}")
            if answer.status != 200:
                raise NoAnswerError(f"{url} answers with status {answer.status}: it is not wiretape's page of counters")
            return prometheus.parse(text)
    except (OSError, HTTPException) as e:
        raise NoAnswerError(
            f"nothing answers at {url} ({e}): the page is there with wiretape serve, or with mitmdump and "
            "--set wiretape_metrics=PORT; another address, or that of a control API, is named with --url"
        ) from e
    except ValueError as e:
        raise NoAnswerError(f"{url}: {e}") from e


def _by_api(url: str) -> dict[str, Counters]:
    """Return the counters of a proxy whose control API is at ``url``. Raises NoAnswerError, and ValueError."""
    try:
        with ControlClient(url, timeout=_PATIENCE) as client:
            told = client.status()["counters"]
        return {session: counting.from_json(counters) for session, counters in told.items()}
    except ControlError as e:
        raise NoAnswerError(f"{url}: {e}") from e
    except (KeyError, TypeError, AttributeError, ArithmeticError) as e:
        raise ValueError("it is not wiretape's control API") from e


def table(sessions: Mapping[str, Counters]) -> Table:
    """Return a table with a row for each session, and their sum."""
    names = NUMBERS
    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column("session", no_wrap=True)
    for name in names:
        shown.add_column(_HEADINGS.get(name, name), justify="right")
    rows = [*sessions.items(), ("total", added(sessions.values()))]
    for place, (session, counters) in enumerate(rows, 1):
        values = [_shown(getattr(counters, name)) for name in names]
        shown.add_row(printable.line(session), *values, style="bold" if place == len(rows) else None)
    return shown


def _shown(number: int | Decimal) -> str:
    return usd(number) if isinstance(number, Decimal) else f"{number:,}"
