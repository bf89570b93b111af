"""What became of a test's calls, and what is wrong with it. Sans-IO: JSON of the control API in, JSON and text out.

What a process of xdist tells of a test goes to the process that started it as a part of the test's report: as JSON.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from decimal import Decimal
from typing import Any, Self

from wiretape.codecs.units import counted


@dataclass(frozen=True, slots=True)
class Account:
    """What became of calls."""

    calls: int = 0
    hits: int = 0
    misses: Sequence[Mapping[str, Any]] = ()
    """Calls, as the control API tells them."""
    recorded: Sequence[str] = ()
    passed: int = 0
    refused: int = 0
    faults: int = 0
    lost: int = 0
    spent_usd: str | None = None
    """A decimal number; None where no price is known."""
    saved_usd: str | None = None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Return what the control API tells of a scope."""
        return cls(**{each.name: told[each.name] for each in fields(cls) if each.name in told})

    def __add__(self, other: "Account") -> "Account":
        return Account(
            self.calls + other.calls,
            self.hits + other.hits,
            [*self.misses, *other.misses],
            [*self.recorded, *other.recorded],
            self.passed + other.passed,
            self.refused + other.refused,
            self.faults + other.faults,
            self.lost + other.lost,
            _sum(self.spent_usd, other.spent_usd),
            _sum(self.saved_usd, other.saved_usd),
        )

    def since(self, earlier: "Account") -> "Account":
        """Return what is wrong of it that was not yet so in an earlier state of the same account."""
        return replace(self, misses=self.misses[len(earlier.misses) :], lost=self.lost - earlier.lost)

    def as_json(self) -> dict[str, Any]:
        """Return it as a value of JSON."""
        return asdict(self)

    def problem(self, node_id: str) -> str:
        """Say what is wrong with a test whose calls these are; nothing where nothing is."""
        parts = [*dict.fromkeys(_miss(call) for call in self.misses)]
        if parts:
            parts.append(f"Does the test ask the right thing? Record it:  pytest --wiretape=update {_quoted(node_id)}")
        if self.lost:
            parts.append(f"{counted(self.lost, 'recording')} lost: the run's end tells why.")
        return "\n\n".join(parts)


def _miss(call: Mapping[str, Any]) -> str:
    """Return what is told of a miss: all that the client was told."""
    miss = call.get("miss") or {}
    text = str(miss.get("text", "")).rstrip()
    if not text:
        why = "; ".join([*call.get("why", ()), str(miss.get("difference", ""))])
        text = f"wiretape: no recording of {call.get('request', 'a call')}: {why}"
    return text


def _quoted(text: str) -> str:
    return f"'{text}'" if set(text) & set(" []()&|;<>*?$") else text


def _sum(one: str | None, two: str | None) -> str | None:
    known = [Decimal(each) for each in (one, two) if each is not None]
    return str(sum(known, Decimal())) if known else None
