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

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import re2

from wiretape.codecs import misspelled, toml_text
from wiretape.redaction import environment, paths, pii, pseudonyms
from wiretape.redaction.detectors import DETECTORS
from wiretape.redaction.forms import FORMS

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


def parse(file: str, text: str) -> RedactionPolicy:
    """Read what a configuration says of secrets. Raises ValueError, naming the file, the table and what is wrong."""
    tables = toml_text.loads(file, text)
    general = _Table(f"{file}: [redaction]", tables.get("redaction", {}))
    entries = tables.get("redact", [])
    if not isinstance(entries, list):
        raise ValueError(f"{file}: [redact] is no table of its own: each rule is a [[redact]]")  # noqa: TRY004
    rules = tuple(_rule(f"{file}: [[redact]] {number}", entry) for number, entry in enumerate(entries, start=1))
    policy = RedactionPolicy(
        on_secret=general.choice("on_secret", OnSecret.REDACT),
        pii=general.flag("pii"),
        allow=general.allowed("allow"),
        disable=general.texts("disable"),
        rules=rules,
    )
    general.end()
    for name in policy.disable:
        if name not in names():
            raise ValueError(
                f"{file}: [redaction]: disable: {name!r} is no detector: they are {', '.join(sorted(names()))}"
            )
    doubled = next(
        (rule.name for index, rule in enumerate(rules) if rule.name in {r.name for r in rules[:index]}), None
    )
    if doubled:
        raise ValueError(f"{file}: [[redact]]: two rules have the name {doubled!r}")
    return policy


def _rule(where: str, entry: Any) -> RedactionRule:
    table = _Table(where, entry)
    rule = RedactionRule(
        name=table.text("name"),
        path=table.text("path"),
        pattern=table.text("pattern"),
        replace=table.text("replace", REDACTED),
        allow=table.allowed("allow"),
    )
    table.end()
    if not rule.name:
        raise ValueError(f"{where}: has no name")
    where = f"{where} ({rule.name})"
    if not rule.path and not rule.pattern:
        raise ValueError(f"{where}: has neither a path nor a pattern: it would take out nothing")
    if rule.path:
        try:
            paths.parse(rule.path)
        except ValueError as e:
            raise ValueError(f"{where}: path: {e}") from e
    if rule.pattern:
        check_pattern(f"{where}: pattern", rule.pattern)
    if not rule.replace:
        raise ValueError(f"{where}: replace: is empty: what was taken out would leave no trace")
    return rule


def check_pattern(where: str, pattern: str) -> None:
    """Raise ValueError, saying where, for what is no pattern or matches nothing at all."""
    try:
        made = text_pattern(pattern)
    except re2.error as e:
        reason = e.args[0].decode() if isinstance(e.args[0], bytes) else e.args[0]
        raise ValueError(
            f"{where}: {pattern!r} is no pattern of RE2 ({reason}); it knows neither look-around nor references back"
        ) from e
    if made.fullmatch(""):
        raise ValueError(f"{where}: {pattern!r} matches the empty text, that is, everywhere")


def text_pattern(pattern: str) -> Any:
    """Return a compiled pattern for texts in UTF-8. Raises ``re2.error``."""
    made = re2.Options()
    made.log_errors = False
    return re2.compile(pattern, made)


class _Table:
    """A table of a configuration, of which each key is taken once."""

    def __init__(self, where: str, values: Any) -> None:
        if not isinstance(values, dict):
            raise ValueError(f"{where}: is no table")  # noqa: TRY004
        self._where = where
        self._values = dict(values)
        self._taken: list[str] = []
        """The keys that there are: those that were taken."""

    def _take(self, key: str, default: Any) -> Any:
        self._taken.append(key)
        return self._values.pop(key, default)

    def text(self, key: str, default: str = "") -> str:
        value = self._take(key, default)
        if not isinstance(value, str):
            raise ValueError(f"{self._where}: {key}: {value!r} is no text")  # noqa: TRY004
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        values = self._take(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise ValueError(f"{self._where}: {key}: is no list of texts")
        return tuple(values)

    def allowed(self, key: str) -> tuple[str, ...]:
        values = self.texts(key)
        for value in values:
            if is_pattern(value):
                check_pattern(f"{self._where}: {key}", value[1:-1])
            elif not value:
                raise ValueError(f"{self._where}: {key}: holds an empty text")
        return values

    def flag(self, key: str) -> bool:
        value = self._take(key, False)
        if not isinstance(value, bool):
            raise ValueError(f"{self._where}: {key}: {value!r} is neither true nor false")  # noqa: TRY004
        return value

    def choice(self, key: str, default: OnSecret) -> OnSecret:
        value = self.text(key, default)
        try:
            return OnSecret(value)
        except ValueError as e:
            raise ValueError(f"{self._where}: {key}: {value!r} is none of {', '.join(OnSecret)}") from e

    def end(self) -> None:
        if self._values:
            raise misspelled.unknown(self._where, self._values, self._taken)


def is_pattern(allowed: str) -> bool:
    """Tell whether what is allowed is a pattern, between slashes, rather than a text."""
    return len(allowed) > 2 and allowed.startswith("/") and allowed.endswith("/")
