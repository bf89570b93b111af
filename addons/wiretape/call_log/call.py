"""One call to a provider's API, and what became of it: a value, and the same as JSON. Sans-IO.

The names of its fields are those of the control API: ``GET /v1/calls`` gives calls as ``as_json`` makes them.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from wiretape.providers.usage import Usage


class Outcome(StrEnum):
    """What became of a call."""

    HIT = "hit"
    """Answered from a recording."""
    MISS = "miss"
    """Refused, as it has no recording."""
    RECORDED = "recorded"
    """Sent to a provider, whose answer became a recording."""
    PASSED = "passed"
    """Sent to a provider, whose answer was not to become a recording; ``why`` says why."""
    REFUSED = "refused"
    """Neither answered from a recording nor sent on: ``why`` says why."""
    FAULT = "fault"
    """Answered with a fault alone, on purpose."""
    LOST = "lost"
    """Sent to a provider, whose answer should have become a recording and did not."""
    FOLLOWED = "followed"
    """Answered with the live answer to an equal call that was under way."""
    IGNORED = "ignored"
    """Beside the model, as the telemetry of known programs: answered with nothing."""


PAID = frozenset({Outcome.RECORDED, Outcome.PASSED, Outcome.LOST})
"""What a provider was asked for: its tokens are spent. Those of a hit, or of one that followed, are saved."""


@dataclass(frozen=True, slots=True)
class MissTold:
    """Why a call had no recording."""

    hash: str = ""
    """The first digits of the request's; empty where it could not be read."""
    nearest: str = ""
    """The nearest recording's name; empty where there is none."""
    difference: str = ""
    """The first place where that one differs, in words, or what else there is to say of it, in a line."""
    text: str = ""
    """All of it, as the client was told."""
    hint: str = ""
    """Which rule would make the nearest recording answer, where all that differs has a known form."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call. What is not known is empty, or None."""

    at: float
    """When its request came: seconds since 1970."""
    session: str
    mode: str
    outcome: Outcome
    request: str = ""
    """What it asks, for people: endpoint and model, or a URL."""
    provider: str = ""
    endpoint: str = ""
    model: str = ""
    id: int = 0
    """Given by the log: it only grows, over all workers and runs."""
    run: str = ""
    """Given by the log: the same for all calls of a proxy from its start to its end."""
    client: str = ""
    """The user of the proxy's URL."""
    scope: str = ""
    test_id: str = ""
    status: int | None = None
    recording: str = ""
    """The name of the recording that answered, or that was made."""
    recorded_in: str = ""
    """The session that has it: the call's own, or a layer of it."""
    rules: tuple[str, ...] = ()
    """Names of the rules that a hit needed."""
    first_byte_ms: float | None = None
    """From the request's end to the answer's first byte."""
    total_ms: float | None = None
    """From the request's end to the answer's."""
    bytes: int | None = None
    """Of the answer's body."""
    usage: Usage = field(default_factory=Usage)
    cost_usd: Decimal | None = None
    """What its tokens cost at the provider, paid or not: see ``PAID``. None where no price is known."""
    miss: MissTold | None = None
    why: tuple[str, ...] = ()

    @property
    def is_paid(self) -> bool:
        """Whether a provider was asked."""
        return self.outcome in PAID


def as_json(call: Call) -> dict[str, Any]:
    """Return a call as a value of JSON."""
    at = told_at(call.at)
    cost = None if call.cost_usd is None else f"{call.cost_usd:f}"
    return asdict(call) | {"at": at, "cost_usd": cost, "rules": [*call.rules], "why": [*call.why]}


def told_at(seconds: float) -> str:
    """Return a time, in seconds since 1970, as RFC 3339 has it: in UTC, with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_json(value: Mapping[str, Any]) -> Call:
    """Return the call that ``as_json`` has made a value of; members of a newer version are passed over.

    Raises ValueError where it is none.
    """
    try:
        given = _known(Call, value)
        given["at"] = datetime.fromisoformat(given["at"]).timestamp()
        given["outcome"] = Outcome(given["outcome"])
        given["rules"] = tuple(given.get("rules", ()))
        given["why"] = tuple(given.get("why", ()))
        given["usage"] = Usage(**_known(Usage, given.get("usage", {})))
        if given.get("cost_usd") is not None:
            given["cost_usd"] = Decimal(given["cost_usd"])
        if given.get("miss") is not None:
            given["miss"] = MissTold(**_known(MissTold, given["miss"]))
        return Call(**given)
    except (TypeError, KeyError, AttributeError, ArithmeticError) as e:
        raise ValueError(f"it is no call: {type(e).__name__}: {e}") from e


def _known(kind: type[Call | Usage | MissTold], value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of an object that a value of this kind has."""
    names = {each.name for each in fields(kind)}
    return {name: each for name, each in value.items() if name in names}
