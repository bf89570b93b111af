"""Our addons as mitmproxy sees them: a hook that raises has refused what it was asked about.

mitmproxy logs the exception of an addon's hook and goes on as if there were no such hook. Of hooks that let people in
and keep requests back that is the opposite of what is wanted. So mitmproxy knows none of our addons itself but a
``Guarded`` one, which has the same hooks, and refuses where one of them raises: by the kind of its argument, so that
a hook that is added tomorrow is guarded too.

This is the second of two bolts: our layers send nothing on of which a hook has not said that it may go.
"""

import inspect
import logging
from collections.abc import Awaitable
from functools import partial
from typing import Any

from mitmproxy import connection, exceptions, hooks, http, tls
from mitmproxy.proxy import layer, server_hooks

from wiretape.proxy import flow_state, responses
from wiretape.proxy.compat import tcp_reset
from wiretape.proxy.layers.hooks import Asking, Following
from wiretape.proxy.layers.refusing import ENDING, Refusing

logger = logging.getLogger(__name__)

_FAILED = "wiretape failed, as its log tells"

_PASSED = (exceptions.AddonHalt, *ENDING)

_AFTER_THE_REQUEST = ("responseheaders", "response", "error")
"""Hooks of flows that come when a request has been let through: who was let in gets the provider's answer."""


class Guarded:
    """An addon whose hooks refuse where they raise."""

    def __init__(self, addon: Any) -> None:
        self.name: str = addon.name
        self._addon = addon
        for name in hooks.all_hooks:
            if hasattr(addon, name):
                setattr(self, name, partial(self._call, name))

    def _call(self, name: str, *args: Any) -> Awaitable[None] | None:
        # The addon's own is looked up at each call, and guarded whatever it is by then.
        try:
            result = getattr(self._addon, name)(*args)
        except _PASSED:
            raise
        except BaseException:  # noqa: BLE001  it is logged there
            _refuse(name, *args)
            return None
        return self._finish(result, name, args) if inspect.isawaitable(result) else None

    @staticmethod
    async def _finish(result: Awaitable[None], name: str, args: tuple[Any, ...]) -> None:
        try:
            await result
        except _PASSED:
            raise
        except BaseException:  # noqa: BLE001  it is logged there
            _refuse(name, *args)


def _refuse(name: str, subject: Any = None, *_: Any) -> None:
    """Refuse what a hook that has just raised was asked about."""
    logger.exception("wiretape failed in %s: what it was asked about is refused", name)
    match subject:
        case http.HTTPFlow():
            _refuse_flow(name, subject)
        case server_hooks.ServerConnectionHookData():
            subject.server.error = _FAILED
        case layer.NextLayer():
            subject.layer = Refusing(subject.context, responses.failure())
        case tls.ClientHelloData():
            subject.ignore_connection = False
            tcp_reset.close(subject.context.client)
        case tls.TlsData():
            tcp_reset.close(subject.context.client)
        case connection.Client():
            subject.error = _FAILED
            tcp_reset.close(subject)
        case Asking() | Following():
            subject.has_failed = True


def _refuse_flow(name: str, flow: http.HTTPFlow) -> None:
    state = flow_state.of(flow)
    if name not in _AFTER_THE_REQUEST:
        state.grant = None
        state.leaves = False
        flow.request.stream = False
        flow.response = responses.failure(flow.request.http_version)
    elif state.grant is None and flow.killable:
        flow.kill()
    elif flow.response and not flow.response.raw_content and not flow.response.stream:
        flow.response.stream = True
