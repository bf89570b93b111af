"""The order of a call's arguments: as an SDK sends them, and as a recording has them. Under the formats of SDKs' calls.

An SDK changes the order of what its caller wrote, so the order on the wire says nothing about the caller: it becomes
that of the public recorder. Any other order is the client's own, and stays.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ArgumentOrder:
    """In which order the arguments of one SDK method are sent and recorded."""

    sent_first: tuple[tuple[str, ...], ...] = ()
    """The keys that the SDK sends first, by its major versions; the others follow by name."""
    recorded_first: tuple[str, ...] = ()
    recorded_last: tuple[str, ...] = ()

    def recorded(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return arguments in the order in which they are recorded."""
        if any(list(arguments) == _ordered(arguments, first) for first in self.sent_first):
            return {key: arguments[key] for key in _ordered(arguments, self.recorded_first, self.recorded_last)}
        return dict(arguments)


def _ordered(keys: Collection[str], first: tuple[str, ...], last: tuple[str, ...] = ()) -> list[str]:
    middle = sorted(key for key in keys if key not in first and key not in last)
    return [*(key for key in first if key in keys), *middle, *(key for key in last if key in keys)]
