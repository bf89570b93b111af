"""A run begins: the proxy is started, or found, and each process that runs tests becomes a client of it.

Of a whole run this is done before anything of the user's is imported. The processes of xdist inherit what the one sets
that starts them. Where a marker asks, it is known only when the tests are: then each process that has
such a test starts a proxy for these alone.
"""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import pytest

from wiretape.call_log.call import Call, from_json
from wiretape.cli.options import CONTROL, is_ci
from wiretape.control.client import ControlClient, ControlError
from wiretape.policy import Mode
from wiretape.pytest_plugin import SCOPES, environment, modes
from wiretape.pytest_plugin.modes import RunMode
from wiretape.pytest_plugin.offline import Offline
from wiretape.pytest_plugin.proxy import RunningProxy, Wanted
from wiretape.pytest_plugin.scopes import Plan, TestScopes


@dataclass(frozen=True, slots=True)
class Run:
    """A run that has begun."""

    control: ControlClient
    mode: RunMode
    proxy: RunningProxy | None
    """The proxy, where this process has started one."""
    since: int
    """The id of the newest call that there was before."""

    def calls(self) -> Iterator[Call]:
        """Yield the calls since then, whoever has made them."""
        since = self.since
        while (page := self.control.calls(since=since))["calls"]:
            yield from map(from_json, page["calls"])
            since = page["next"]


RUN = pytest.StashKey[Run]()


def whole_run(config: pytest.Config) -> None:
    """Let all of the run go through the proxy: what is imported from now on finds it in the environment."""
    options = config.known_args_namespace
    command_line = RunMode(options.wiretape) if options.wiretape else None
    mode = command_line or _configured(config)
    proxy = None if environment.is_inherited(os.environ) else _proxy(config, mode)
    client = _client(proxy)
    before = environment.apply(_variables(proxy, client), os.environ)
    config.add_cleanup(lambda: _restore(before))
    _register(config, _run(os.environ, mode, proxy, client), Plan(client, mode, command_line))


def marked_tests(session: pytest.Session) -> None:
    """Let the tests that ask go through a proxy, each while it runs."""
    config = session.config
    mode = RunMode.REPLAY if is_ci(os.environ) else RunMode.RECORD_IF_MISSING
    proxy = _proxy(config, mode)
    client = _client(proxy)
    variables = _variables(proxy, client)
    environ = {**os.environ, **{name: value for name, value in variables.items() if value is not None}}
    scopes = _register(config, _run(environ, mode, proxy, client), Plan(client, mode, variables=variables))
    scopes.pytest_collection_finish(session)


def _client(proxy: RunningProxy | None) -> str:
    name = environment.client(os.environ)
    if proxy or environment.is_inherited(os.environ):
        return name
    # Others may be clients of a proxy that was there before.
    return f"{name}-{secrets.token_hex(3)}"


def _variables(proxy: RunningProxy | None, client: str) -> Mapping[str, str | None]:
    return environment.variables(proxy.variables if proxy else {}, os.environ, client)


def _run(environ: Mapping[str, str], mode: RunMode, proxy: RunningProxy | None, client: str) -> Run:
    """Return the run, which has made sure that nothing is recorded that no test asks for.

    Outside of a test the user of the proxy's URL is its session: that is for replaying alone, and has nothing.
    """
    control = ControlClient(environ[CONTROL], environment.token(environ))
    if mode is not RunMode.LIVE:
        # Of a proxy that was there before, another may have said who may say so.
        with suppress(ControlError):
            control.set_session(client, mode=Mode.REPLAY)
    try:
        return Run(control, mode, proxy, control.calls(limit=1)["next"])
    except ControlError as e:
        raise pytest.UsageError(f"wiretape: {e}") from e


def _configured(config: pytest.Config) -> RunMode:
    try:
        return modes.parse(config.getini("wiretape"))
    except ValueError as e:
        raise pytest.UsageError(f"wiretape, in {config.inipath}: {e}") from e


def _proxy(config: pytest.Config, mode: RunMode) -> RunningProxy | None:
    """Start a proxy, unless there is one already."""
    if CONTROL in os.environ:
        return None
    options = config.getini("wiretape_options")
    wanted = Wanted(mode.of_proxy, config.rootpath, options, is_offline=config.known_args_namespace.wiretape_offline)
    proxy = RunningProxy.start(wanted, os.environ)
    config.add_cleanup(lambda: _stop(proxy))
    return proxy


def _register(config: pytest.Config, run: Run, plan: Plan) -> TestScopes:
    offline = None
    if config.known_args_namespace.wiretape_offline:
        offline = Offline()
        config.add_cleanup(offline.end)
    config.add_cleanup(run.control.close)
    config.stash[RUN] = run
    scopes = TestScopes(run.control, plan, config.rootpath, offline)
    config.pluginmanager.register(scopes, SCOPES)
    return scopes


def _restore(before: Mapping[str, str | None]) -> None:
    environment.apply(before, os.environ)


def _stop(proxy: RunningProxy) -> None:
    proxy.stop()
