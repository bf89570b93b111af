"""How quick is the page, and what does it cost the traffic? A program of its own:

    .venv/bin/python tests/bench/page.py [--size 10000] [--runs 3] [--seconds 3]

It tells how long the first view of many recordings takes and, once they have been read, a search. Then the hits a
second of a proxy: without the page, with one that watches its calls, and with one that has just asked for recordings.
"""

import argparse
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import machine, material
from bench.servers import Bench, Server
from wiretape.control.server import WebServer
from wiretape.control.site import Site
from wiretape.network.address import Address
from wiretape.network.dns_rebinding import OwnNames
from wiretape.store.opening import open_store
from wiretape.web.source import RecordingsAlone

OPENER = build_opener(ProxyHandler({}))

SEARCHES = ("Say number 77", "words", "nobody says this")


def main() -> int:
    """Measure, print."""
    parser = argparse.ArgumentParser(prog="tests/bench/page.py")
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-page-") as folder:
        bench = Bench(Path(folder), arguments.runs, arguments.seconds, arguments.size, warm=2)
        recordings = bench.recordings(arguments.size, material.FEW)
        views(recordings)
        traffic(bench, recordings)
    return 0


def views(recordings: Path) -> None:
    """Tell how long views take of recordings that no proxy serves."""
    store = open_store(str(recordings), spool=0)
    session = store.sessions()[0]
    with WebServer(Address("127.0.0.1", 0), Site(OwnNames(), page=RecordingsAlone(store))) as server:
        get(f"{server.url}/static/style.css")  # The framework is imported for the first request.
        told("the sessions", lambda: get(server.url))
        told("the first view", lambda: get(f"{server.url}/sessions/{session}"))
        begun = time.perf_counter()
        while "still being read" in get(f"{server.url}/sessions/{session}"):
            time.sleep(0.1)
        print(f"{'all read after':32}{time.perf_counter() - begun:8.2f} s")
        for search in SEARCHES:
            path = f"{server.url}/sessions/{session}?search={search.replace(' ', '+')}"
            told(f"a search: {search}", lambda path=path: get(path))  # type: ignore[misc]
        told("the list once more", lambda: get(f"{server.url}/sessions/{session}"))
    store.close()


def traffic(bench: Bench, recordings: Path) -> None:
    """Tell how many hits a second there are without the page, and with one that looks."""
    rates: dict[str, list[float]] = {"no page": [], "a page watches": [], "a page reads": []}
    for _ in range(bench.runs):
        for name, figures in rates.items():
            port = machine.free_port()
            options = () if name == "no page" else ("--set", f"wiretape_page={port}")
            with (
                bench.start(bench.wiretape(recordings, *options, chunks=material.FEW)) as server,
                looking(name, f"http://127.0.0.1:{port}"),
            ):
                figures.append(rate(bench, server))
    for name, figures in rates.items():
        shown = ", ".join(f"{figure:,.0f}" for figure in figures)
        print(f"{name:32}{statistics.median(figures):8,.0f} hits/s   ({shown})")


@contextmanager
def looking(name: str, url: str) -> Iterator[None]:
    """Have a page look for the time being."""
    if name == "a page watches":
        events = OPENER.open(f"{url}/v1/calls/events?since=0", timeout=60)
        watching = threading.Thread(target=_drain, args=(events,), daemon=True)
        watching.start()
    elif name == "a page reads":
        session = re.search(r'href="/sessions/([^"]+)"', get(url))
        assert session
        get(f"{url}/sessions/{session[1]}")
    yield


def _drain(events: Iterator[bytes]) -> None:
    try:
        for _ in events:
            pass
    except OSError:
        return  # The proxy has ended.


def rate(bench: Bench, server: Server) -> float:
    """Return how many hits a second a proxy has."""
    figure: float = bench.load(server, "--seconds", f"{bench.seconds:g}", "--warmup", "0.2")["rate"]
    return figure


def get(url: str) -> str:
    """Return a page."""
    with OPENER.open(url, timeout=120) as answer:
        text: str = answer.read().decode()
    return text


def told(what: str, action: Callable[[], object]) -> None:
    """Do it three times, and tell how long the first and the quickest time took."""
    taken = []
    for _ in range(3):
        begun = time.perf_counter()
        action()
        taken.append(time.perf_counter() - begun)
    print(f"{what:32}{taken[0] * 1000:8.0f} ms at first, {min(taken) * 1000:.0f} ms at best")


if __name__ == "__main__":
    sys.exit(main())
