"""Makes calls ready to be written: what they cost, no secrets, no text that is too long. For the thread of the log.

Of calls that are the same but for their times all of that is done once: they have a ``CallTemplate`` in common.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from wiretape import redaction
from wiretape.call_log.call import Call, as_json, from_json
from wiretape.call_log.database import Entry, What
from wiretape.providers.usage import Usage

logger = logging.getLogger(__name__)

type Price = Callable[[str, str, Usage, float], Decimal | None]
"""What tokens cost at a provider: its name, the model, the tokens, when. None where no price is known."""

_TEXT = 8_000
"""Characters of a text that are kept."""

_TEXTS = 20
"""Texts of one list that are kept."""

_OF_EACH = ("id", "at", "first_byte_ms", "total_ms")
"""What is told of each call, where all else is the same."""


class Prepared(NamedTuple):
    """A call that may be written."""

    by: "Preparer"
    call: Call
    entry: Entry


class CallTemplate:
    """A call that is made again and again, the same but for its times."""

    __slots__ = ("make", "prepared")

    def __init__(self, make: Callable[[], Call]) -> None:
        """``make`` is called once for a log, in its thread; the times of its call are of no meaning."""
        self.make = make
        self.prepared: Prepared | None = None
        """What a log keeps with it."""


class Preparer:
    """Prepares the calls of one log. For one thread."""

    def __init__(self, run: str, price: Price | None) -> None:
        self._run = run
        self._price = price
        self._has_failed = False

    def of_template(self, template: CallTemplate) -> Prepared | None:
        """Return the call of a template; None where it cannot be made."""
        prepared = template.prepared
        if prepared is None or prepared.by is not self:
            prepared = template.prepared = self.of(template.make)
        return prepared

    def of(self, call: Call | Callable[[], Call]) -> Prepared | None:
        """Return a call, or what a maker makes; None where it cannot be made, which is said once. Never raises."""
        try:
            return self._prepared(call if isinstance(call, Call) else call())
        except Exception:  # One call is not to cost the others.
            if not self._has_failed:
                logger.exception("a call cannot be told")
            self._has_failed = True
            return None

    def _prepared(self, call: Call) -> Prepared:
        call = replace(call, run=self._run, cost_usd=self._cost(call))
        told: dict[str, Any] = redaction.DEFAULT.clean(_cut(as_json(call)))
        cleaned = replace(from_json(told), at=call.at)
        text = json.dumps({name: each for name, each in told.items() if name not in _OF_EACH}, ensure_ascii=False)
        what = What(
            cleaned.run,
            cleaned.session,
            cleaned.scope,
            cleaned.outcome,
            cleaned.recorded_in,
            cleaned.recording,
            text,
        )
        return Prepared(self, cleaned, Entry(what))

    def _cost(self, call: Call) -> Decimal | None:
        if call.cost_usd is not None or self._price is None:
            return call.cost_usd
        return self._price(call.provider, call.model, call.usage, call.at)


def _cut(value: Any) -> Any:
    """Return a value of JSON whose texts and lists are not too long, and whose texts can be written."""
    if isinstance(value, str):
        text = value if len(value) <= _TEXT else f"{value[:_TEXT]}…"
        # Half a surrogate pair, which a client may send, has no place in a file of SQLite.
        return text if text.isascii() else text.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_cut(each) for each in value[:_TEXTS]]
    if isinstance(value, dict):
        return {name: _cut(each) for name, each in value.items()}
    return value
