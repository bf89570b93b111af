"""A decider as the addon makes it, for tests of what is around it, and what is told of its calls."""

from collections.abc import Callable

from wiretape.call_log.call import Call
from wiretape.call_log.log import CallLog
from wiretape.call_log.preparing import CallTemplate
from wiretape.proxy.admission import Admission
from wiretape.proxy.decide import Decider
from wiretape.proxy.threads import Threads


def make_decider(*, is_offline: bool = False) -> Decider:
    """Return a decider whose door is closed: its ``admission`` is to ``use`` a policy and tapes. To be closed."""
    threads = Threads()
    return Decider(Admission(threads), threads, lambda _: is_offline)


class ToldCalls(CallLog):
    """Keeps what is told of calls, in place of a file."""

    def __init__(self) -> None:
        super().__init__(None, "run")
        self.calls: list[Call] = []

    def add(self, call: Call | Callable[[], Call]) -> None:
        """Keep a call."""
        self.calls.append(call if isinstance(call, Call) else call())

    def add_like(self, template: CallTemplate, came_at: float, done_at: float) -> None:
        """Keep a call that went out in one piece."""
        del came_at, done_at
        self.calls.append(template.make())
