"""``wiretape doctor``: all that is looked at, in order, and how it is told."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace

from wiretape import redaction
from wiretape.cli.console import out
from wiretape.cli.doctor import (
    certificate,
    control_api,
    journal,
    languages,
    listening,
    machine,
    program,
    proxies,
    recordings,
)
from wiretape.cli.doctor.finding import Finding, State, fault
from wiretape.cli.doctor.surroundings import OptionsRefusedError, Surroundings
from wiretape.codecs.units import counted
from wiretape.policy import Mode
from wiretape.providers import table
from wiretape.proxy.runtime import Runtime

_INDENT = " " * 10


def doctor(here: Surroundings, *, as_json: bool) -> int:
    """Look at everything, and tell it. Return 1 where there is a fault."""
    found: list[Finding] = []
    for finding in findings(here):
        found.append(finding)
        if not as_json:
            _tell(finding)
    counts = Counter(each.state for each in found)
    if as_json:
        print(json.dumps({"findings": [asdict(each) for each in found], **_named(counts)}, indent=2))
    else:
        out(f"{counted(counts[State.FAULT], 'fault')}, {counted(counts[State.WARNING], 'warning')}")
    if counts[State.FAULT]:
        return 1
    return 0


def findings(here: Surroundings) -> Iterator[Finding]:
    """Yield what is found out, one after the other."""
    runtime = _runtime(here)
    known = runtime if isinstance(runtime, Runtime) else None
    yield from _safe("python", program.python)
    yield from _safe("mitmproxy", program.proxy_program)
    yield from _safe("options", lambda: program.options(here, runtime))
    yield from _safe("wiretape.toml", lambda: program.configuration(here))
    yield from _safe("extras", program.extras)
    yield from _safe("ca", lambda: certificate.findings(here.confdir))
    yield from _safe("port", lambda: listening.findings(here.listen))
    yield from _safe("proxy", lambda: _behind(here, known))
    mode: Mode | None = known.access.default().mode if known else None
    yield from _safe("control", lambda: control_api.findings(here.environ))
    yield from _safe("recordings", lambda: recordings.findings(here.store(known), mode))
    yield from _safe("journal", journal.findings)
    yield from _safe("isolation", machine.isolation)


def _runtime(here: Surroundings) -> Runtime | str:
    """Return what the options come to, or what is wrong with them."""
    try:
        return here.runtime()
    except OptionsRefusedError as e:
        return str(e)


def _behind(here: Surroundings, known: Runtime | None) -> Iterator[Finding]:
    """Yield what is found out about the proxy that variables name, and about the languages behind it."""
    providers = known.providers if known else table.load({})
    way = proxies.look(here.environ, providers)
    yield from way.findings
    yield from languages.findings(here.environ, way)


def _safe(check: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Yield what a check finds, without secrets. One that fails is a fault itself, and the others go on."""
    try:
        for found in look():
            # An option that is wrong may be a token in a wrong place, and its error repeats it.
            yield replace(found, said=redaction.DEFAULT.text(found.said), advice=redaction.DEFAULT.text(found.advice))
    except Exception as e:  # noqa: BLE001  whatever it is, it is told
        # Its message may repeat what it has read.
        yield fault(check, f"this could not be looked at: {type(e).__name__}", "please report it")


def _tell(finding: Finding) -> None:
    out(f"{finding.state:<8}  {finding.check}: {finding.said}")
    if finding.advice:
        out(f"{_INDENT}{finding.advice}")


def _named(counts: Counter[State]) -> dict[str, int]:
    return {f"{state}s": counts[state] for state in (State.FAULT, State.WARNING)}
