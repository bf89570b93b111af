"""Where things are in the checkout, and what may stand beside it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""

PACKAGE = ROOT / "addons" / "wiretape"
TESTS = ROOT / "tests"
DATA = TESTS / "data"
"""Raw bytes and the recordings that must come of them."""

SUPPORT = TESTS / "support"
CONFIG = ROOT / "config"
SHIPPED = ROOT / "recordings"
"""The recordings that come with wiretape."""

INVENTED = DATA / "recordings"
"""Recordings of our own making: see ``invented``."""

SHARED = ROOT.parent / "shared"
"""Samples of the public that no clone has: who reads them skips where they are not there."""


def corpus(form: str = "*") -> list[Path]:
    """Return recordings to try the format on: ours, and those of the public where they are beside the checkout."""
    return [*sorted(INVENTED.glob(f"{form}/*.json")), *sorted((SHARED / "corpus").glob(f"{form}/*/*.json"))]
