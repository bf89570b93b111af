"""The short chain is the long one, but for its length: masters of mitmproxy's, events asked of both."""

import asyncio
import logging
import warnings
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mitmproxy's, of pyparsing's new names.
    from mitmproxy import addonmanager, ctx, exceptions, hooks, options
    from mitmproxy.addons import anticache, onboarding
    from mitmproxy.test import tflow
    from mitmproxy.tools.dump import DumpMaster

    from wiretape.proxy.compat.addon_chain import Run, ShortChain

request_hook = hooks.all_hooks["request"]


@pytest.fixture(autouse=True)
def log() -> Iterator[None]:
    """Nothing is left of the masters: they put handlers into the log."""
    handlers = [*logging.root.handlers]
    yield
    logging.root.handlers[:] = handlers


def run(test: Callable[[DumpMaster], Coroutine[Any, Any, None]], *added: Any) -> None:
    """The test with a mitmdump that has these addons too."""

    async def go() -> None:
        made = DumpMaster(options.Options(), with_termlog=False)
        made.addons.add(*added)
        await test(made)

    asyncio.run(go())


def own(name: str, calls: list[str], **methods: Any) -> Any:
    """An addon that looks as if it were mitmproxy's own; it notes its calls."""

    def request(self: Any, _: Any) -> None:
        calls.append(name)

    members = {"name": name, "__module__": f"mitmproxy.addons.{name}", "request": request, **methods}
    return type(name, (), members)()


class Foreign:
    name = "foreign"

    def __init__(self, calls: list[str]) -> None:
        self.calls = calls

    def request(self, _: Any) -> None:
        self.calls.append("foreign")


def test_the_chain_is_short_and_long_again() -> None:
    async def test(made: DumpMaster) -> None:
        chain = made.addons.chain
        before = [*chain]
        ShortChain(made.addons).shorten()
        assert [type(each).__name__ for each in made.addons.chain] == ["Run", "ScriptLoader", "Run", "Foreign"]
        assert chain == before, "an event that is under way goes on along this"
        ShortChain(made.addons).shorten()
        assert len(made.addons.chain) == 4
        ShortChain(made.addons).restore()
        assert made.addons.chain == before

    run(test, Foreign([]))


@pytest.mark.parametrize("name", sorted({*hooks.all_hooks} - {"load"}))
def test_each_event_meets_the_same_addons_in_the_same_order(name: str) -> None:
    async def test(made: DumpMaster) -> None:
        met: list[Any] = []
        for addon in addonmanager.traverse(made.addons.chain):
            if callable(getattr(addon, name, None)):
                setattr(addon, name, lambda *_, addon=addon: met.append(addon))
        event = hooks.all_hooks[name](*[None] * len(hooks.all_hooks[name].__annotations__))
        await made.addons.trigger_event(event)
        long, met[:] = [*met], []
        ShortChain(made.addons).shorten()
        await made.addons.trigger_event(event)
        assert met == long

    run(test, Foreign([]))


def test_users_addons_and_subclasses_stay_in_the_chain() -> None:
    class Mine(anticache.AntiCache):
        name = "mine"

    async def test(made: DumpMaster) -> None:
        ShortChain(made.addons).shorten()
        assert made.addons.get("mine") in made.addons.chain
        assert made.addons.get("scriptloader") in made.addons.chain

    run(test, Mine())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # mitmproxy's, of pyparsing's new names
def test_an_option_set_later_takes_effect(tmp_path: Path) -> None:
    file = tmp_path / "answer"
    file.write_text("from the file")

    async def test(made: DumpMaster) -> None:
        ShortChain(made.addons).shorten()
        made.options.update(map_local=[f"|example.com|{file}"], modify_headers=["/~q/x-set/yes"])
        flow = tflow.tflow()
        flow.request.host = "example.com"
        await made.addons.trigger_event(hooks.all_hooks["requestheaders"](flow))
        await made.addons.trigger_event(request_hook(flow))
        assert flow.request.headers["x-set"] == "yes"
        assert flow.response
        assert flow.response.text == "from the file"

    run(test)


def test_a_wrong_option_is_refused_and_nothing_changes() -> None:
    async def test(made: DumpMaster) -> None:
        ShortChain(made.addons).shorten()
        with pytest.raises(exceptions.OptionsError, match="body_size_limit"):
            made.options.update(body_size_limit="much", anticache=True)
        assert not made.options.anticache
        assert made.options.body_size_limit is None

    run(test)


def test_a_command_takes_effect(tmp_path: Path) -> None:
    """Of an addon whose option says that it is idle."""

    async def test(made: DumpMaster) -> None:
        ShortChain(made.addons).shorten()
        known = tflow.tflow(resp=True)
        made.commands.call("replay.server.add", [known])
        flow = tflow.tflow()
        await made.addons.trigger_event(request_hook(flow))
        assert flow.response is not None

    run(test)


def test_async_hooks_are_waited_for_in_their_order() -> None:
    calls: list[str] = []

    async def slow(self: Any, _: Any) -> None:
        await asyncio.sleep(0.01)
        calls.append(self.name)

    async def test(made: DumpMaster) -> None:
        ShortChain(made.addons).shorten()
        await made.addons.trigger_event(request_hook(tflow.tflow()))
        assert calls == ["a", "b", "c", "d", "foreign"]

    addons = [own("a", calls), own("b", calls, request=slow), own("c", calls), own("d", calls, request=slow)]
    run(test, *addons, Foreign(calls))


@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_error_is_logged_and_the_others_go_on(caplog: pytest.LogCaptureFixture, asynchronous: bool) -> None:
    calls: list[str] = []

    def bad(self: Any, _: Any) -> None:
        raise ValueError("bad")

    async def bad_async(self: Any, _: Any) -> None:
        raise ValueError("bad")

    async def test(made: DumpMaster) -> None:
        ShortChain(made.addons).shorten()
        await made.addons.trigger_event(request_hook(tflow.tflow()))
        assert calls == ["b", "foreign"]
        assert "Addon error: bad" in caplog.text

    run(test, own("a", calls, request=bad_async if asynchronous else bad), own("b", calls), Foreign(calls))


def test_a_halt_ends_the_event() -> None:
    calls: list[str] = []

    def halt(self: Any, _: Any) -> None:
        raise exceptions.AddonHalt

    async def test(made: DumpMaster) -> None:
        ShortChain(made.addons).shorten()
        await made.addons.trigger_event(request_hook(tflow.tflow()))
        assert calls == ["a"]

    run(test, own("a", calls), own("b", calls, request=halt), own("c", calls), Foreign(calls))


def test_everybody_is_told_of_the_end_once() -> None:
    calls: list[str] = []

    def done(self: Any) -> None:
        calls.append(self.name)

    class Ours:
        name = "ours"

        def done(self) -> None:
            calls.append(self.name)
            ShortChain(ctx.master.addons).restore()

    async def test(made: DumpMaster) -> None:
        ShortChain(made.addons).shorten()
        await made.addons.trigger_event(hooks.DoneHook())
        assert calls == ["a", "ours", "b"]
        assert not any(isinstance(each, Run) for each in made.addons.chain)

    run(test, own("a", calls, done=done), Ours(), own("b", calls, done=done))


def test_what_is_removed_is_gone_and_what_is_added_is_there() -> None:
    calls: list[str] = []

    async def test(made: DumpMaster) -> None:
        chain = ShortChain(made.addons)
        chain.shorten()
        await made.addons.trigger_event(request_hook(tflow.tflow()))
        made.addons.remove(made.addons.get("a"))
        made.addons.add(own("c", calls))
        await made.addons.trigger_event(request_hook(tflow.tflow()))
        assert calls == ["a", "b", "b", "c"]
        chain.shorten()
        assert isinstance(made.addons.chain[-1], Run)
        made.addons.add(own("a", calls))
        chain.restore()
        assert [each.name for each in made.addons.chain[-3:]] == ["b", "c", "a"]

    run(test, own("a", calls), own("b", calls))


def test_the_deprecated_log_event_is_made_where_somebody_has_it() -> None:
    class Logged:
        name = "logged"

        def __init__(self) -> None:
            self.lines: list[str] = []

        def add_log(self, entry: Any) -> None:
            self.lines.append(entry.msg.rpartition("] ")[2])

    async def test(made: DumpMaster) -> None:
        woken: list[Any] = []
        call = made.event_loop.call_soon_threadsafe
        made.event_loop.call_soon_threadsafe = lambda *args: (woken.append(args), call(*args))[1]  # type: ignore
        chain = ShortChain(made.addons)
        chain.shorten()
        logging.getLogger("mitmproxy").warning("nobody")
        assert not woken
        logged = Logged()
        made.addons.add(logged)
        logging.getLogger("mitmproxy").warning("somebody")
        await asyncio.sleep(0)
        assert logged.lines == ["somebody"]
        made.addons.remove(logged)
        chain.restore()
        logging.getLogger("mitmproxy").warning("nobody")
        assert len(woken) == 2

    run(test)


def test_only_hooks_are_found_in_a_run() -> None:
    async def test(made: DumpMaster) -> None:
        ShortChain(made.addons).shorten()
        first = made.addons.chain[0]
        assert not hasattr(first, "addons")
        assert not hasattr(first, "name")
        assert first.tls_established_client is None
        assert made.addons.get("onboarding") in first.members()
        assert isinstance(made.addons.get("onboarding"), onboarding.Onboarding)
        assert "AntiCache" in repr(first)

    run(test)
