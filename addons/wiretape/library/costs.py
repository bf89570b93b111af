"""What the answer of a recording costs at its provider: so much is saved when it is served.

By a team's own prices, or by the library's for the day on which it was recorded.
"""

import time
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from wiretape import config
from wiretape.config import Configuration
from wiretape.library.folding import context_of
from wiretape.library.rows import Row
from wiretape.pricing.installed import memory_file
from wiretape.pricing.prices import Prices
from wiretape.providers.asked_model import model_of
from wiretape.providers.routing import Providers
from wiretape.providers.usage import Usage
from wiretape.recording import RecordedRequest

_OK = 200


class RecordingCosts:
    """Knows the price of recordings."""

    def __init__(self, prices: Prices, providers: Providers) -> None:
        self._prices = prices
        self._providers = providers

    def of(self, request: RecordedRequest, usage: Usage, at: float) -> Decimal | None:
        """Return what an answer costs that was recorded at a moment; None where that is not known."""
        provider = context_of(request, "", "", self._providers).provider
        return self._prices.price(provider, model_of(request), usage, at)

    def of_row(self, row: Row) -> Decimal | None:
        """Return what the answer of a recording costs; None for an error too."""
        if row.status != _OK:
            return None
        request = RecordedRequest(row.url, {"model": row.model}, row.endpoint, method=row.method)
        return self.of(request, Usage(**row.usage), _moment(row.when))  # type: ignore[arg-type]


def _moment(when: str) -> float:
    """Return when it was recorded, in seconds since 1970; now, where that is not told."""
    try:
        return datetime.fromisoformat(when).timestamp()
    except ValueError:
        return time.time()


def costs(file: Path | None = None) -> RecordingCosts:
    """Return the costs by a configuration. Raises ValueError and OSError where it is none."""
    own = config.read(file) if file else Configuration()
    providers = own.providers()
    return RecordingCosts(Prices(own.prices(providers.names), memory_file()), providers)
