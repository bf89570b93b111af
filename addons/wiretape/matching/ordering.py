"""Lists whose order does not count, sorted: tools, results of calls that were made at once. Below ``reduction``."""

from wiretape.matching.rules import Unordered
from wiretape.recording import JSON


def sorted_lists(body: JSON, unordered: Unordered) -> JSON:
    """Return a body with such lists in one order; the same object where they are in it."""
    return body
