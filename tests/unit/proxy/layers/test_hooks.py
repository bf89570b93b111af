"""The hooks that layers pause on: the addon answers each of them."""

import pytest
from mitmproxy import hooks
from mitmproxy.proxy import commands

from wiretape.proxy.flows import FlowHooks
from wiretape.proxy.layers import hooks as ours

HOOKS = [each for each in vars(ours).values() if isinstance(each, type) and issubclass(each, commands.StartHook)]


@pytest.mark.parametrize("hook", [each for each in HOOKS if each is not commands.StartHook])
def test_each_pauses_its_layer_until_the_addon_has_answered(hook: type[commands.StartHook]) -> None:
    assert issubclass(hook, hooks.Hook)
    assert hook.blocking
    assert hook.name.startswith("wiretape_")
    assert callable(getattr(FlowHooks, hook.name))
