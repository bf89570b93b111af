"""What the answer of a recording costs at its provider, for ``ls`` and ``show``: so much is saved when it is served.

By a team's own prices, or by the library's for the day on which it was recorded.
"""

from decimal import Decimal
from pathlib import Path

from wiretape import config
from wiretape.config import Configuration
from wiretape.library.folding import context_of
from wiretape.pricing.installed import memory_file
from wiretape.pricing.prices import Prices
from wiretape.providers.asked_model import model_of
from wiretape.providers.routing import Providers
from wiretape.providers.usage import Usage
from wiretape.recording import RecordedRequest


class RecordingCosts:
    """Knows the price of recordings."""

    def __init__(self, prices: Prices, providers: Providers) -> None:
        self._prices = prices
        self._providers = providers

    def of(self, request: RecordedRequest, usage: Usage, at: float) -> Decimal | None:
        """Return what an answer costs that was recorded at a moment; None where that is not known."""
        provider = context_of(request, "", "", self._providers).provider
        return self._prices.price(provider, model_of(request), usage, at)


def costs(file: Path | None = None) -> RecordingCosts:
    """Return the costs by a configuration. Raises ValueError and OSError where it is none."""
    own = config.read(file) if file else Configuration()
    providers = own.providers()
    return RecordingCosts(Prices(own.prices(providers.names), memory_file()), providers)
