"""What our layers ask the addon: each a hook that a layer pauses on until it is answered. Beside mitmproxy's own hooks.

mitmproxy calls the addon's method of the hook's name (``wiretape_decide``) with its only field, and tells the layer
when that is done. The answer, where there is one, stands in that field; so does that answering has failed.
"""

from dataclasses import dataclass

from mitmproxy import connection, http
from mitmproxy.proxy import commands

from wiretape.proxy.calls import IncomingRequest, Outcome
from wiretape.replay.single_flight import Follower


@dataclass
class Asking:
    """A request that a layer has read, and the outcome that it waits for."""

    request: IncomingRequest
    outcome: Outcome | None = None
    """None where the request is for no endpoint."""
    has_failed: bool = False
    """Whether deciding has: then the request is refused, and nothing becomes of it."""


@dataclass
class WiretapeDecideHook(commands.StartHook):
    """Completes when it is decided what becomes of a request."""

    asking: Asking


@dataclass(slots=True)
class Following:
    """A stream that follows a live answer, and for which client."""

    follower: Follower
    client: connection.Client
    has_failed: bool = False
    """Whether waiting has: then there is no following."""


@dataclass
class WiretapeFollowHook(commands.StartHook):
    """Completes when the live answer has more pieces, or has ended, or the client has gone."""

    following: Following


@dataclass(frozen=True, slots=True)
class Wait:
    """So many seconds, and for which client."""

    seconds: float
    client: connection.Client


@dataclass
class WiretapeWaitHook(commands.StartHook):
    """Completes after so many seconds, or when the client has gone."""

    wait: Wait


@dataclass
class WiretapeLargeHook(commands.StartHook):
    """Completes when the flow, whose body is larger than one that is kept, has an answer or is to be streamed."""

    flow: http.HTTPFlow


@dataclass
class WiretapeResetHook(commands.StartHook):
    """Completes when the client's connection has been reset, where it is one that can be."""

    client: connection.Client
