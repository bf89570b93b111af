"""What can be looked for in texts by its form: dates, times, ids, paths and more, as patterns. Data alone."""

from wiretape.matching.rules import Kind, Replacement

_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*"

_PATTERNS: dict[Kind, tuple[Replacement, ...]] = {
    Kind.DATES: (
        Replacement(r"\b(\d{4}-\d\d-\d\d)(?:\b|T)", name="date"),
        Replacement(rf"\b((?:{_DAY},? )?{_MONTH} \d{{1,2}},? \d{{4}})\b", name="date"),
    ),
    Kind.UUIDS: (
        Replacement(
            r"(?i)\b([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b", name="uuid", is_tracked=True
        ),
    ),
}


def replacements(kind: Kind) -> tuple[Replacement, ...]:
    """Return what is looked for."""
    return _PATTERNS.get(kind, ())
