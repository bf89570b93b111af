"""mitmproxy's chain of addons, shortened. Beside the way: about what an event costs, not what becomes of it.

mitmproxy asks each of its three dozen addons at each event whether it has a hook for it, and a connection with one
request has more than a dozen events that next to none of them has. Here each run of mitmproxy's own addons stands
behind one in the chain that asks once and remembers who has. Order, exceptions, ``AddonHalt`` and what an addon does
stay as they were; a user's addons stay in the chain themselves.
"""

import inspect
import logging
from collections.abc import Awaitable, Sequence
from functools import partial
from itertools import groupby
from typing import Any

from mitmproxy import addonmanager, hooks
from mitmproxy.log import LegacyLogEvents

_OWN = "mitmproxy.addons."
"""The modules of the addons that are known to have the same hooks all their life."""


class Run:
    """Neighbours in the chain, as one addon that has the hooks of all of them."""

    def __init__(self, manager: addonmanager.AddonManager, members: Sequence[Any]) -> None:
        self._manager = manager
        self._members = [(_name(member), member) for member in members]

    def __repr__(self) -> str:
        return f"Run({self.members()!r})"

    def members(self) -> list[Any]:
        """Those who have not been removed from mitmproxy since, in their order."""
        # Removing an addon takes it out of this table; the chain, where ours stands in for it, does not hold it.
        return [member for name, member in self._members if self._manager.get(name) is member]

    def __getattr__(self, name: str) -> Any:
        """A hook that has not been asked for before; None where no member has it."""
        if name not in hooks.all_hooks:
            raise AttributeError(name)
        having = [(known, member) for known, member in self._members if getattr(member, name, None)]
        hook = partial(self._call, name, having) if having else None
        self.__dict__[name] = hook
        return hook

    def _call(self, hook: str, members: Sequence[tuple[str, Any]], *args: Any) -> Awaitable[None] | None:
        for position, (name, member) in enumerate(members):
            if self._manager.get(name) is not member:
                continue
            with addonmanager.safecall():
                result = getattr(member, hook)(*args)
                if result is not None and inspect.isawaitable(result):
                    return self._await(result, hook, members[position + 1 :], args)
        return None

    async def _await(
        self, result: Awaitable[Any], hook: str, members: Sequence[tuple[str, Any]], args: tuple[Any, ...]
    ) -> None:
        with addonmanager.safecall():
            await result
        rest = self._call(hook, members, *args)
        if rest is not None:
            await rest


class OnlyIfAsked(logging.Filter):
    """Lets a line of the log become mitmproxy's deprecated event ``add_log`` only where an addon has its hook."""

    def __init__(self, manager: addonmanager.AddonManager) -> None:
        super().__init__()
        self._manager = manager

    def filter(self, _: logging.LogRecord) -> bool:
        """Whether there is one; asked anew for each line, as a script may be loaded at any time."""
        return any(getattr(each, "add_log", None) for each in addonmanager.traverse(self._manager.chain))


class ShortChain:
    """The chain of one mitmproxy, which can be short or as it was."""

    def __init__(self, manager: addonmanager.AddonManager) -> None:
        self._manager = manager

    def shorten(self) -> None:
        """Put each run of mitmproxy's own addons behind one; what was added since the last time is looked at too.

        An event that is under way goes on along the chain as it was.
        """
        self.restore()
        chain: list[Any] = []
        for own, group in groupby(self._manager.chain, key=_is_own):
            members = [*group]
            chain += [Run(self._manager, members)] if own else members
        self._manager.chain = chain
        # Each line of the log wakes mitmproxy's loop through a pipe and walks the chain, for a hook that few have.
        for handler in self._legacy():
            handler.addFilter(OnlyIfAsked(self._manager))

    def restore(self) -> None:
        """Put all back into the chain, each in its place."""
        chain = self._manager.chain
        self._manager.chain = [one for each in chain for one in (each.members() if isinstance(each, Run) else [each])]
        for handler in self._legacy():
            for known in [each for each in handler.filters if isinstance(each, OnlyIfAsked)]:
                handler.removeFilter(known)

    def _legacy(self) -> list[LegacyLogEvents]:
        handlers = logging.getLogger().handlers
        return [each for each in handlers if isinstance(each, LegacyLogEvents) and each.master.addons is self._manager]


def _is_own(addon: Any) -> bool:
    kind = type(addon)
    # One with addons of its own, as the loader of scripts, has other hooks with each of them.
    return kind.__module__.startswith(_OWN) and not hasattr(addon, "addons") and not hasattr(kind, "__getattr__")


def _name(addon: Any) -> str:
    name: str = getattr(addon, "name", type(addon).__name__.lower())
    return name
