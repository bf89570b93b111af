"""``wiretape.toml``, the file of ``wiretape_config``: read once, checked as a whole, and handed on table by table.

``description``  what tables, keys and values can be, as data
``tables``       the tables that there are
``places``       the line where a key stands
``schema``       the same tables for editors
``overrides``    what is asked for while a proxy runs, by the same descriptions

A table or key that nobody reads would be silently without effect: a session of ``[sesion.main]`` that is not frozen, a
rule on secrets that takes nothing out. So all of the file is checked before any of it is used, by one description. Its
values then go to whoever makes sessions, faults or rules of them; those say what else is wrong, and know no file:

    text -> TOML -> WIRETAPE_TOML.check -> sessions, providers, faults, prices, redaction, tunnels, matching
                        |                        |
                        +- ConfigurationError ---+-> "team.toml:7: [session.main]: pace: ... is no pace"
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wiretape.codecs import misspelled, toml_text
from wiretape.config import places
from wiretape.config.tables import SESSION, WIRETAPE_TOML
from wiretape.exceptions import ConfigurationError
from wiretape.matching import presets, rule_tables
from wiretape.matching.presets import Preset
from wiretape.matching.rules import MatchRule
from wiretape.network import egress
from wiretape.network.egress import EgressRule
from wiretape.providers import table
from wiretape.providers.routing import Providers
from wiretape.redaction import RedactionPolicy
from wiretape.redaction import rules as redaction_rules
from wiretape.replay import fault_config
from wiretape.replay.faults import Faults
from wiretape.sessions import config as session_config
from wiretape.sessions.model import Sessions

if TYPE_CHECKING:
    from wiretape.pricing.rows import PriceRow

_ELSEWHERE = {
    "default": "what holds for all sessions is said by options, such as --set wiretape_mode=replay",
    "defaults": "what holds for all sessions is said by options, such as --set wiretape_mode=replay",
    "token": "tokens are in a file of their own, that of wiretape_tokens",
    "tokens": "tokens are in a file of their own, that of wiretape_tokens",
}
"""Words that may be looked for here, and where what they stand for is said."""

_LONGEST = 40
"""Characters of a name that an error shows."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A file that was checked. Each method raises ConfigurationError, naming the file, the place and what is right."""

    file: str = ""
    """Its name, for errors; empty where there is no file, which is as one that is empty."""
    text: str = ""
    tables: Mapping[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Make all that it tells of, so that whatever is wrong in it is raised."""
        providers = self.providers().names
        self.sessions()
        self.tunnels()
        self.redaction()
        self.presets()
        self.matching(providers)
        self.faults(providers)
        self.prices(providers)

    def providers(self) -> Providers:
        """Return the table of providers: its own, then those that are built in."""
        return self._made(lambda: table.load(self.tables))

    def sessions(self) -> Sessions:
        """Return what sessions say of their own."""
        return self._made(lambda: session_config.parse(self.tables.get("session", {})))

    def tunnels(self) -> tuple[tuple[EgressRule, ...], bool]:
        """Return what is open beside the providers, and whether all else is closed."""
        return self._made(lambda: egress.parse(self.tables.get("tunnels", {})))

    def redaction(self) -> RedactionPolicy:
        """Return what becomes of secrets, and what is one."""
        return self._made(
            lambda: redaction_rules.parse(self.tables.get("redaction", {}), self.tables.get("redact", []))
        )

    def matching(self, providers: Collection[str]) -> tuple[MatchRule, ...]:
        """Return the team's own rules of matching. ``providers``: the names that a rule's provider can have."""
        return self._made(lambda: self._match_rules(providers))

    def _match_rules(self, providers: Collection[str]) -> tuple[MatchRule, ...]:
        rules = rule_tables.parse(("match",), self.tables.get("match", []))
        rule_tables.check_providers(("match",), rules, providers)
        return rules

    def presets(self) -> Mapping[str, Preset]:
        """Return the presets: those that are built in, and its own."""
        return self._made(lambda: presets.load(self.tables.get("preset", {})))

    def faults(self, providers: Collection[str]) -> Faults:
        """Return what goes wrong on purpose. ``providers``: the names that a fault's provider can have."""
        return Faults(self._made(lambda: fault_config.parse(self.tables.get("fault", []), providers)))

    def prices(self, providers: Collection[str]) -> "tuple[PriceRow, ...]":
        """Return the team's own prices. ``providers``: the names that a price's provider can have."""
        if "price" not in self.tables:
            return ()
        # Most starts need none of it.
        from wiretape.pricing import rows

        return self._made(lambda: rows.parse(self.tables["price"], providers))

    def _made[T](self, make: Callable[[], T]) -> T:
        try:
            return make()
        except ConfigurationError as e:
            raise _placed(e, self.file, self.text, self.tables) from e


def read(file: Path) -> Configuration:
    """Read a file. Raises ConfigurationError as ``loads``; OSError and UnicodeDecodeError where it cannot be read."""
    return loads(str(file), toml_text.read(file))


def loads(file: str, text: str) -> Configuration:
    """Check the text of a file. Raises ConfigurationError, naming the file, the line, the table and the right words."""
    try:
        tables = toml_text.loads(file, text)
    except ValueError as e:
        raise ConfigurationError(str(e)) from e
    try:
        _check_names(tables)
        WIRETAPE_TOML.check(tables, ())
    except ConfigurationError as e:
        raise _placed(e, file, text, tables) from e
    return Configuration(file, text, tables)


def _check_names(tables: Mapping[str, Any]) -> None:
    """Raise ConfigurationError for a table that nobody reads."""
    unknown = tables.keys() - {*WIRETAPE_TOML.names}
    if not unknown:
        return
    first = min(unknown)
    if first in _ELSEWHERE:
        raise ConfigurationError(f"there is no table {first}: {_ELSEWHERE[first]}", at=first)
    if first.startswith("wiretape_") or first in SESSION.names:
        option = first if first.startswith("wiretape_") else f"wiretape_{first}"
        raise ConfigurationError(
            f"{first} is no table: an option is given as --set {option}=..., and what a session has of its own "
            f"stands below [session.NAME]",
            at=first,
        )
    raise ConfigurationError(misspelled.said(unknown, WIRETAPE_TOML.names, kind="table"), at=first)


def _placed(error: ConfigurationError, file: str, text: str, tables: Mapping[str, Any]) -> ConfigurationError:
    """Return the whole error for what is wrong at a path."""
    line = places.line_of(text, (*error.path, error.at) if error.at else error.path)
    where = f"{file}:{line}" if line else file
    label = _label(error.path, tables)
    return ConfigurationError(f"{where}: {label}: {error}" if label else f"{where}: {error}", error.path)


def _label(path: tuple[str | int, ...], tables: Mapping[str, Any]) -> str:
    """Return what a path is called: ``[session.main]: mode``, ``[[redact]] 1 (ticket): pattern``."""
    if not path:
        return ""
    match path:
        case (str(kind), int(number), *rest):
            label = _row(kind, number, tables[kind])
        case ("preset", str(name), "match", int(number), *rest):
            label = _row(f"preset.{_quoted(name)}.match", number, tables["preset"][name]["match"])
        case (("session" | "endpoints" | "preset") as kind, str(name), *rest):
            label = f"[{kind}.{_quoted(name)}]"
        case (kind, *rest):
            label = f"[{kind}]"
    return ": ".join([label, *(_quoted(each) for each in rest if isinstance(each, str))])


def _row(kind: str, number: int, rows: Sequence[Any]) -> str:
    row = rows[number]
    name = row.get("name") if isinstance(row, dict) else None
    shown = f" ({name[:_LONGEST]})" if isinstance(name, str) and name else ""
    return f"[[{kind}]] {number + 1}{shown}"


def _quoted(name: str) -> str:
    shown = name[:_LONGEST]
    return shown if shown.replace("-", "").replace("_", "").isalnum() else f'"{shown}"'
