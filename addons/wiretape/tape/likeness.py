"""How much of what rules took out of a recorded request is what they took out of the present one. Below ``rule_index``.

Of each value two numbers of 32 bits are kept: for its place, and for itself. Those of one conversation have the most in
common: an id that a client sends back is of an answer that it was played. Where it is none that was played, as a client
makes ids of its own, or has got one that was bound, it is remembered: of each present value, which recorded one was
last in its place when a recording answered. So a client that was answered from one of two recorded runs goes on with
that run.

    recorded run A     key a, call_1        recorded run B     key b, call_2
    the client's first request has key x: A and B differ in one value; the newer one answers, B
    its second one has key x and call_9: B differs in one value, as x is known to be b; A in two
"""

import threading
import zlib
from array import array
from collections import Counter, OrderedDict

from wiretape.codecs import json_text
from wiretape.matching.reduction import Reduced
from wiretape.recording import JSON

_VALUES = 256
"""Values of a request that are compared: the first of them, among which are the ids of a session."""

_NONE = -1
"""In place of a value that is not there: no number is."""

_KNOWN = 20_000
"""Present values of which it is remembered which recorded one was in their place."""


def values_of(reduced: Reduced) -> bytes:
    """Return what is kept of the values that were taken out of a request: eight bytes for each."""
    numbers = array("I")
    for left in reduced.left_out[:_VALUES]:
        numbers.append(_number(left.rule.name, repr(left.place)))
        numbers.append(_number(left.rule.name, left.value))
    counts: Counter[str] = Counter()
    for each in reduced.taken[:_VALUES]:
        # One directory can have several paths, which move nothing but each other.
        kind = each.name if each.is_directory else ""
        numbers.append(_number(kind, counts[kind]))
        numbers.append(_number(f"{each.rule.name} {each.name}", each.value))
        counts[kind] += 1
    return numbers.tobytes()


def _number(what: str, value: JSON) -> int:
    named = zlib.crc32(what.encode("utf-8", "surrogatepass"))
    if isinstance(value, str):
        return zlib.crc32(value.encode("utf-8", "surrogatepass"), named)
    return zlib.crc32(json_text.canonical(value), named)


def _by_place(values: bytes) -> dict[int, int]:
    numbers = memoryview(values).cast("I")
    return dict(zip(numbers[::2].tolist(), numbers[1::2].tolist(), strict=True))


class Conversations:
    """Which recorded value was last in a present one's place. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[int, int] = OrderedDict()

    def remember(self, recorded: bytes, present: bytes) -> None:
        """Note the values of a recording that has answered a request, and the request's own."""
        with self._lock:
            ours = _by_place(present)
            for place, one in _by_place(recorded).items():
                two = ours.get(place)
                if two == one:
                    self._known.pop(two, None)
                elif two is not None:
                    self._known[two] = one
                    self._known.move_to_end(two)
            while len(self._known) > _KNOWN:
                self._known.popitem(last=False)

    def differing(self, recorded: bytes, present: bytes) -> int:
        """Return how many of two requests' values differ, and are not known to be in each other's place."""
        known = self._known
        ours = _by_place(present)
        theirs = _by_place(recorded)
        differ = [place for place, two in ours.items() if theirs.get(place, _NONE) not in (two, known.get(two))]
        return len(differ) + len(theirs.keys() - ours.keys())
