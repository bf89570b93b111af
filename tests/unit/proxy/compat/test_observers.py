"""Who looks at flows, so that hits have to be flows: told by mitmproxy's own masters, as they come."""

import asyncio
import logging
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest

from places import ROOT

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mitmproxy's, of pyparsing's new names.
    from mitmproxy import addons, options
    from mitmproxy.addons import dumper, intercept, script, view
    from mitmproxy.master import Master
    from mitmproxy.tools.dump import DumpMaster

    from wiretape.proxy.addon import Wiretape
    from wiretape.proxy.compat.observers import by_addons, by_options


def anybody_looks(master: Master) -> bool:
    """As the lane asks."""
    return by_options(master.options) or by_addons(master.addons)


def looked(*added: Any, scripts: Sequence[Path] = (), ours: bool = True, **chosen: Any) -> bool:
    """Whether anybody looks, in a mitmdump with these addons and options besides its own and ours."""

    async def ask() -> bool:
        master = DumpMaster(options.Options(), with_termlog=False)
        master.addons.add(*added, *((Wiretape(),) if ours else ()))
        for path in scripts:
            loaded = script.Script(str(path), True)
            master.addons.add(loaded)
            loaded.loadscript()  # mitmproxy does it in a moment.
            assert loaded.addons
        master.options.update(**chosen)
        return anybody_looks(master)

    return run(ask)


def run(ask: Callable[[], Coroutine[Any, Any, bool]]) -> bool:
    """The answer, and nothing left of the masters that were asked for it: they put handlers into the log."""
    handlers = [*logging.root.handlers]
    try:
        return asyncio.run(ask())
    finally:
        logging.root.handlers[:] = handlers


def test_by_default_nobody_looks() -> None:
    assert not looked()


def test_the_script_of_wiretape_is_nobody() -> None:
    assert not looked(scripts=[ROOT / "addons" / "wiretape_addon.py"], ours=False)


CHOSEN = {
    "anticache": True,
    "anticomp": True,
    "block_list": [":~u example:404"],
    "client_replay": ["tests/data/none"],
    "hardump": "-",
    "intercept": "~all",
    "map_local": ["|a|README.md"],
    "map_remote": ["|a|b"],
    "modify_body": ["/~s/a/b"],
    "modify_headers": ["/~q/a/b"],
    "proxyauth": "a:b",
    "save_stream_file": "flows",
    "save_stream_filter": "~all",
    "server_replay": ["flows"],
    "stickyauth": ".*",
    "stickycookie": ".*",
    "upstream_auth": "a:b",
}


@pytest.mark.parametrize("name", CHOSEN)
def test_an_option_with_which_flows_are_looked_at(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> bool:
        # Of the options alone, without what mitmproxy does with them: it would read the files that they name.
        master = DumpMaster(options.Options(), with_termlog=False)
        before = anybody_looks(master)
        master.options.changed.receivers.clear()
        if name in master.options:
            master.options.update(**{name: CHOSEN[name]})
        else:  # The console's and mitmweb's.
            master.options.add_option(name, str, CHOSEN[name], "")
        return not before and anybody_looks(master)

    assert run(ask)


@pytest.mark.parametrize(("detail", "looks"), [(0, False), (1, False), (2, True), (3, True), (4, True)])
def test_a_log_with_more_than_a_line_of_each_flow(detail: int, looks: bool) -> None:
    assert looked(flow_detail=detail) is looks


@pytest.mark.parametrize("chosen", [{"showhost": True}, {"ssl_insecure": True}, {"http2": False}])
def test_other_options_look_at_no_flow(chosen: dict[str, Any]) -> None:
    assert not looked(**chosen)


def test_without_the_dumper_nobody_looks_either() -> None:
    async def ask() -> bool:
        master = Master(options.Options())
        master.addons.add(*addons.default_addons())
        return anybody_looks(master)

    assert not run(ask)


class WebAddon:
    """As mitmweb's, by its name."""


class ConsoleAddon:
    """As the console's, by its name."""


@pytest.mark.parametrize("made", [view.View, intercept.Intercept, WebAddon, ConsoleAddon])
def test_a_part_of_a_user_interface_looks(made: type) -> None:
    assert looked(made())


@pytest.mark.parametrize(
    ("master", "looks"),
    [("web.master.WebMaster", True), ("console.master.ConsoleMaster", True), ("dump.DumpMaster", False)],
)
def test_mitmweb_and_the_console_look(master: str, looks: bool) -> None:
    # In a process of its own: the console's library warns of itself for ever after.
    module, _, name = master.rpartition(".")
    program = f"""
    import asyncio
    from mitmproxy import options
    from mitmproxy.tools.{module} import {name}
    from wiretape.proxy.compat.observers import by_addons, by_options

    async def ask():
        master = {name}(options.Options())
        return by_options(master.options) or by_addons(master.addons)

    print(asyncio.run(ask()))
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={"PYTHONPATH": str(ROOT / "addons")},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert result.stdout.split() == [str(looks)]


# -- other addons ------------------------------------------------------------------------------------------------------


def scripted(tmp_path: Path, text: str, name: str = "mine") -> bool:
    """Whether a script with this text looks."""
    path = tmp_path / f"{name}.py"
    path.write_text(text)
    return looked(scripts=[path])


HOOKS = ["requestheaders", "request", "responseheaders", "response", "error"]


@pytest.mark.parametrize("hook", HOOKS)
def test_a_script_with_a_hook_for_traffic_looks(hook: str, tmp_path: Path) -> None:
    assert scripted(tmp_path, f"def {hook}(flow):\n    pass\n")
    assert scripted(tmp_path, f"async def {hook}(flow):\n    pass\n")


@pytest.mark.parametrize("hook", [*HOOKS, "update"])
def test_an_addon_of_a_script_looks(hook: str, tmp_path: Path) -> None:
    assert scripted(tmp_path, f"class Mine:\n    def {hook}(self, flow):\n        pass\n\naddons = [Mine()]\n")


def test_an_addon_of_an_addon_looks() -> None:
    class Inner:
        def response(self, flow: object) -> None:
            """Of mitmproxy's."""

    class Outer:
        addons = (Inner(),)

    assert looked(Outer())


@pytest.mark.parametrize("text", ["", "def running():\n    pass\n", "response = 'no hook'\n", "import json\n"])
def test_a_script_without_a_hook_for_traffic_does_not_look(text: str, tmp_path: Path) -> None:
    assert not scripted(tmp_path, text)


@pytest.mark.parametrize("name", ["mitmproxy", "wiretape", "wiretape_addon", "mitmproxy_of_mine"])
def test_a_script_is_the_users_whatever_its_name(name: str, tmp_path: Path) -> None:
    assert scripted(tmp_path, "def response(flow):\n    pass\n", name)


def test_mitmproxys_own_dumper_does_not_look() -> None:
    assert callable(dumper.Dumper().response)
    assert not looked()
