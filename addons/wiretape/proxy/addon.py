"""The mitmproxy addon: its options and its life. What it does is in ``connections`` and ``flows``."""

import asyncio
import logging
import time
from collections.abc import Awaitable
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass

from mitmproxy import command, ctx, exceptions
from mitmproxy.addonmanager import Loader
from mitmproxy.log import ALERT
from mitmproxy.utils import asyncio_utils

from wiretape import redaction
from wiretape.call_log.log import CallLog
from wiretape.metrics.counters import Counters, SessionCounters
from wiretape.network.address import Address
from wiretape.policy import Mode, Takes
from wiretape.providers.routing import Providers
from wiretape.proxy import configure, options, revoking, rule_checks, storing
from wiretape.proxy.accounting import Accounting, Terms
from wiretape.proxy.admission import Admission
from wiretape.proxy.call_report import CallReport
from wiretape.proxy.compat import loopback, supported
from wiretape.proxy.compat.host import Host
from wiretape.proxy.connections import Connections
from wiretape.proxy.controlled import Controlled
from wiretape.proxy.decide import Decider
from wiretape.proxy.destinations import Destinations
from wiretape.proxy.flows import FlowHooks
from wiretape.proxy.hooks import Guarded
from wiretape.proxy.look_up import LOOKING
from wiretape.proxy.overriding import LocalOverriding
from wiretape.proxy.reporting import Reporting
from wiretape.proxy.rule_checks import StartCheck
from wiretape.proxy.runtime import Runtime
from wiretape.proxy.threads import Threads
from wiretape.proxy.web_pages import WebPages
from wiretape.sessions.model import RECORDING
from wiretape.store.base import Store
from wiretape.tape.pool import TapePool
from wiretape.tape.tape import Tape

logger = logging.getLogger(__name__)

_TOLD = 10
"""Sessions that are named where the one that was chosen has nothing."""

_SETTLING = 8.0
"""Seconds for which it is waited until each call that was answered is in the log."""

_ENDING = 0.25
"""Seconds for which, before that, it is waited for the ends of live answers."""

_PATIENCE = 2.0
"""Seconds at the end of a proxy, which whoever ends it waits for. What is not written then is written all the same."""


@dataclass(frozen=True, slots=True)
class _InForce:
    """What holds now, and what was made of it: swapped in one assignment."""

    runtime: Runtime
    store: Store
    tapes: TapePool


class Wiretape:
    """Record, replay, or let pass."""

    def __init__(self, *, patience: float = _PATIENCE, calls: CallReport | None = None, command: str = "") -> None:
        """``patience``: seconds for which its end waits until all is written, at most. ``calls`` counts misses.

        ``command``: the name of the only one that goes through this proxy, where that is known.
        """
        self._patience = patience
        self._counters = SessionCounters()
        self._accounting = Accounting(self._counters, time.time)
        threads = Threads()
        self._destinations = Destinations()
        self._admission = Admission(threads)
        self._decider = Decider(self._admission, threads, self._destinations.is_offline_for, calls, command)
        self._connections = Connections(self._decider, self._destinations)
        self._requests = FlowHooks(self._decider, self._connections)
        self.addons = [Guarded(self._connections), Guarded(self._requests)]
        self._reporting = Reporting(self._counters)
        self._loop: asyncio.AbstractEventLoop | None = None
        """That of the traffic, once it runs."""
        self._overriding = LocalOverriding(
            self._admission, lambda: self._decider.runtime, lambda: self._reporting.turns, self._flush_calls
        )
        self._in_force: _InForce | None = None
        backend = Controlled(self._overriding, self._counters, self._held, _proxy_url)
        self._pages = WebPages(self._counters, backend)
        self._watching: asyncio.Task[None] | None = None
        self._start_check: StartCheck | None = None
        self._stopped = False
        self._configured = False
        self._host = Host()

    @property
    def counters(self) -> Counters:
        """What happened so far, in all sessions together."""
        return self._counters.total()

    @property
    def control_url(self) -> str:
        """Where the control API is, once the proxy is up; empty where it is nowhere."""
        return self._pages.control_url

    def tunnels(self) -> dict[str, bool]:
        """The hosts that tunnels were asked to, some of them, and whether each is a provider's."""
        return self._connections.tunnel_hosts

    @property
    def providers(self) -> Providers:
        """The table of providers that is in force."""
        return self._decider.runtime.providers

    def default_tape(self) -> Tape:
        """What is in force for who names no session, on a proxy that is open."""
        return self._admission.default.tape

    # -- options -----------------------------------------------------------------------------------

    def load(self, loader: Loader) -> None:
        """Declare the options."""
        options.declare(loader)
        self._host.clean_log(redaction.DEFAULT)

    def configure(self, updated: AbstractSet[str]) -> None:
        """Validate, then take over: a wrong value leaves everything as it was."""
        try:
            self._configure(updated)
        except exceptions.OptionsError as e:
            if self._configured or not ctx.master.addons.get("errorcheck"):
                raise
            # At its start mitmdump would print a traceback around this; its error check ends it for the line alone.
            logger.error("%s", e)
        except Exception:
            # Nobody knows now what holds, and mitmproxy goes on: let nobody in until options are taken over again.
            self._admission.close_door()
            raise

    def _configure(self, updated: AbstractSet[str]) -> None:
        appearance = configure.check(ctx.options)
        self._connections.forget()
        self._reporting.join(appearance.membership)
        if any(name.startswith(options.PREFIX) for name in updated):
            is_start = self._in_force is None
            self._take_over(updated)
            if is_start and (order := self._reporting.greet(ctx.master.shutdown, self._overriding.carry_out)):
                self._overriding.start_with(order)
            if is_start and self.default_tape().mode in RECORDING:
                storing.check_writable(self.default_tape().store, self.default_tape().session)
        self._pages.publish(appearance.page, appearance.control, appearance.names)
        self._host.choose(ctx.options)
        self._configured = True

    def _take_over(self, updated: AbstractSet[str]) -> None:
        former = self._in_force
        runtime = configure.build(ctx.options, updated, former.runtime if former else None)
        configure.check_overrides(runtime, self._admission.overrides)
        configure.clean_by(runtime.redaction)
        store = former.store if former and runtime.place == former.runtime.place else None
        if store is None:
            store = storing.open_store(runtime.place, self._choice)
        if runtime.has_strict_rules:
            rule_checks.refuse(store, runtime, rule_checks.sessions_of(runtime, ctx.options.wiretape_session))
        is_moved = former is not None and store is not former.store
        # Not at the start: the turns may be those of other workers too.
        if is_moved or (former and "wiretape_takes" in updated):
            self._reporting.turns.rewind()
        tapes = TapePool(
            store,
            runtime.sessions,
            self._counters,
            runtime.tape,
            memory=runtime.memory,
            turns=self._reporting.turns,
            policy=runtime.matching,
            policies=runtime.policies,
        )
        self._in_force = _InForce(runtime, store, tapes)
        self._decider.runtime = runtime
        self._destinations.use(runtime.egress, runtime.providers)
        self._requests.live.use(runtime.place.absolute(), runtime.journal)
        self._log_calls(runtime)
        self._admission.use(runtime.access, tapes, runtime.faults)
        if former and is_moved:
            self._requests.live.aside.submit(former.store.close)
            self._requests.live.aside.submit(store.start)

    def _flush_calls(self) -> None:
        """Wait, in another thread, until each call that was answered is in the log. Raises OSError."""
        if self._loop is None or self._stopped or self._decider.teller.log is None:
            return
        settling = asyncio.run_coroutine_threadsafe(self._settle_calls(), self._loop)
        if not settling.result(_SETTLING + 1):
            raise OSError("calls are still being written into their log")

    async def _settle_calls(self) -> bool:
        await self._requests.live.let_end(_ENDING)
        return await self._decider.teller.settle("", _SETTLING)

    def _held(self) -> _InForce:
        assert self._in_force
        return self._in_force

    def _log_calls(self, runtime: Runtime) -> None:
        """Have calls told where these options say; a log that they name still goes on. What they cost is added up."""
        self._accounting.use(Terms(runtime.prices, runtime.sessions, runtime.spending))
        self._decider.budgets.spending = runtime.spending
        teller = self._decider.teller
        former = teller.log
        report = teller.report.file
        if former and (former.file, former.run) == (runtime.call_log, runtime.run):
            return
        teller.log = None
        if runtime.call_log or report or runtime.counts_costs:
            price = self._accounting.price
            account = self._accounting.add
            teller.log = CallLog(runtime.call_log, runtime.run, price, report=report, account=account)
        if former:
            self._requests.live.aside.submit(former.close)

    def _choice(self, session: str) -> tuple[Mode, Takes]:
        assert self._in_force
        return self._in_force.tapes.choice(session)

    def running(self) -> None:
        """Say what is going to happen."""
        self._loop = asyncio.get_running_loop()
        tape = self._admission.default.tape
        for text in redaction.DEFAULT.warnings():
            logger.warning("wiretape: %s", text)
        for feature in supported.Feature:
            if said := supported.warning(feature):
                logger.warning("wiretape: %s", said)
        self._host.clean_screen(ctx.master.addons, redaction.DEFAULT)
        self._requests.live.aside.submit(tape.store.start)
        if tape.mode is Mode.REPLAY:
            self._requests.live.aside.submit(_warn_if_empty, tape)
        runtime = self._decider.runtime
        if tape.mode in LOOKING and not runtime.has_strict_rules:
            self._start_check = StartCheck(tape.store, runtime, rule_checks.sessions_of(runtime, tape.session))
            self._start_check.start()
        if runtime.lane is not options.Lane.FLOWS:
            self._host.speed_up(ctx.master.addons)
        opening = self._open(is_recording=tape.mode in RECORDING)
        asyncio_utils.create_task(opening, name="wiretape: listen on loopback", keep_ref=True)
        watching = revoking.watch(self._admission, lambda: self._decider.runtime.tokens)
        self._watching = asyncio_utils.create_task(watching, name="wiretape: watch the tokens", keep_ref=True)
        self._overriding.begin()
        self._reporting.start()
        self._pages.start()
        logger.info("wiretape: mode %s, session %s, recordings in %s", tape.mode, tape.session, tape.location)
        if self._destinations.policy.is_offline:
            logger.info("wiretape: offline: nothing leaves this machine")

    async def _open(self, *, is_recording: bool) -> None:
        # A process that is being started has the port's former socket too, until it is a program of its own, and nobody
        # can listen there meanwhile. So the port moves before there is any.
        await loopback.rebind()
        if not self._stopped:
            self._requests.live.start(is_recording=is_recording)

    def done(self) -> Awaitable[None] | None:
        """Finish what is under way and write it; mitmproxy may call it twice."""
        if self._stopped:
            return None
        self._stopped = True
        self._admission.stop()
        self._overriding.end()
        self._host.slow_down(ctx.master.addons)
        if self._watching:
            self._watching.cancel()
        if self._start_check:
            self._start_check.stop()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # mitmproxy has no loop any more, or none yet.
            asyncio.run(self._finish())
            return None
        self._host.expect_end(is_ending=ctx.master.should_exit.is_set())
        # No coroutine: mitmproxy waits for one at its end, but refuses one where it loads a script anew.
        return loop.create_task(self._finish(), name="wiretape: stop")

    async def _finish(self) -> None:
        await self._requests.live.stop(self._patience)
        # It answers in a thread of its own, which may wait for this one.
        await asyncio.to_thread(self._pages.stop)
        teller = self._decider.teller
        teller.stop()
        if teller.log:
            await asyncio.to_thread(teller.log.close, self._patience)
        self._accounting.close()
        # Behind the log, which counts what calls have cost.
        self._reporting.stop()
        if self._in_force:
            self._in_force.store.close()
        self._decider.close()
        logger.log(ALERT, "wiretape: %s", self.counters.summary())
        self._host.undo(ctx.master.addons, ctx.options)

    @command.command("wiretape.rewind")  # type: ignore[untyped-decorator]
    def rewind(self) -> None:
        """Start every sequence of takes again, and what faults count."""
        self._reporting.turns.rewind()
        self._admission.rewind_faults()


def _proxy_url() -> str:
    """Return where clients come to; empty where that is nowhere yet. For any thread."""
    server = ctx.master.addons.get("proxyserver")
    for instance in server.servers if server else ():
        for address in instance.listen_addrs:
            return f"http://{Address(address[0], address[1])}"
    return ""


NOTHING_RECORDED = "replay: there is no recording in %s%s"
"""What the log says, with the place, where the session of those who name none has nothing to answer with."""


def _warn_if_empty(tape: Tape) -> None:
    """Say that a replay has nothing to answer with. It may come yet: recordings are looked for with each request."""
    with suppress(OSError):  # Told with the first request.
        if tape.is_empty():
            others = [name for name in tape.store.sessions() if name != tape.session]
            there = f"; there are sessions {', '.join(others[:_TOLD])}" if others else ""
            logger.warning(NOTHING_RECORDED, tape.location, there)
