"""``wiretape serve``: several mitmdumps behind one port, each started again when it dies, and one page of counters.

What the workers have in common is in ``wiretape.team``; what one of them does with a request is in ``wiretape.proxy``.
"""

import asyncio
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import wiretape
from wiretape.cli.certificates import check_confdir
from wiretape.cli.console import REFUSED, say
from wiretape.cli.options import check_names, settings
from wiretape.cluster import balancer
from wiretape.cluster.balancer import Balance
from wiretape.cluster.coordinator import Coordinator
from wiretape.cluster.state import ClusterState
from wiretape.cluster.supervisor import SupervisedProcess
from wiretape.cluster.worker import Membership
from wiretape.codecs import misspelled
from wiretape.metrics import prometheus
from wiretape.network.address import HERE, Address
from wiretape.network.dns_rebinding import OwnNames, own_names

PATIENCE = 30.0
"""Seconds that a worker has to write what it is recording."""

_CLOSING = 2.0
"""Seconds that the balancer has when there is no worker any more."""

_OURS = {"wiretape_coordinator", "wiretape_metrics"}
"""Options of a worker's that only this module sets."""


class ServeRefusedError(Exception):
    """It cannot start as it was asked to: the message is for the user."""


@dataclass(frozen=True, slots=True)
class ServePlan:
    """What is to be up. ``settings`` are the workers' options, ``name=value``."""

    workers: int
    listen: Address
    metrics: Address | None
    balance: Balance
    settings: Sequence[str] = ()


def for_workers(environ: Mapping[str, str], assignments: Sequence[str], flags: Mapping[str, str | None]) -> list[str]:
    """The workers' options. Raises RefusedError for one that there is not, in ``--set`` or in the environment."""
    known = _known()
    names = {assignment.partition("=")[0] for assignment in assignments}
    if wrong := {name for name in names - known if name.startswith("wiretape_")}:
        raise ServeRefusedError(str(misspelled.unknown("--set", wrong, sorted(known), kind="option")))
    try:
        check_names(environ, known | _OURS)
    except ValueError as error:
        raise ServeRefusedError(str(error)) from error
    chosen = settings(environ, assignments, flags)
    return [each for each in chosen if each.partition("=")[0] in known or not each.startswith("wiretape_")]


def _known() -> set[str]:
    from mitmproxy.addonmanager import Loader

    from wiretape.proxy import options

    class Names(Loader):
        """Notes the names, and declares nothing."""

        def __init__(self) -> None:
            self.names: set[str] = set()

        def add_option(self, name: str, *_: object, **__: object) -> None:
            self.names.add(name)

    loader = Names()
    options.declare(loader)
    return loader.names - _OURS


def possible(plan: ServePlan) -> ServePlan:
    """The plan, with another balance where this machine has no HAProxy. Raises RefusedError."""
    if plan.workers < 1:
        raise ServeRefusedError("--workers: there must be one at least")
    if not hasattr(socket, "AF_UNIX"):
        raise ServeRefusedError("serve needs a system with Unix sockets: use mitmdump, one process")
    has_tokens = any(each.startswith("wiretape_tokens=") and each != "wiretape_tokens=" for each in plan.settings)
    if not plan.listen.is_loopback and not has_tokens:
        raise ServeRefusedError(
            f"--listen {plan.listen} is open to other machines, where anybody could use your sessions: make a token,\n"
            "wiretape token create --session NAME --role write\nand add --set wiretape_tokens=wiretape-tokens.toml"
        )
    if plan.metrics:
        try:
            prometheus.available()
        except prometheus.MissingPackageError as e:
            raise ServeRefusedError(f"{e}\n(or serve without them: --metrics '')") from e
    if plan.balance is Balance.HAPROXY and not balancer.has_haproxy():
        text = f"HAProxy is not on the path. Install it ({balancer.INSTALL})"
        if not balancer.has_reuseport():
            raise ServeRefusedError(text)
        say(f"{text}; until then the kernel shares connections out: --balance reuseport")
        return ServePlan(plan.workers, plan.listen, plan.metrics, Balance.REUSEPORT, plan.settings)
    if plan.balance is Balance.REUSEPORT and not balancer.has_reuseport():
        raise ServeRefusedError("--balance reuseport: only Linux shares the connections of a port out among processes")
    return plan


def serve(plan: ServePlan, environ: Mapping[str, str]) -> int:
    """Be up until SIGTERM or SIGINT. Gives the exit code. Raises RefusedError."""
    plan = possible(plan)
    try:
        check_confdir(plan.settings)
    except OSError as e:
        raise ServeRefusedError(str(e)) from e
    with ExitStack() as stack:
        try:
            listener = stack.enter_context(balancer.listen(plan.listen, plan.balance))
        except OSError as e:
            raise ServeRefusedError(f"cannot listen on {plan.listen}: {e.strerror or e}") from e
        # Of mode 0700: nobody else may count, or ask for a turn.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wiretape-")))
        return asyncio.run(_Team(plan, listener, folder, environ).run())


class _Team:
    """All processes of a plan, and what they share."""

    def __init__(self, plan: ServePlan, listener: socket.socket, folder: Path, environ: Mapping[str, str]) -> None:
        self._plan = plan
        self._listener = listener
        self._folder = folder
        # What a worker writes is to be seen at once.
        self._environ = {**environ, "PYTHONUNBUFFERED": "1"}
        self._board = ClusterState()
        self._up: dict[int, asyncio.Event] = {}
        self._stop = asyncio.Event()
        self._workers: list[SupervisedProcess] = []
        self._balancer: SupervisedProcess | None = None
        host, port = listener.getsockname()[:2]
        self._address = Address(host, port)

    async def run(self) -> int:
        """From the first worker to the last one's end."""
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._asked_to_stop)
        coordinator = Coordinator(self._board, lambda worker: self._up[worker].set(), self._down)
        try:
            await coordinator.start(self._folder / "team")
            with ExitStack() as stack:
                where = "no page of counters"
                if self._plan.metrics:
                    page = stack.enter_context(self._page(self._plan.metrics))
                    where = f"counters at http://{page.address}/metrics"
                code = await self._serve(where)
                await self._end()
                # While the page is up: it has the workers' last words.
                await coordinator.close()
                return code
        finally:
            for child in self._children():
                child.kill()

    async def _serve(self, where: str) -> int:
        self._make()
        # The first one alone: what is wrong with an option is told once, and mitmproxy's CA is made once.
        for several in (self._workers[:1], self._workers[1:]):
            for worker in several:
                worker.start()
            for worker in several:
                if not await self._started(worker):
                    if self._stop.is_set():
                        return 0
                    return REFUSED
        if self._balancer:
            self._balancer.is_good = True  # Its configuration was checked, and it has its port.
            self._balancer.start()
        behind = "that share the port"
        if self._balancer:
            behind = "behind HAProxy"
        say(f"serving at {self._address}: {_workers(self._plan.workers)} {behind}; {where}")
        await self._stop.wait()
        return 0

    async def _started(self, worker: SupervisedProcess) -> bool:
        number = int(worker.label)
        events = (self._up[number], worker.died, self._stop)
        tasks = [asyncio.create_task(event.wait()) for event in events]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        if worker.died.is_set():
            say(f"worker {number} cannot start: what it said is above")
        worker.is_good = self._up[number].is_set() and not worker.died.is_set()
        return worker.is_good and not self._stop.is_set()

    async def _end(self) -> None:
        # Nobody new comes in; then the workers write what they are recording; their end closes all connections.
        self._listener.close()
        if self._balancer:
            self._balancer.ask_to_end(signal.SIGUSR1)
        await asyncio.gather(*(worker.stop(PATIENCE) for worker in self._workers))
        if self._balancer:
            await self._balancer.stop(_CLOSING)

    def _make(self) -> None:
        count = self._plan.workers
        is_shared = self._plan.balance is Balance.REUSEPORT
        ports = [self._address.port] * count if is_shared else balancer.free_ports(count)
        host = self._address.host if is_shared else HERE
        for number, port in enumerate(ports, 1):
            self._up[number] = asyncio.Event()
            membership = Membership(number, str(self._folder / "team"))
            command = _command(self._plan, Address(host, port), membership)
            worker = SupervisedProcess(str(number), command, _tell, ends_on=signal.SIGINT, environ=self._environ)
            self._workers.append(worker)
        if not is_shared:
            file = self._folder / "haproxy.cfg"
            descriptor = self._listener.fileno()
            names = {f"worker{number}": port for number, port in enumerate(ports, 1)}
            file.write_text(balancer.configuration(descriptor, names), "utf-8")
            program = balancer.haproxy()
            assert program
            command = [program, "-db", "-f", str(file)]
            self._check(command, descriptor)
            self._balancer = SupervisedProcess(
                "haproxy", command, _tell, ends_on=signal.SIGTERM, descriptors=[descriptor]
            )

    @staticmethod
    def _check(command: Sequence[str], descriptor: int) -> None:
        checked = subprocess.run([*command, "-c"], pass_fds=[descriptor], capture_output=True, text=True, check=False)  # noqa: S603
        if checked.returncode:
            raise ServeRefusedError(f"HAProxy refuses its configuration:\n{checked.stderr.strip()}")

    def _page(self, address: Address) -> prometheus.Page:
        try:
            return prometheus.Page(address, self._board.counters, _names(self._plan), self._state)
        except OSError as e:
            raise ServeRefusedError(f"--metrics: cannot listen on {address}: {e.strerror or e}") from e

    def _state(self) -> prometheus.Workers:
        up = sum(event.is_set() for event in [*self._up.values()])
        return prometheus.Workers(up, {child.label: child.restarts for child in self._children()})

    def _children(self) -> list[SupervisedProcess]:
        return [*self._workers, *([self._balancer] if self._balancer else [])]

    def _down(self, worker: int) -> None:
        self._up[worker].clear()

    def _asked_to_stop(self) -> None:
        if self._stop.is_set():  # Asked twice: somebody is in a hurry.
            for child in self._children():
                child.kill()
        self._stop.set()


def _names(plan: ServePlan) -> OwnNames:
    """The names by which the page is asked for. Raises RefusedError."""
    listed = next((each.partition("=")[2] for each in plan.settings if each.startswith("wiretape_hosts=")), "")
    assert plan.metrics
    try:
        return own_names(listed, (plan.metrics.host, plan.listen.host))
    except ValueError as e:
        raise ServeRefusedError(f"wiretape_hosts: {e}") from e


def _command(plan: ServePlan, address: Address, membership: Membership) -> list[str]:
    script = Path(wiretape.__file__).resolve().parents[1] / "wiretape_addon.py"
    own = (f"wiretape_coordinator={membership}", "wiretape_metrics=")
    # -s would replace what --set says of scripts.
    scripts = [str(script), *(each.partition("=")[2] for each in plan.settings if each.startswith("scripts="))]
    options = [each for each in (*plan.settings, *own) if not each.startswith("scripts=")]
    command = [*_mitmdump(plan.balance), "--listen-host", address.host, "--listen-port", str(address.port)]
    command += [part for each in scripts for part in ("-s", each)]
    return command + [part for each in options for part in ("--set", each)]


def _mitmdump(balance: Balance) -> list[str]:
    # -P: what lies in the folder that we were started in is no module of ours, nor what lies beside the program.
    program = [sys.executable, "-P"]
    if balance is Balance.REUSEPORT:
        return [*program, str(Path(__file__).resolve().with_name("reuseport_worker.py"))]
    return [*program, "-c", "from mitmproxy.tools.main import mitmdump; mitmdump()"]


def _tell(label: str, line: str) -> None:
    with suppress(OSError):  # Who reads may have gone; that is no reason to go too.
        print(f"[{label}] {line}", file=sys.stderr, flush=True)


def _workers(count: int) -> str:
    if count == 1:
        return "one worker"
    return f"{count} workers"
