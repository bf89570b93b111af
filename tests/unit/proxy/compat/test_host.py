"""What the addon does to the mitmproxy and the Python that run it is undone when it goes."""

import asyncio
import gc
import logging
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from wiretape.proxy.compat.addon_chain import OnlyIfAsked, Run
from wiretape.proxy.compat.host import Host
from wiretape.proxy.flow_printing import CleanFile
from wiretape.redaction import logs
from wiretape.redaction.logs import CleanRecords

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mitmproxy's, of pyparsing's new names.
    from mitmproxy import hooks
    from mitmproxy.addons.proxyserver import Proxyserver
    from mitmproxy.log import LegacyLogEvents
    from mitmproxy.options import Options
    from mitmproxy.tools.dump import DumpMaster

    from wiretape.proxy.addon import Wiretape


class Collector:
    """The garbage collector as this test's proxy alone sees it: what is frozen is one thing for a whole process."""

    def __init__(self) -> None:
        self._frozen = 0

    def collect(self) -> int:
        return gc.collect()

    def freeze(self) -> None:
        gc.freeze()
        self._frozen = gc.get_freeze_count()

    def unfreeze(self) -> None:
        gc.unfreeze()
        self._frozen = 0

    def get_freeze_count(self) -> int:
        return self._frozen


def state(master: DumpMaster, collector: Collector) -> dict[str, Any]:
    """Everything of the host that the addon has a hand in."""
    dumper = master.addons.get("dumper")
    legacy = [each for each in logging.getLogger().handlers if isinstance(each, LegacyLogEvents)]
    return {
        "chain": [*master.addons.chain],
        "names": [*master.addons.lookup],
        "filters": [each for handler in legacy for each in handler.filters],
        "asyncio": [*logging.getLogger("asyncio").filters],
        "records": logging.getLogRecordFactory(),
        "crashes": sys.excepthook,
        "printing": dumper.outfp,
        "printed": "echo_flow" in vars(dumper),
        "frozen": collector.get_freeze_count(),
        "strategy": master.options.connection_strategy,
    }


class Tells:
    """Says when its mitmproxy is up."""

    def __init__(self, up: asyncio.Event) -> None:
        self._up = up

    def running(self) -> None:
        self._up.set()


def visit(folder: Path, *options: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Load the addon into a mitmproxy that is up, as its loader of scripts does, and unload it again.

    Return the state before, between and after.
    """

    async def test() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        chosen = Options(listen_host="127.0.0.1", server=False, confdir=str(folder / "confdir"))
        master = DumpMaster(chosen, with_termlog=False)
        up = asyncio.Event()
        master.addons.add(Tells(up))
        running = asyncio.create_task(master.run())
        await up.wait()
        before = state(master, collector)
        master.options.set(f"wiretape_recordings={folder / 'recordings'}", "wiretape_mode=replay", *options, defer=True)
        addon = Wiretape()
        master.addons.add(addon)
        master.addons.invoke_addon_sync(addon, hooks.ConfigureHook({*master.options.keys()}))
        master.addons.invoke_addon_sync(addon, hooks.RunningHook())
        between = state(master, collector)
        master.addons.remove(addon)
        await asyncio.gather(*(each for each in asyncio.all_tasks() if each.get_name() == "wiretape: stop"))
        after = state(master, collector)
        master.shutdown()
        await running
        return before, between, after

    collector = Collector()
    logs.remove()  # What commands that other tests ran in this process have installed.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wiretape.proxy.compat.host.gc", collector)
        return asyncio.run(test())


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


SECRETS = {"records", "crashes", "printing", "printed"}


def test_a_mitmproxy_that_goes_on_is_as_it_was(tmp_path: Path) -> None:
    before, between, after = visit(tmp_path)
    assert changed(before, between) == {"chain", "names", "filters", "frozen", "strategy", *SECRETS}
    assert any(isinstance(each, Run) for each in between["chain"])
    assert any(isinstance(each, OnlyIfAsked) for each in between["filters"])
    assert isinstance(between["printing"], CleanFile)
    assert isinstance(between["records"], CleanRecords)
    assert (between["strategy"], between["frozen"] > 0) == ("lazy", True)
    assert changed(before, after) == set()


def test_where_hits_are_flows_nothing_is_done_for_speed(tmp_path: Path) -> None:
    before, between, after = visit(tmp_path, "wiretape_lane=flows")
    assert changed(before, between) == {"chain", "names", "strategy", *SECRETS}
    assert not any(isinstance(each, Run) for each in between["chain"])
    assert changed(before, after) == set()


def test_what_the_user_has_chosen_meanwhile_stays(tmp_path: Path) -> None:
    host = Host()
    options = Options()
    Proxyserver().load(options)
    options.update(connection_strategy="eager")
    host.choose(options)
    assert (options.connection_strategy, options.listen_host) == ("lazy", "127.0.0.1")
    host.undo(AddonManagerStub(), options)  # type: ignore[arg-type]
    assert options.connection_strategy == "eager"
    assert options.listen_host == "127.0.0.1", "no end opens a port to others"
    host.undo(AddonManagerStub(), options)  # type: ignore[arg-type]
    assert options.connection_strategy == "eager"


class AddonManagerStub:
    """A mitmproxy without a dumper."""

    def get(self, _: str) -> None:
        return None


def test_what_ends_with_the_loop_is_no_news_and_later_all_is(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("asyncio")
    logger.error("what other tests' loops have left goes with a line")
    before = [*logger.filters]

    def report(error: BaseException) -> None:
        logger.error("a task failed", exc_info=(type(error), error, None))

    async def test() -> None:
        Host().expect_end(is_ending=False)
        assert logger.filters == before
        Host().expect_end(is_ending=True)
        report(asyncio.CancelledError())
        report(ValueError())

    asyncio.run(test())
    assert caplog.text.count("a task failed") == 1
    report(asyncio.CancelledError())
    assert caplog.text.count("a task failed") == 2
    assert logger.filters == before
