"""A decider as the addon makes it, for tests of what is around it."""

from wiretape.proxy.admission import Admission
from wiretape.proxy.decide import Decider
from wiretape.proxy.threads import Threads


def make_decider(*, is_offline: bool = False) -> Decider:
    """Return a decider whose door is closed: its ``admission`` is to ``use`` a policy and tapes. To be closed."""
    threads = Threads()
    return Decider(Admission(threads), threads, lambda _: is_offline)
