"""What ``wiretape refresh`` does: recorded requests are sent once more, and what differs in the answers is told.

Raises ValueError, OSError and StartError, whose text is for people.
"""

import asyncio
import json
import logging
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from wiretape import config, redaction
from wiretape import recording as recordings
from wiretape.cli.console import add_row, console, progress, say
from wiretape.cli.embedded import OneLine
from wiretape.cli.files import largest
from wiretape.cli.options import settings
from wiretape.cli.refresh_client import AGENT, SESSION, Came, send_all
from wiretape.cli.sessions import Library
from wiretape.codecs.units import counted
from wiretape.config import Configuration
from wiretape.library import compare, refreshing
from wiretape.library.refreshing import NotSendableError, Outgoing, Refreshed, StoredRecording
from wiretape.policy import Mode
from wiretape.tape.ages import Ages

DRIFTED = 1
"""The exit code where an answer has drifted."""

FAILED = 2
"""Where none has, and not all could be compared."""


@dataclass(frozen=True, slots=True)
class RefreshPlan:
    """What is asked of the command."""

    sessions: Sequence[str] = ()
    match: Sequence[str] = ()
    """Patterns of names, endpoints, models or URLs: one of them has to fit."""
    sample: int | None = None
    accept: bool = False
    as_json: bool = False
    config_file: Path | None = None
    assignments: Sequence[str] = ()


def refresh(library: Library, plan: RefreshPlan, environ: Mapping[str, str]) -> int:
    """Send recorded requests once more, tell what has drifted, and with ``accept`` replace it."""
    configuration = config.read(plan.config_file) if plan.config_file else Configuration()
    redaction.DEFAULT.use(configuration.redaction())
    providers = configuration.providers()
    chosen = [
        each
        for each in _stored(library, plan)
        if not plan.match or any(refreshing.matches(each, m) for m in plan.match)
    ]
    sendable: list[tuple[StoredRecording, Outgoing]] = []
    left: Counter[str] = Counter()
    for stored in chosen:
        try:
            sendable.append((stored, Outgoing.of(stored.recording, providers, environ)))
        except NotSendableError as e:
            left[str(e)] += 1
    for why, number in left.items():
        say(f"{counted(number, 'recording')} left out: {why}")
    if plan.sample is not None:
        kept = {id(each) for each in refreshing.sample([stored for stored, _ in sendable], plan.sample)}
        sendable = [each for each in sendable if id(each[0]) in kept]
    if not sendable:
        raise ValueError("there is nothing to send")
    say(f"sending {counted(len(sendable), 'recorded request')} to their providers")
    done = asyncio.run(_asked(sendable, _settings(library, plan, environ), environ))
    accepted = _accept(library, done) if plan.accept else []
    _tell(done, accepted, plan)
    if any(each.drift for each in done):
        return DRIFTED
    return FAILED if any(each.problem for each in done) else 0


def _stored(library: Library, plan: RefreshPlan) -> Iterator[StoredRecording]:
    """Yield the last take of each request of the sessions. Raises ValueError where what is named is frozen."""
    for session in plan.sessions or library.store.sessions():
        is_frozen = library.frozen(library.existing(session))
        if is_frozen and plan.accept and plan.sessions:
            raise ValueError(f"nothing is replaced: session {session} is {is_frozen}; thaw it first")
        if is_frozen and plan.accept:
            say(f"session {session} stays as it is: it is {is_frozen}")
            continue
        for takes in compare.contents(library.store, session, progress).takes.values():
            data = library.store.read(session, takes[-1].name)
            if data is not None:
                yield StoredRecording(session, takes[-1].name, data, recordings.loads(data))


def _settings(library: Library, plan: RefreshPlan, environ: Mapping[str, str]) -> list[str]:
    flags = {
        "wiretape_mode": str(Mode.LIVE),
        "wiretape_session": SESSION,
        "wiretape_recordings": library.store.url,
        "wiretape_tokens": "",
        "wiretape_modes": "",
    }
    if plan.config_file:
        flags["wiretape_config"] = str(plan.config_file)
    return settings(environ, plan.assignments, flags)


async def _asked(
    sendable: Sequence[tuple[StoredRecording, Outgoing]], chosen: Sequence[str], environ: Mapping[str, str]
) -> list[Refreshed]:
    """Return what came of all, in their order."""
    done: dict[int, Refreshed] = {}
    with _warnings_told():
        async with aclosing(send_all([each for _, each in sendable], chosen, environ, largest())) as all_:
            async for place, came in all_:
                done[place] = _judged(sendable[place][0], came)
    return [done[place] for place in range(len(sendable))]


def _judged(stored: StoredRecording, came: Came) -> Refreshed:
    if came.live is None:
        return Refreshed(stored, problem=redaction.DEFAULT.text(came.problem))
    return refreshing.judge(stored, came.live, came.sent_at, AGENT)


@contextmanager
def _warnings_told() -> Iterator[None]:
    """Have what the proxy warns of on stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(OneLine())
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


def _accept(library: Library, done: Sequence[Refreshed]) -> list[Refreshed]:
    """Replace what has drifted, and what has expired: else that would be old though its provider answers the same."""
    ages = Ages(library.store)
    accepted = []
    for each in done:
        if each.made and (each.drift or _has_expired(library, ages, each.stored)):
            refreshing.accept(library.store, each)
            accepted.append(each)
    return accepted


def _has_expired(library: Library, ages: Ages, stored: StoredRecording) -> bool:
    freshness = library.sessions.get(stored.session).freshness
    if freshness is None:
        return False
    reading = ages.begin(stored.session)
    if reading:
        reading.result()
    at = ages.recorded_at(stored.session, stored.name, refreshing.origin_of(library.store, stored))
    return at is not None and ages.clock() > at + freshness.max_age


# -- what is told ------------------------------------------------------------------------------------------------------


def _tell(done: Sequence[Refreshed], accepted: Sequence[Refreshed], plan: RefreshPlan) -> None:
    if plan.as_json:
        rows = [_as_json(each, is_accepted=each in accepted) for each in done]
        sys.stdout.write(json.dumps(redaction.DEFAULT.clean(rows), indent=2) + "\n")
    else:
        _print(done)
    drifted = sum(1 for each in done if each.drift)
    failed = sum(1 for each in done if each.problem)
    text = f"{drifted} of {counted(len(done), 'answer')} drifted"
    if failed:
        text += f", {failed} could not be compared"
    if plan.accept:
        text += f", {counted(len(accepted), 'recording')} replaced"
    say(text)


def _print(done: Sequence[Refreshed]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("recording", "request"):
        table.add_column(heading, no_wrap=True)
    for heading in ("words", "tokens"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("drift", overflow="fold")
    for each in done:
        stored = each.stored
        where = f"{stored.session}/{stored.name[:12]}"
        if each.drift is None:
            add_row(table, where, stored.request.label, "", "", f"not compared: {each.problem}")
            continue
        likeness = "" if each.drift.likeness is None else f"{each.drift.likeness:.0%}"
        tokens = _tokens(each)
        found = [redaction.DEFAULT.text(f"{finding.kind}: {finding.text}") for finding in each.drift.findings]
        found = found or ["none"]
        add_row(table, where, stored.request.label, likeness, tokens, found[0])
        for more in found[1:]:
            add_row(table, "", "", "", "", more)
    console().print(table)


def _tokens(refreshed: Refreshed) -> str:
    assert refreshed.drift is not None
    before = refreshed.drift.before.output
    after = refreshed.drift.after.output
    if before is None and after is None:
        return ""
    return f"{'?' if before is None else before} -> {'?' if after is None else after}"


def _as_json(refreshed: Refreshed, *, is_accepted: bool) -> dict[str, object]:
    stored = refreshed.stored
    told: dict[str, object] = {"session": stored.session, "name": stored.name, "request": stored.request.label}
    if refreshed.drift is None:
        return told | {"problem": refreshed.problem}
    return told | refreshed.drift.as_json() | {"accepted": is_accepted}
