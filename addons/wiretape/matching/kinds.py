"""What can be looked for in texts by its form: dates, times, ids, paths and more, as patterns. Data alone.

What has a name of its own is *tracked*: equal values have to be equal in the other request too. So it is with uuids,
ulids, hex-ids, git's hashes and ports: two places with one id speak of one thing. Dates, times, durations, numbers of
processes and versions are not: they come from a clock or from the machine, and two that are equal by chance today are
not equal tomorrow.

What means nothing by itself (``UNBOUND``) is never put into an answer: ``0.3`` of "Wall time 0.3 seconds" is many other
things as well.

A pattern names what stands around a value, where its own form does not tell enough: ``9774`` is the number of a process
in "PGID: 9774", and not in "9774 lines". What no expression can tell is left to a check of the value (``is_one``).
"""

import re
from collections.abc import Callable, Mapping

from wiretape.matching.rules import Kind, Replacement

UNBOUND = frozenset({Kind.TIMES, Kind.DURATIONS, Kind.PIDS, Kind.VERSIONS})
"""Kinds of which no value is put into an answer."""

_MONTH = (
    "(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|"
    "Nov(?:ember)?|Dec(?:ember)?)"
)
_DAY = "(?:Mon(?:day)?|Tue(?:s(?:day)?)?|Wed(?:nesday)?|Thu(?:rs(?:day)?)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?)"
_YEAR = r"(?:19|20)\d\d"
_MONTH_NUMBER = r"(?:0[1-9]|1[0-2])"
_DAY_NUMBER = r"(?:0[1-9]|[12]\d|3[01])"
_DAY_OF_MONTH = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_ISO_DATE = f"{_YEAR}-{_MONTH_NUMBER}-{_DAY_NUMBER}"
_HOUR_AND_MINUTE = r"(?:[01]?\d|2[0-3]):[0-5]\d"
_TIME = rf"{_HOUR_AND_MINUTE}:[0-5]\d(?:[.,]\d{{1,9}})?"
_ZONE = r"(?:Z|[+-]\d\d:?\d\d)"
_HALF_OF_DAY = r"(?:[AaPp]\.?[Mm]\b\.?)"

_DATES = (
    # 2026-11-27 and 2026-11-27T10:12:13Z
    rf"(?:\b|_)({_ISO_DATE})(?:\b|T|_)",
    # Friday, November 27, 2026 / Fri Nov 27 2026 / November 27th, 2026
    rf"\b((?:{_DAY},? +)?{_MONTH}\.? +{_DAY_OF_MONTH},? +{_YEAR})\b",
    # Fri, 27 Nov 2026 / Monday 15 September, 2025
    rf"\b((?:{_DAY},? +)?{_DAY_OF_MONTH}[ -]{_MONTH}\.?,?[ -]{_YEAR})\b",
    # Fri Nov 27 10:12:13 UTC 2026, as date and git write it, with the time within
    rf"\b((?:{_DAY} +)?{_MONTH} +{_DAY_OF_MONTH} +{_TIME} +(?:[A-Z]{{2,5}} +)?{_YEAR})\b",
    # Nov 27 10:12, as ls writes it
    rf"\b({_MONTH} +{_DAY_OF_MONTH}) +{_HOUR_AND_MINUTE}\b",
    # November 2026
    rf"\b({_MONTH} {_YEAR})\b",
    # 11/27/2026, 2026/11/27, 27.11.2026
    rf"\b([0-3]?\d/[0-3]?\d/{_YEAR})\b",
    rf"\b({_YEAR}/{_MONTH_NUMBER}/{_DAY_NUMBER})\b",
    rf"\b({_DAY_NUMBER}\.{_MONTH_NUMBER}\.{_YEAR})\b",
)

_TIMES = (
    # 10:12:13, 10:12:13.123Z, 10:12:13 PM; not three parts of a longer row
    rf"(?:\b|T)({_TIME}(?: ?{_HALF_OF_DAY}|{_ZONE})?)(?:[^\w:]|\z)",
    rf"(?:\b|T)({_TIME}{_ZONE}?)\z",
    # 10:12 alone is as often a line and a column: only beside a date, or with its half of the day.
    rf"\b{_ISO_DATE}[T ]({_HOUR_AND_MINUTE}{_ZONE}?)(?:[^\w:]|\z)",
    rf"\b{_MONTH} +{_DAY_OF_MONTH} +({_HOUR_AND_MINUTE})(?:[^\w:]|\z)",
    rf"\b({_HOUR_AND_MINUTE} ?{_HALF_OF_DAY})",
)

_UNIT = r"(?:ns|µs|us|ms|s|secs?|seconds?|min|mins|minutes?|hours?|milliseconds?)"

_DURATIONS = (
    # 0.3 seconds, 12.5ms
    rf"\b(\d+\.\d+ ?{_UNIT})\b",
    r"\b(\d+ ?(?:ns|µs|us|ms|milliseconds))\b",
    # 5m3s, 1h2m3.4s, 0m0.123s
    r"\b((?:\d+h)?\d+m ?\d+(?:\.\d+)?s)\b",
    # What was measured, with what says so: "took 3 seconds". A user's "in 5 minutes" is none.
    r"(?i)\b(?:took|elapsed|duration|wall time|total time|run time|(?:finished|completed|done|ran|passed|failed|built|"
    rf"compiled|ready) in)(?: time)?[:=]? *(\d+(?:\.\d+)? ?{_UNIT})\b",
)

_HEX = "[0-9a-f]"
_NO_WORD = "(?:^|[^0-9A-Za-z])"
"""Before an id: its beginning, or what is no letter; msg_ and the like may stand there."""

_LOCAL = r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]|host\.docker\.internal)"

_PROGRAM = (
    "(?:Python|CPython|PyPy|Node(?:\\.js)?|node|npm|pnpm|yarn|Deno|Bun|Go|Ruby|PHP|Java|OpenJDK|Rust|"
    "rustc|cargo|gcc|clang|git version|Linux|Darwin|macOS|Ubuntu|Debian GNU/Linux|Debian|Fedora|Alpine|Windows|bash|"
    "zsh|pip|pytest|PowerShell|curl|Docker version|darwin|linux|win32|version)"
)

_PATTERNS: Mapping[Kind, tuple[Replacement, ...]] = {
    Kind.DATES: tuple(Replacement(each, name="date") for each in _DATES),
    Kind.TIMES: tuple(Replacement(each, name="time") for each in _TIMES),
    Kind.DURATIONS: tuple(Replacement(each, name="duration") for each in _DURATIONS),
    Kind.UUIDS: (
        Replacement(
            rf"(?i){_NO_WORD}({_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}})(?:\b|_)",
            name="uuid",
            is_tracked=True,
        ),
    ),
    Kind.ULIDS: (
        # The first letters are a time: until the year 2039 they are these.
        Replacement(rf"{_NO_WORD}(01[0-9A-HJKMNP-TV-Z]{{24}})(?:\b|_)", name="ulid", is_tracked=True),
        Replacement(rf"{_NO_WORD}(01[0-9a-hjkmnp-tv-z]{{24}})(?:\b|_)", name="ulid", is_tracked=True),
    ),
    Kind.HEX_IDS: (
        Replacement(rf"{_NO_WORD}([0-9a-f]{{12,128}})(?:\b|_)", name="hex-id", is_tracked=True),
        Replacement(rf"{_NO_WORD}([0-9A-F]{{12,128}})(?:\b|_)", name="hex-id", is_tracked=True),
        Replacement(r"\b(0x[0-9a-fA-F]{6,16})\b", name="hex-id", is_tracked=True),
    ),
    Kind.PATHS: (
        Replacement(r"(?:^|[^\w./-])((?:/home|/Users)/[\w.-]*\w)", name="home"),
        Replacement(r"(?:^|[^\w./-])(/root)(?:/|[^\w.-]|\.\W|\.?\z)", name="home"),
        Replacement(r"(?:^|[^\w.-])(/tmp/tmp[._]?[A-Za-z0-9_]{6,12})(?:\W|\z)", name="tmp"),
        Replacement(r"(?:^|[^\w./-])((?:/private)?/var/folders/[^/\s]{2}/[^/\s]{6,64}/T)\b", name="tmp"),
    ),
    Kind.PORTS: (
        Replacement(rf"\b{_LOCAL}:(\d{{2,5}})\b", name="port", is_tracked=True),
        Replacement(r"(?:\[::1?\]|0\.0\.0\.0|\*):(\d{2,5})\b", name="port", is_tracked=True),
        Replacement(r"(?i)\bport(?: number| is)?[ :=]+(\d{2,5})\b", name="port", is_tracked=True),
    ),
    Kind.PIDS: (
        Replacement(r"(?i)\b(?:p?pid|pgid|(?:sub)?process(?: group)?(?: id)?)(?:[:=]| #)? *(\d{1,7})\b", name="pid"),
        # What a shell says of a job in the background, and a log of who wrote its line
        Replacement(r"(?m)^\[\d+\] (\d{2,7})$", name="pid"),
        Replacement(r"\b[A-Za-z][\w.-]*\[(\d{2,7})\]:", name="pid"),
    ),
    Kind.VERSIONS: (
        Replacement(r"\bv?(\d+\.\d+\.\d+(?:[.+-][0-9A-Za-z]+)*)\b", name="version"),
        Replacement(rf"\b(?:{_PROGRAM}[ /@]v?|go version go)(\d+(?:\.\d+)+(?:[.+-][0-9A-Za-z]+)*)\b", name="version"),
    ),
    Kind.GIT: (
        Replacement(r"\b([0-9a-f]{40})\b", name="commit", is_tracked=True),
        Replacement(
            r"\b(?:commit|tree|parent|Merge:|HEAD is now at|HEAD detached at) ([0-9a-f]{7,40})\b",
            name="commit",
            is_tracked=True,
        ),
        # index 83db48f..bf2a1c3 100644
        Replacement(r"\b([0-9a-f]{7,40})\.\.\.?[0-9a-f]{7,40}\b", name="commit", is_tracked=True),
        Replacement(r"\b[0-9a-f]{7,40}\.\.\.?([0-9a-f]{7,40})\b", name="commit", is_tracked=True),
        # [main 3a4b5c6] What was done
        Replacement(r"(?m)^\[[\w./-]+(?: \(root-commit\))? ([0-9a-f]{7,40})\] ", name="commit", is_tracked=True),
        # 3a4b5c6 What was done, as git log --oneline writes it
        Replacement(r"(?m)^(?:[*|/\\ ]+ )?([0-9a-f]{7,12}) \S", name="short commit", is_tracked=True),
    ),
}

_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_LETTER = re.compile("[A-Za-z]")
_DIGIT = re.compile("[0-9]")


def replacements(kind: Kind) -> tuple[Replacement, ...]:
    """Return what is looked for."""
    return _PATTERNS[kind]


def is_one(name: str, value: str) -> bool:
    """Return whether what was found is what a pattern of a kind looks for by this name, as far as it cannot tell."""
    check = _CHECKS.get(name)
    return check is None or check(value)


def _is_mixed(value: str) -> bool:
    """Return whether a value has letters and digits: a long number is no id of hex digits, and a word is none."""
    return _LETTER.search(value) is not None and _DIGIT.search(value) is not None


def _is_version(value: str) -> bool:
    return _ADDRESS.fullmatch(value) is None


_CHECKS: Mapping[str, Callable[[str], bool]] = {
    "hex-id": _is_mixed,
    "short commit": _is_mixed,
    "ulid": _is_mixed,
    "version": _is_version,
}
