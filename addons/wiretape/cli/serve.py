"""``wiretape serve``: several mitmdumps behind one port, each started again when it dies, with one page and one API.

``wiretape.cluster`` has what the workers share; ``wiretape.proxy`` decides what a worker does with a request.
"""

import asyncio
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import wiretape
from wiretape.call_log.places import run_name
from wiretape.cli.certificates import check_confdir
from wiretape.cli.console import REFUSED, say
from wiretape.cli.serve_plan import ServePlan, ServeRefusedError, page_names, possible
from wiretape.cluster import balancer
from wiretape.cluster.balancer import Balance
from wiretape.cluster.coordinator import Coordinator
from wiretape.cluster.state import ClusterState
from wiretape.cluster.supervisor import SupervisedProcess
from wiretape.cluster.worker import Membership
from wiretape.control.backend import Backend
from wiretape.control.overriding import OverridingWorkers
from wiretape.control.server import WebServer
from wiretape.control.site import Site, sites
from wiretape.metrics.prometheus import CounterPage, Workers
from wiretape.network.address import HERE, Address

PATIENCE = 30.0
"""How many seconds a worker has to write what it is recording."""

_CLOSING = 2.0
"""How many seconds the balancer has once there is no worker any more."""


def serve(plan: ServePlan, environ: Mapping[str, str]) -> int:
    """Keep everything up until SIGTERM or SIGINT, and return the exit code. Raises ServeRefusedError."""
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
        # Its mode is 0700: nobody else may count, or ask for a turn.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wiretape-")))
        return asyncio.run(_Team(plan, listener, folder, environ).run())


class _Team:
    """All processes of a plan, and what they share."""

    def __init__(self, plan: ServePlan, listener: socket.socket, folder: Path, environ: Mapping[str, str]) -> None:
        self._plan = plan
        self._listener = listener
        self._folder = folder
        # The output of a worker is shown at once.
        self._environ = {**environ, "PYTHONUNBUFFERED": "1"}
        self._cluster = ClusterState()
        self._run = plan.setting("wiretape_run") or run_name()
        """What the calls of all workers have in common."""
        self._up: dict[int, asyncio.Event] = {}
        self._stop = asyncio.Event()
        self._workers: list[SupervisedProcess] = []
        self._balancer: SupervisedProcess | None = None
        host, port = listener.getsockname()[:2]
        self._address = Address(host, port)

    async def run(self) -> int:
        """Start everything, wait for the signal, and end everything."""
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._asked_to_stop)
        coordinator = Coordinator(self._cluster, lambda worker: self._up[worker].set(), self._down)
        try:
            await coordinator.start(self._folder / "team")
            with ExitStack() as stack:
                where = "; ".join(self._opened(stack, coordinator)) or "no page of counters"
                code = await self._serve(where)
                await self._end()
                # The page is still up, so that it gets the last reports of the workers.
                await coordinator.close()
                return code
        finally:
            for child in self._children():
                child.kill()

    async def _serve(self, where: str) -> int:
        self._make()
        # The first one starts alone: a wrong option is then reported once, and mitmproxy's CA is made once.
        for several in (self._workers[:1], self._workers[1:]):
            for worker in several:
                worker.start()
            for worker in several:
                if not await self._started(worker):
                    if self._stop.is_set():
                        return 0
                    return REFUSED
        if self._balancer:
            self._balancer.is_good = True  # Its configuration has been checked, and it has its port.
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
        # No new client comes in. Then the workers write what they are recording, and their end closes all connections.
        self._listener.close()
        if self._balancer:
            self._balancer.ask_to_end(signal.SIGUSR1)
        await asyncio.gather(*(worker.stop(PATIENCE) for worker in self._workers))
        if self._balancer:
            await self._balancer.stop(_CLOSING)

    def _make(self) -> None:
        count = self._plan.workers
        is_shared = self._plan.balance is Balance.REUSEPORT
        if is_shared:
            host = self._address.host
            ports = [self._address.port] * count
        else:
            host = HERE
            ports = balancer.free_ports(count)
        for number, port in enumerate(ports, 1):
            self._up[number] = asyncio.Event()
            membership = Membership(number, str(self._folder / "team"))
            command = _command(self._plan, Address(host, port), membership, self._run)
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

    def _opened(self, stack: ExitStack, coordinator: Coordinator) -> Iterator[str]:
        """Open the page of counters and the API, and tell where they are. Raises ServeRefusedError."""
        plan = self._plan
        counters = (plan.metrics, CounterPage(self._cluster.counters, self._state)) if plan.metrics else None
        for address, site in sites(page_names(plan), counters, self._api(coordinator)).items():
            server = stack.enter_context(_web_server(address, site))
            if site.backend:
                yield f"control API at {server.url}"
            if site.counters:
                yield f"counters at {server.url}/metrics"

    def _api(self, coordinator: Coordinator) -> tuple[Address, Backend] | None:
        if self._plan.control is None:
            return None
        # What reads the options of the workers takes a while to be imported.
        from wiretape.cli.serve_control import ControlledWorkers, runtime

        backend = ControlledWorkers(
            OverridingWorkers(coordinator, asyncio.get_running_loop()),
            runtime(_with_own(self._plan, f"wiretape_run={self._run}")),
            self._cluster.counters,
            self._pids,
            url=f"http://{self._address}",
        )
        return self._plan.control, backend

    def _pids(self) -> tuple[int, ...]:
        pids = [worker.pid for worker in self._workers]
        return tuple(pid for pid in pids if pid is not None)

    def _state(self) -> Workers:
        up = sum(event.is_set() for event in [*self._up.values()])
        return Workers(up, {child.label: child.restarts for child in self._children()})

    def _children(self) -> list[SupervisedProcess]:
        if self._balancer:
            return [*self._workers, self._balancer]
        return [*self._workers]

    def _down(self, worker: int) -> None:
        self._up[worker].clear()

    def _asked_to_stop(self) -> None:
        if self._stop.is_set():  # Asked a second time, it ends at once.
            for child in self._children():
                child.kill()
        self._stop.set()


def _command(plan: ServePlan, address: Address, membership: Membership, run: str) -> list[str]:
    script = Path(wiretape.__file__).resolve().parents[1] / "wiretape_addon.py"
    own = (f"wiretape_coordinator={membership}", "wiretape_metrics=", "wiretape_control=", f"wiretape_run={run}")
    # With -s alone, mitmproxy would ignore the scripts of --set.
    scripts = [str(script), *(each.partition("=")[2] for each in plan.settings if each.startswith("scripts="))]
    options = [each for each in _with_own(plan, *own) if not each.startswith("scripts=")]
    command = [*_mitmdump(plan.balance), "--listen-host", address.host, "--listen-port", str(address.port)]
    command += [part for each in scripts for part in ("-s", each)]
    return command + [part for each in options for part in ("--set", each)]


def _with_own(plan: ServePlan, *own: str) -> list[str]:
    """Return the settings of a plan, with some in the place of those of the same names."""
    names = {each.partition("=")[0] for each in own}
    return [*(each for each in plan.settings if each.partition("=")[0] not in names), *own]


def _web_server(address: Address, site: Site) -> WebServer:
    try:
        return WebServer(address, site)
    except OSError as e:
        flag = "--metrics" if site.counters else "--control"
        raise ServeRefusedError(f"{flag}: cannot listen on {address}: {e.strerror or e}") from e


def _mitmdump(balance: Balance) -> list[str]:
    # With -P, files in the working directory, or beside the program, are not imported as modules.
    program = [sys.executable, "-P"]
    if balance is Balance.REUSEPORT:
        return [*program, str(Path(__file__).resolve().with_name("reuseport_worker.py"))]
    return [*program, "-c", "from mitmproxy.tools.main import mitmdump; mitmdump()"]


def _tell(label: str, line: str) -> None:
    with suppress(OSError):  # The reader of our output may have gone: the workers go on.
        print(f"[{label}] {line}", file=sys.stderr, flush=True)


def _workers(count: int) -> str:
    if count == 1:
        return "one worker"
    return f"{count} workers"
