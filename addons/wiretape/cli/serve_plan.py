"""What ``wiretape serve`` has to keep up: flags, options and the environment -> a plan that works on this machine."""

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from wiretape.cli.console import say
from wiretape.cli.options import check_names, settings
from wiretape.cluster import balancer
from wiretape.cluster.balancer import Balance
from wiretape.codecs import misspelled
from wiretape.control import server
from wiretape.metrics import prometheus
from wiretape.network.address import Address
from wiretape.network.dns_rebinding import OwnNames, own_names

_OURS = {"wiretape_coordinator", "wiretape_metrics", "wiretape_control", "wiretape_page"}
"""Options of a worker that only ``serve`` sets."""


class ServeRefusedError(Exception):
    """It cannot start as it was asked to. The message is for the user."""


@dataclass(frozen=True, slots=True)
class ServePlan:
    """What has to be up. ``settings`` are the options of the workers, as ``name=value``."""

    workers: int
    listen: Address
    metrics: Address | None
    balance: Balance
    settings: Sequence[str] = ()
    control: Address | None = None
    """Where the control API is, if anywhere."""
    page: Address | None = None
    """Where the page is, with the API, if anywhere."""

    def setting(self, name: str) -> str:
        """Return what an option of the workers is set to; empty where it is not set."""
        given = [each.partition("=")[2] for each in self.settings if each.startswith(f"{name}=")]
        return given[-1] if given else ""


def for_workers(environ: Mapping[str, str], assignments: Sequence[str], flags: Mapping[str, str | None]) -> list[str]:
    """Return the options of the workers. Raises ServeRefusedError for an unknown one, in ``--set`` or
    the environment.
    """
    known = worker_options()
    names = {assignment.partition("=")[0] for assignment in assignments}
    wrong = {name for name in names - known if name.startswith("wiretape_")}
    if wrong:
        raise ServeRefusedError(str(misspelled.unknown("--set", wrong, sorted(known), kind="option")))
    try:
        check_names(environ, known | _OURS)
    except ValueError as error:
        raise ServeRefusedError(str(error)) from error
    chosen = settings(environ, assignments, flags)
    return [each for each in chosen if each.partition("=")[0] in known or not each.startswith("wiretape_")]


def worker_options() -> set[str]:
    """Return the names of the options that a worker may be given."""
    from mitmproxy.addonmanager import Loader

    from wiretape.proxy import options

    class Names(Loader):
        """Notes the names of the options, and declares none."""

        def __init__(self) -> None:
            self.names: set[str] = set()

        def add_option(self, name: str, *_: object, **__: object) -> None:
            self.names.add(name)

    loader = Names()
    options.declare(loader)
    return loader.names - _OURS


def possible(plan: ServePlan) -> ServePlan:
    """Return the plan, with another balance where this machine has no HAProxy. Raises ServeRefusedError."""
    if plan.workers < 1:
        raise ServeRefusedError("--workers: there must be one at least")
    if not hasattr(socket, "AF_UNIX"):
        raise ServeRefusedError("serve needs a system with Unix sockets: use mitmdump, one process")
    for flag, address in (("--listen", plan.listen), ("--control", plan.control), ("--page", plan.page)):
        if address and not address.is_loopback and not plan.setting("wiretape_tokens"):
            raise ServeRefusedError(
                f"{flag} {address} is open to other machines, where anybody could use your sessions: make a token,\n"
                "wiretape token create --session NAME --role write\nand add --set wiretape_tokens=wiretape-tokens.toml"
            )
    _check_packages(plan)
    if (plan.control or plan.page) and not plan.setting("wiretape_call_log"):
        # The API tells of the calls of all workers, which have none of their own.
        plan = replace(plan, settings=(*plan.settings, "wiretape_call_log=on"))
    if plan.balance is Balance.HAPROXY and not balancer.has_haproxy():
        text = f"HAProxy is not on the path. Install it ({balancer.INSTALL})"
        if not balancer.has_reuseport():
            raise ServeRefusedError(text)
        say(f"{text}; until then the kernel shares connections out: --balance reuseport")
        return replace(plan, balance=Balance.REUSEPORT)
    if plan.balance is Balance.REUSEPORT and not balancer.has_reuseport():
        raise ServeRefusedError("--balance reuseport: only Linux shares the connections of a port out among processes")
    return plan


def _check_packages(plan: ServePlan) -> None:
    """Raise ServeRefusedError where something is not installed that the plan needs."""
    try:
        if plan.metrics:
            prometheus.available()
            server.available()
    except prometheus.MissingPackageError as e:
        raise ServeRefusedError(f"{e}\n(or serve without them: --metrics '')") from e
    try:
        if plan.control:
            server.available()
    except prometheus.MissingPackageError as e:
        raise ServeRefusedError(f"--control: {e}") from e


def page_names(plan: ServePlan) -> OwnNames:
    """Return the names by which the page of counters and the API may be asked for. Raises ServeRefusedError."""
    hosts = [address.host for address in (plan.metrics, plan.control, plan.listen) if address]
    try:
        return own_names(plan.setting("wiretape_hosts"), tuple(hosts))
    except ValueError as e:
        raise ServeRefusedError(f"wiretape_hosts: {e}") from e
