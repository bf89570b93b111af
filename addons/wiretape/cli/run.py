"""``wiretape run``: runs the child, with a proxy that is up before it starts and goes after it has ended."""

import asyncio
import logging
import shutil
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NamedTuple, TextIO

from wiretape.cli.certificates import TrustFiles, trust_files
from wiretape.cli.embedded import OneLine, Proxy, StartError, serving
from wiretape.cli.environment import child_environment
from wiretape.cli.isolation import local_servers
from wiretape.cli.isolation.command import isolated
from wiretape.cli.isolation.files import covers
from wiretape.cli.isolation.local_servers import Allowed
from wiretape.cli.isolation.namespaces import IsolationError
from wiretape.metrics.counters import LOSSES, Counters
from wiretape.policy import Mode
from wiretape.proxy.call_report import CallReport

NOT_EXECUTABLE = 126
NOT_FOUND = 127
BY_SIGNAL = 128
"""Exit codes as shells have them; to ``BY_SIGNAL``, the number of the signal is added."""

logger = logging.getLogger(__name__)

MISSED = 3
LOST = 4
SILENT = 5
"""Exit codes where the command's own tells nothing: a call had no recording; a recording was lost or refused; in a
replay, nothing was asked.
"""


class Isolate(StrEnum):
    """Whether the command is isolated."""

    AUTO = "auto"
    """In replay, where the system lets it be."""
    YES = "yes"
    NO = "no"


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What is to be run, and how."""

    command: Sequence[str]
    settings: Sequence[str]
    """The proxy's options, each ``name=value``."""
    environ: Mapping[str, str]
    port: int = 0
    isolate: Isolate = Isolate.NO
    allowed: Allowed = field(default_factory=lambda: local_servers.parse([]))
    """Where an isolated command is led past the proxy."""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How it went. ``problem`` is set where the command did not start."""

    code: int
    mode: str
    session: str
    counters: Counters
    connections: int
    hosts: tuple[str, ...]
    """The hosts of requests."""
    tunnels: Mapping[str, bool]
    """Some of the hosts to which tunnels were asked for, and whether each is a provider's."""
    calls: CallReport
    problem: str = ""
    is_isolated: bool = False

    @property
    def is_silent(self) -> bool:
        """Whether nothing came that was for a provider."""
        counters = self.counters
        answered = counters.hits or counters.misses or counters.faults
        return not (answered or counters.upstream or counters.recorded or counters.unrecorded)

    def code_for(self, *, fail_on_miss: bool, fail_on_silence: bool) -> int:
        """Return the exit code: that of the command, unless it does not tell what is wrong."""
        if fail_on_miss and self.calls.missed:
            return MISSED
        is_lost = not LOSSES.isdisjoint(self.counters.reasons)
        if is_lost and not self.code:
            return LOST
        if fail_on_silence and not self.code and self.mode == Mode.REPLAY and self.is_silent:
            return SILENT
        return self.code


def run(plan: RunPlan, report: TextIO | None = None) -> RunOutcome:
    """Run a command behind a proxy, and wait for it. ``report`` gets a line of JSON for each call.

    It uses our standard streams, and warnings of the proxy go to stderr. Raises ``StartError`` where it cannot start.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(OneLine())
    handler.addFilter(_is_news)
    logging.getLogger().addHandler(handler)
    relay = _Relay()
    try:
        with relay.installed():
            return asyncio.run(_run(plan, relay, CallReport(report)))
    finally:
        logging.getLogger().removeHandler(handler)


def _is_news(record: logging.LogRecord) -> bool:
    # A connection that is open when the proxy ends is cancelled, which some versions of asyncio report.
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


class _Relay:
    """Handles signals.

    A terminal sends its signals to the child as well, which is in the same process group: they must only not end us
    before the child has ended. Signals that somebody sends to us alone are passed on.
    """

    def __init__(self) -> None:
        self._child: Process | None = None
        self.received: int | None = None
        self._passed_on = {signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}
        self._all = {signal.SIGINT, getattr(signal, "SIGQUIT", signal.SIGINT)} | self._passed_on

    @contextmanager
    def installed(self) -> Iterator[None]:
        handlers = {number: signal.getsignal(number) for number in self._all}
        # A signal that is ignored (nohup, a job in the background) stays ignored, also by the child.
        before = {number: handler for number, handler in handlers.items() if handler != signal.SIG_IGN}
        for number in before:
            signal.signal(number, self._receive)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def watch(self, child: Process) -> None:
        self._child = child
        if self.received is not None:  # The signal came while the child was being started.
            self._pass_on(self.received)

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        self.received = number
        self._pass_on(number)

    def _pass_on(self, number: int) -> None:
        if self._child is not None and number in self._passed_on:
            with suppress(ProcessLookupError):
                self._child.send_signal(number)


async def _run(plan: RunPlan, relay: _Relay, calls: CallReport) -> RunOutcome:
    command = Path(plan.command[0]).stem
    async with serving(plan.settings, dict(plan.environ), plan.port, calls, command) as proxy:
        with trust_files(proxy.ca_pem(), plan.environ) as trust:
            ended = await _behind(proxy, plan, trust, relay)
        with suppress(TimeoutError):
            await proxy.drained()
        mode = proxy.mode
        session = proxy.session
    # The proxy has stopped: only now all recordings are written and counted.
    traffic = proxy.traffic
    hosts = tuple(traffic.hosts)
    return RunOutcome(
        ended.code,
        mode,
        session,
        proxy.counters,
        traffic.connections,
        hosts,
        proxy.tunnels,
        calls,
        ended.problem,
        ended.is_isolated,
    )


class _Ended(NamedTuple):
    """How the command ended. ``problem`` is set where it did not start."""

    code: int
    problem: str = ""
    is_isolated: bool = False


async def _behind(proxy: Proxy, plan: RunPlan, trust: TrustFiles, relay: _Relay) -> _Ended:
    """Run the command behind a proxy that is up: in isolation, where that is asked for and possible."""
    is_default = plan.isolate is Isolate.AUTO and proxy.mode == Mode.REPLAY
    if plan.isolate is Isolate.YES or is_default:
        try:
            return await _isolated_child(proxy, plan, trust, relay)
        except IsolationError as e:
            if relay.received is not None:  # The signal ended the process that was to become the command.
                return _interrupted(relay.received)
            if not is_default:
                raise StartError(f"--isolate: {e}") from e
            logger.warning("not isolated, so a program that reads no proxy variable can go past the proxy: %s", e)
    environ = child_environment(plan.environ, proxy.url, trust, control=proxy.control_url)
    return await _child(plan.command, environ, relay, _start)


async def _isolated_child(proxy: Proxy, plan: RunPlan, trust: TrustFiles, relay: _Relay) -> _Ended:
    # What is on this machine may be inside, where the proxy does not come.
    past = ("localhost", "127.0.0.1", "::1")
    environ = child_environment(plan.environ, proxy.url, trust, past, control=proxy.control_url)
    async with isolated(proxy, plan.allowed) as inside:
        with covers(trust, plan.environ) as mounts:
            logger.warning("isolated: the command reaches %s, and nothing else", " and ".join(_reached(plan)))
            ended = await _child(plan.command, environ, relay, partial(inside.start, mounts=mounts))
            return ended._replace(is_isolated=True)


def _reached(plan: RunPlan) -> list[str]:
    return ["the proxy", *map(str, plan.allowed.texts)]


def _interrupted(signal_number: int) -> _Ended:
    return _Ended(BY_SIGNAL + signal_number, "interrupted")


type _Starting = Callable[[str, Sequence[str], Mapping[str, str]], Awaitable[Process]]


async def _start(program: str, arguments: Sequence[str], environ: Mapping[str, str]) -> Process:
    return await asyncio.create_subprocess_exec(program, *arguments, env=environ)


async def _child(command: Sequence[str], environ: dict[str, str], relay: _Relay, start: _Starting) -> _Ended:
    if relay.received is not None:  # The signal came while the proxy was being started.
        return _interrupted(relay.received)
    name, *arguments = command
    # The program is looked up here because the system call on Windows does not find npm.cmd.
    program = shutil.which(name, path=environ.get("PATH")) or name
    try:
        child = await start(program, arguments, environ)
    except FileNotFoundError:
        return _Ended(NOT_FOUND, f"command not found: {name}")
    except OSError as error:
        return _Ended(NOT_EXECUTABLE, f"cannot run {name}: {error.strerror}")
    relay.watch(child)
    code = await child.wait()
    if code < 0:
        code = BY_SIGNAL - code
    return _Ended(code)
