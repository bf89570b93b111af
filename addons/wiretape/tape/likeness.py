"""How much of what rules took out of a recorded request is what they took out of the present one. Below ``rule_index``.

Of each value a number of 32 bits is kept. Those of one conversation have the most in common: an id that a client sends
back is of an answer that it was played. Where it is none that was played, as a client makes ids of its own, or has got
one that was bound, it is remembered: of each present value, which recorded one was last in its place when a recording
answered. So a client that was answered from one of two recorded runs goes on with that run.

    recorded run A     key a, call_1        recorded run B     key b, call_2
    the client's first request has key x: A and B differ in one value; the newer one answers, B
    its second one has key x and call_9: B differs in one value, as x is known to be b; A in two
"""

import threading
import zlib
from array import array
from collections import OrderedDict

from wiretape.codecs import json_text
from wiretape.matching.reduction import Reduced, Taken

_VALUES = 256
"""Values of a request that are compared: the first of them, among which are the ids of a session."""

_KNOWN = 20_000
"""Present values of which it is remembered which recorded one was in their place."""


def values_of(reduced: Reduced) -> bytes:
    """Return what is kept of the values that were taken out of a request: four bytes for each."""
    return array("I", map(_number, reduced.taken[:_VALUES])).tobytes()


def _number(taken: Taken) -> int:
    name = f"{taken.rule.name}\0{taken.name}\0".encode("utf-8", "surrogatepass")
    if isinstance(taken.value, str):
        return zlib.crc32(taken.value.encode("utf-8", "surrogatepass"), zlib.crc32(name))
    return zlib.crc32(json_text.canonical(taken.value), zlib.crc32(name))


def _numbers(values: bytes) -> memoryview:
    return memoryview(values).cast("I")


class Conversations:
    """Which recorded value was last in a present one's place. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[int, int] = OrderedDict()

    def remember(self, recorded: bytes, present: bytes) -> None:
        """Note the values of a recording that has answered a request, and the request's own."""
        with self._lock:
            for one, two in zip(_numbers(recorded), _numbers(present), strict=False):
                if one == two:
                    self._known.pop(two, None)
                else:
                    self._known[two] = one
                    self._known.move_to_end(two)
            while len(self._known) > _KNOWN:
                self._known.popitem(last=False)

    def differing(self, recorded: bytes, present: bytes) -> int:
        """Return how many of two requests' values differ, and are not known to be in each other's place."""
        known = self._known
        ours = _numbers(recorded)
        theirs = _numbers(present)
        pairs = zip(ours, theirs, strict=False)
        count = sum([1 for one, two in pairs if one != two and known.get(two) != one])
        return count + abs(len(ours) - len(theirs))
