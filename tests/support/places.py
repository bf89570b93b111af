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

SHARED = ROOT.parent / "shared"
"""Samples of the public that no clone has: who reads them skips where they are not there."""
