"""Where it is looked: the environment, the options, and what a proxy that is started here would make of them.

A proxy is not started. Its options are declared, set and checked as at a start, which takes hold of nothing.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mitmproxy import exceptions, optmanager
from mitmproxy.addonmanager import Loader
from mitmproxy.addons import default_addons
from mitmproxy.master import Master
from mitmproxy.options import Options

from wiretape.cli.options import check_names
from wiretape.network.address import Address
from wiretape.proxy import configure, options
from wiretape.proxy.runtime import Runtime
from wiretape.store.opening import StoreUrl


class OptionsRefusedError(Exception):
    """A proxy would not start with these options. The message is for the user."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known before anything is looked at."""

    environ: Mapping[str, str]
    settings: Sequence[str]
    """The options of a proxy, as ``name=value``."""
    listen: Address
    """Where a shared proxy would listen."""
    confdir: Path
    """Where proxies of this machine keep their CA, and their ``config.yaml``."""
    working: Path = field(default_factory=Path.cwd)

    def option(self, name: str) -> str:
        """Return what an option is set to; empty where it is not set."""
        chosen = [each.partition("=")[2] for each in self.settings if each.startswith(f"{name}=")]
        return chosen[-1] if chosen else ""

    def store(self, runtime: Runtime | None) -> StoreUrl:
        """Return where recordings are, also where the options are refused."""
        if runtime:
            return runtime.place
        return StoreUrl(self.option("wiretape_recordings") or "recordings")

    def runtime(self) -> Runtime:
        """Return what all options come to. Raises OptionsRefusedError."""
        try:
            return asyncio.run(self._runtime())
        except (exceptions.OptionsError, TypeError, ValueError) as e:
            raise OptionsRefusedError(str(e)) from e

    async def _runtime(self) -> Runtime:
        master = Master(Options())
        master.addons.add(*default_addons())
        chosen = master.options
        optmanager.load_paths(chosen, self.confdir / "config.yaml", self.confdir / "config.yml")
        options.declare(Loader(master))
        check_names(self.environ, [name for name in chosen.keys() if name.startswith(options.PREFIX)])  # noqa: SIM118
        chosen.set(*self.settings, defer=True)
        configure.check(chosen)
        return configure.build(chosen, frozenset(chosen.keys()))
