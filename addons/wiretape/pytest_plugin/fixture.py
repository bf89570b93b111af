"""The fixture ``wiretape``: what became of a test's calls, and what is to become of the next ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from wiretape.call_log.call import Call, from_json
from wiretape.codecs.wildcards import Wildcard
from wiretape.pytest_plugin.running import RunningTest


@dataclass(frozen=True, slots=True)
class MadeCall:
    """A call, with its request and its answer."""

    call: Call
    """What became of it."""
    request: Mapping[str, Any] | None
    """``method``, ``url``, ``endpoint``, ``model`` and ``body``, as recorded; None where they are not kept."""
    answer: Mapping[str, Any] | None
    """``status``, ``text``, ``is_streaming`` and ``body``, as recorded; None where no recording has it."""

    def __str__(self) -> str:
        return f"{self.call.outcome}: {self.call.request}"


class Cost(NamedTuple):
    """What tokens cost, in US dollars; None where no price is known."""

    spent: Decimal | None
    """At providers."""
    saved: Decimal | None
    """By recordings."""


class Wiretape:
    """The calls of one test, its fixtures' included; those of programs that it starts, too."""

    def __init__(self, running: RunningTest) -> None:
        self._running = running
        self._faults: list[dict[str, Any]] = []

    @property
    def calls(self) -> list[MadeCall]:
        """The calls so far, in their order."""
        return [self._made(told) for told in self._running.calls()]

    @property
    def hits(self) -> int:
        """How many calls were answered from recordings."""
        return self._running.account().hits

    @property
    def misses(self) -> int:
        """How many calls were refused, as they have no recording."""
        return len(self._running.account().misses)

    @property
    def cost(self) -> Cost:
        """What the tokens of its calls have cost, and what recordings have saved."""
        account = self._running.account()
        return Cost(_money(account.spent_usd), _money(account.saved_usd))

    def fault(self, **fault: Any) -> None:
        """Let the next calls go wrong, beside the faults that there are already: what a ``[[fault]]`` table says.

        ``fault(status=429, retry_after=1, nth=1)``, ``fault(cut=3, endpoint="/v1/chat/completions")``.
        """
        self._faults.append(fault)
        self._running.change(faults=self._faults)

    def pace(self, pace: str) -> None:
        """Let the next answers come as fast as ``wiretape_pace`` says it: ``instant``, ``recorded``, ``50tps``."""
        self._running.change(pace=pace)

    def assert_called(self, endpoint: str = "*", *, model: str = "*", times: int | None = None) -> None:
        """Raise AssertionError unless so many calls were made, or any where nothing says how many.

        ``endpoint`` and ``model`` may have ``*`` for anything.
        """
        calls = [from_json(told) for told in self._running.calls()]
        by_endpoint = Wildcard(endpoint)
        by_model = Wildcard(model)
        counted = sum(by_endpoint.matches(call.endpoint) and by_model.matches(call.model) for call in calls)
        if counted == times or (times is None and counted):
            return
        wanted = "at least one call" if times is None else f"{times} calls"
        seen = "".join(f"\n  {call.outcome}: {call.request}" for call in calls) or " none at all"
        raise AssertionError(f"{wanted} of endpoint {endpoint}, model {model}: there were {counted}, of these:{seen}")

    def _made(self, told: Mapping[str, Any]) -> MadeCall:
        kept = self._running.control.call(told["id"])
        return MadeCall(from_json(told), kept["request"], kept["answer"])


def _money(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
