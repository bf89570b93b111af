"""The recordings: the store is reached and can be written to, and what is in it is sound. Its clock, besides."""

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import batched
from pathlib import Path

from wiretape.cli.bounded import within
from wiretape.cli.doctor.finding import Finding, fault, ok, warning
from wiretape.cli.files import File, Source
from wiretape.cli.recordings import report
from wiretape.cli.sources import source
from wiretape.codecs.units import counted
from wiretape.policy import Mode
from wiretape.store.opening import StoreUrl, is_url

SAMPLE = 200
"""How many recordings are looked at."""

_PATIENCE = 15.0
"""How many seconds a store may take, for each thing that it is asked."""

_ALTOGETHER = 60.0
"""How many seconds all of it may take."""

_AT_ONCE = 16

_APART = 5.0
"""How many seconds clocks may be apart."""

_REACH = "is it there, are the credentials in the environment right, is the network up? docs/guides/bucket.md"


def findings(place: StoreUrl, mode: Mode | None) -> list[Finding]:
    """Look at a store. ``mode`` is that of a proxy which is started here, where that is known."""
    try:
        # A folder may be on another machine's disk, which can be silent for ever.
        return within(_ALTOGETHER, lambda: [*_findings(place, mode)])
    except TimeoutError as e:
        return [fault("recordings", f"{place.recordings} does not answer: {e}", _REACH)]


def _findings(place: StoreUrl, mode: Mode | None) -> Iterator[Finding]:
    where = place.recordings
    is_there = is_url(where) or Path(where).is_dir()
    if not is_there:
        advice = ""
        if mode is Mode.REPLAY:
            advice = "record first, with --mode record, or name another place in WIRETAPE_RECORDINGS"
        yield ok("recordings", f"{where} is not there yet: the first recording makes it", advice)
    try:
        yield from _written(place, mode)
        if is_there:
            yield from _sound(where)
    except (OSError, ValueError) as e:
        yield fault("recordings", f"{where}: {e}", _REACH)


def _written(place: StoreUrl, mode: Mode | None) -> Iterator[Finding]:
    """Write a small file or object and take it away again."""
    where = place.recordings
    before = time.time()
    try:
        written = within(_PATIENCE, lambda: _time_of_writing(place))
    except (OSError, ValueError) as e:
        said = f"{where} cannot be written to: {e.strerror if isinstance(e, OSError) and e.strerror else e}"
        if mode in (Mode.REPLAY, Mode.LIVE):
            yield warning("store", said, "nothing is recorded: that is right for replay alone")
        else:
            yield fault("store", said, _REACH if is_url(where) else "let this user write there, or name another place")
        return
    yield ok("store", f"{where} can be written to")
    if written is None:
        return
    # Between before and after by our clock, if both go right.
    apart = max(before - written, written - time.time())
    if apart > _APART:
        said = f"the clock of the store and that of this machine are {apart:,.0f} seconds apart"
        yield warning("clock", said, "set both by a time server: which recording is the newest is told by them")
    else:
        yield ok("clock", f"that of the store and ours are at most {_APART:g} seconds apart")


def _time_of_writing(place: StoreUrl) -> float | None:
    """Return when something was written there just now, by the store's clock, in seconds since 1970."""
    if is_url(place.recordings):
        from wiretape.store.bucket import capabilities
        from wiretape.store.bucket.client import ObjectClient
        from wiretape.store.opening import bucket_url

        written = capabilities.clock(ObjectClient(bucket_url(place.recordings), place.timeout))
        return written.timestamp() if written else None
    folder = Path(place.recordings).absolute()
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    with tempfile.NamedTemporaryFile(prefix=".wiretape-", suffix=".tmp", dir=folder) as file:
        file.write(b"wiretape doctor")
        file.flush()
        return os.fstat(file.fileno()).st_mtime


def _sound(where: str) -> Iterator[Finding]:
    """Look at some of the recordings: as many as there is time for."""
    found = source(where)
    files = within(_PATIENCE, found.files)
    step = max(1, -(-len(files) // SAMPLE))
    sample = files[::step]
    looked_at = 0
    faults: list[str] = []
    until = time.monotonic() + _PATIENCE
    for some in batched(sample, _AT_ONCE):
        for file, told in zip(some, found.mapped(report, some), strict=True):
            looked_at += 1
            if told:
                faults += [f"{file}: {each}" for each in told[1]]
        if time.monotonic() > until:
            break
    share = f"{looked_at:,} of {counted(len(files), 'recording')}"
    if looked_at == len(files):
        share = counted(len(files), "recording")
    if faults:
        said = f"{counted(len(faults), 'fault')} in {share}, the first: {faults[0]}"
        yield fault("recordings", said, "wiretape verify tells all of them")
    else:
        yield ok(
            "recordings",
            f"{where}: {share} looked at, and no fault",
            "" if looked_at == len(files) else "all: wiretape verify",
        )
    yield from _from_tomorrow(found, sample)


def _from_tomorrow(found: Source, sample: Sequence[File]) -> Iterator[Finding]:
    """Look whether something was written in time to come."""
    newest = max((each.written() or 0.0 for each in sample), default=0.0)
    if newest > time.time() + _APART:
        moment = f"{datetime.fromtimestamp(newest, UTC):%Y-%m-%d %H:%M}"
        yield warning(
            "clock", f"a recording was written at {moment} UTC, which is still to come", "set the clock right"
        )
