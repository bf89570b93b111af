"""What becomes of secrets, and what a team counts as one: the tables of ``wiretape.toml``. Before the redactor.

    [redaction]
    on_secret = "redact"
    allow = ["sk-test-1234567890abcdef", "/demo-[a-z0-9-]+/"]

    [[redact]]
    name = "customer"
    path = "**.customer_id"
    replace = "customer-{n}"

A policy is a value: it goes to the process that writes as JSON.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from wiretape.codecs import misspelled
from wiretape.codecs.patterns import text_pattern
from wiretape.exceptions import ConfigurationError
from wiretape.redaction import environment, paths, pii, pseudonyms
from wiretape.redaction.detectors import DETECTORS
from wiretape.redaction.forms import FORMS

type _Path = tuple[str | int, ...]

_SHOWN = 80
"""Characters of a wrong value that an error shows."""

REDACTED = "__redacted__"
"""What stands in a secret's place."""

MEMBER = "member"
"""The name of the detector that knows members by their names."""


class OnSecret(StrEnum):
    """What becomes of an exchange in which a secret was found."""

    REDACT = "redact"
    """The secret is replaced, the rest is recorded."""
    REFUSE = "refuse"
    """The exchange passes and is not recorded."""
    KEEP = "keep"
    """It is recorded as it is."""


class RefusedError(ValueError):
    """An exchange has a secret and is therefore not recorded. Says where it is, not what."""


@dataclass(frozen=True, slots=True)
class RedactionRule:
    """A rule of a team's own: what stands at a path, or looks like a pattern, or both."""

    name: str
    path: str = ""
    pattern: str = ""
    """In RE2's syntax. Where it has a group, what is in the first one is replaced."""
    replace: str = REDACTED
    """A text; with ``{n}`` in it a pseudonym, which is the same for the same value."""
    allow: tuple[str, ...] = ()
    """What is none after all: texts, and patterns between slashes."""


@dataclass(frozen=True, slots=True)
class RedactionPolicy:
    """What a team says of secrets. Its fields can be written as JSON."""

    on_secret: OnSecret = OnSecret.REDACT
    pii: bool = False
    """Whether what tells of a person is taken out as well: cards, e-mail addresses, telephone numbers."""
    allow: tuple[str, ...] = ()
    """What is no secret, whatever finds it: texts, and patterns between slashes."""
    disable: tuple[str, ...] = ()
    """Detectors that are off."""
    rules: tuple[RedactionRule, ...] = ()

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "RedactionPolicy":
        """Return the policy that was written as JSON."""
        rules = tuple(RedactionRule(**{**each, "allow": tuple(each["allow"])}) for each in told["rules"])
        on_secret = OnSecret(told["on_secret"])
        return cls(on_secret, told["pii"], tuple(told["allow"]), tuple(told["disable"]), rules)

    @property
    def has_pseudonyms(self) -> bool:
        """Whether a rule needs a key."""
        return any(pseudonyms.PLACE in rule.replace for rule in self.rules)


DEFAULT_POLICY = RedactionPolicy()
"""What holds where nobody says anything else."""


def names() -> frozenset[str]:
    """Return the names of all detectors."""
    detectors = (*DETECTORS, *pii.DETECTORS)
    return frozenset({MEMBER, environment.NAME} | {form.name for form in FORMS} | {each.name for each in detectors})


def parse(general: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> RedactionPolicy:
    """Return what ``[redaction]`` and the ``[[redact]]`` tables say; ``wiretape.config`` has looked at keys and types.

    Raises ConfigurationError, with the path below the file.
    """
    policy = RedactionPolicy(
        on_secret=OnSecret(general.get("on_secret", OnSecret.REDACT)),
        pii=general.get("pii", False),
        allow=_allowed(("redaction", "allow"), general.get("allow", [])),
        disable=tuple(general.get("disable", [])),
        rules=tuple(_rule(("redact", number), entry) for number, entry in enumerate(entries)),
    )
    known = names()
    for name in policy.disable:
        if name not in known:
            meant = misspelled.nearest(name, known)
            guess = f": did you mean {meant}? They are" if meant else ": they are"
            raise ConfigurationError(
                f"{name[:_SHOWN]!r} is no detector{guess} {', '.join(sorted(known))}", ("redaction", "disable")
            )
    seen: set[str] = set()
    for number, rule in enumerate(policy.rules):
        if rule.name in seen:
            raise ConfigurationError(f"two rules have the name {rule.name[:_SHOWN]!r}", ("redact", number))
        seen.add(rule.name)
    return policy


def _rule(path: _Path, entry: Mapping[str, Any]) -> RedactionRule:
    rule = RedactionRule(
        name=entry["name"],
        path=entry.get("path", ""),
        pattern=entry.get("pattern", ""),
        replace=entry.get("replace", REDACTED),
        allow=_allowed((*path, "allow"), entry.get("allow", [])),
    )
    if not rule.name:
        raise ConfigurationError("has no name", path, at="name")
    if not rule.path and not rule.pattern:
        raise ConfigurationError("has neither a path nor a pattern: it would take out nothing", path)
    try:
        if rule.path:
            paths.parse(rule.path)
    except ValueError as e:
        raise ConfigurationError(str(e), (*path, "path")) from e
    if rule.pattern:
        check_pattern((*path, "pattern"), rule.pattern)
    if not rule.replace:
        raise ConfigurationError("is empty: what was taken out would leave no trace", (*path, "replace"))
    return rule


def _allowed(path: _Path, values: Sequence[str]) -> tuple[str, ...]:
    for value in values:
        if is_pattern(value):
            check_pattern(path, value[1:-1])
        elif not value:
            raise ConfigurationError("holds an empty text", path)
    return tuple(values)


def check_pattern(path: _Path, pattern: str) -> None:
    """Raise ConfigurationError for what is no pattern, or matches the empty text."""
    try:
        made = text_pattern(pattern)
    except ValueError as e:
        raise ConfigurationError(f"{e}; it knows neither look-around nor references back", path) from e
    if made.fullmatch(""):
        raise ConfigurationError(f"{pattern!r} matches the empty text, that is, everywhere", path)


def is_pattern(allowed: str) -> bool:
    """Tell whether what is allowed is a pattern, between slashes, rather than a text."""
    return len(allowed) > 2 and allowed.startswith("/") and allowed.endswith("/")
