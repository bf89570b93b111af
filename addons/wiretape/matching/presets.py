"""What known programs vary from run to run: sets of rules, each with the clients that it is for. After ``rule_tables``.

Presets are data: ``config/presets.toml`` has the built-in ones and explains the format; a team's own tables add to
them, or stand in the place of one of the same name. With ``wiretape_match=auto`` a preset holds for its clients alone,
by their ``User-Agent``; by its name it is chosen for every client (``choice``).

Another package can have rules in Python: an entry point of the group ``wiretape.matchers`` is a list of ``MatchRule``.
It is a preset too, and is loaded where ``wiretape_match`` has the entry point's name.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wiretape.codecs import toml_text
from wiretape.exceptions import ConfigurationError
from wiretape.matching import choice, reduction, rule_tables
from wiretape.matching.built_in import BUILT_IN
from wiretape.matching.choice import MatchChoice
from wiretape.matching.rules import MatchPolicy, MatchRule, Places

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENTRY_POINTS = "wiretape.matchers"
"""The group of entry points by which other packages have rules."""

NOWHERE = Places()

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")


@dataclass(frozen=True, slots=True)
class Preset:
    """One program's."""

    name: str
    clients: tuple[str, ...]
    """The User-Agents that it is for, with ``*``. Where there is none, it is chosen by its name alone."""
    tried: tuple[str, ...]
    """The versions of the program with which it was tried."""
    ignore_requests: tuple[str, ...]
    """What the program asks for beside the model, as METHOD HOST/PATH with ``*``."""
    rules: tuple[MatchRule, ...]
    """What it varies, whatever it calls itself."""
    commands: tuple[str, ...] = ()
    """The names of its commands: ``wiretape run`` knows it by them."""

    @property
    def rules_for_its_clients(self) -> tuple[MatchRule, ...]:
        """The rules, for its clients alone."""
        if not self.clients:
            return ()
        return tuple(replace(rule, applies=replace(rule.applies, clients=self.clients)) for rule in self.rules)


def policy(chosen: MatchChoice, presets: Mapping[str, Preset], own: Sequence[MatchRule], places: Places) -> MatchPolicy:
    """Return the rules that hold by what was chosen: what is built in, presets, a team's own."""
    if chosen.is_exact:
        return MatchPolicy(places=places, choice=repr(chosen))
    rules = [*BUILT_IN]
    for name, preset in presets.items():
        if name in chosen.presets:
            rules += preset.rules
        elif chosen.is_auto:
            rules += preset.rules_for_its_clients
    return MatchPolicy((*rules, *own), places, chosen.loose, repr(chosen))


_POLICIES = 64
"""Policies that are kept; another is made anew when it is asked for."""


class MatchPolicies:
    """The rules that hold by what may be chosen, for sessions that choose for themselves. For any thread."""

    def __init__(self, presets: Mapping[str, Preset], own: Sequence[MatchRule] = (), places: Places = NOWHERE) -> None:
        self._presets = presets
        self._own = own
        self._places = places
        self._made: dict[tuple[str, ...], MatchPolicy] = {}

    def of(self, words: tuple[str, ...]) -> MatchPolicy:
        """Return the rules that hold by these words of ``wiretape_match``. Raises ValueError."""
        made = self._made.get(words)
        if made is None:
            chosen, known = choose(",".join(words), self._presets)
            made = policy(chosen, known, self._own, self._places)
            if len(self._made) >= _POLICIES:
                self._made.clear()
            self._made[words] = made
        return made


def named_after(command: str) -> tuple[str, ...]:
    """Return the built-in presets of a program that is known by its command alone, as its clients have no own name."""
    known = built_in().values()
    return tuple(each.name for each in known if command in each.commands and not each.clients and each.rules)


def load(own: Mapping[str, Any]) -> Mapping[str, Preset]:
    """Return all presets by name: those that are built in, and those of a team's own tables, which go before.

    ``own`` are the tables ``[preset.NAME]`` of a file, as ``wiretape.config`` has checked them. Raises
    ConfigurationError, with the path below the file.
    """
    return {**built_in(), **parse(own)} if own else built_in()


def choose(text: str, known: Mapping[str, Preset]) -> tuple[MatchChoice, Mapping[str, Preset]]:
    """Return what ``wiretape_match`` says, and the presets: those known, and of other packages those that it names.

    Raises ValueError.
    """
    every = _with_packages(text, known)
    return choice.parse(text, every), every


def _with_packages(text: str, known: Mapping[str, Preset]) -> Mapping[str, Preset]:
    unknown = {word.strip() for word in text.split(",")} - known.keys() - {*choice.WORDS}
    if not unknown:
        return known
    # It takes as long to load as all presets together, and hardly anybody needs it.
    from importlib import metadata

    there = [each for each in metadata.entry_points(group=ENTRY_POINTS) if each.name in unknown]
    return {**known, **{each.name: _of_package(each) for each in there}}


def _of_package(entry_point: "EntryPoint") -> Preset:
    where = f"{entry_point.value} (entry point {ENTRY_POINTS})"
    try:
        rules = tuple(entry_point.load())
    except Exception as e:
        raise ValueError(f"the rules of {where} cannot be loaded: {type(e).__name__}: {e}") from e
    for rule in rules:
        if not isinstance(rule, MatchRule) or not _NAME.fullmatch(rule.name):
            raise ValueError(f"{where} is no list of MatchRule, each with a name of letters, digits, ., _, / and -")
    try:
        reduction.reducer(rules)
    except ValueError as e:
        raise ValueError(f"a rule of {where}: {e}") from e
    return Preset(entry_point.name, (), (), (), rules)


def parse(tables: Mapping[str, Any]) -> dict[str, Preset]:
    """Return the presets of tables. Raises ConfigurationError, with the path below the file."""
    return {name: _preset(name, table) for name, table in tables.items()}


def _preset(name: str, table: Mapping[str, Any]) -> Preset:
    path = ("preset", name)
    if name in choice.WORDS:
        raise ConfigurationError(f"{name} is a word of wiretape_match: a preset has another name", path)
    return Preset(
        name=name,
        clients=tuple(table.get("clients", [])),
        tried=tuple(table.get("tried", [])),
        ignore_requests=tuple(table.get("ignore_requests", [])),
        rules=rule_tables.parse((*path, "match"), table.get("match", []), prefix=f"{name}/"),
        commands=tuple(table.get("commands", [])),
    )


@cache
def built_in() -> Mapping[str, Preset]:
    """Return those of ``config/presets.toml``: beside the package when installed, in ``config/`` in a checkout."""
    shipped = files("wiretape") / "presets.toml"
    file = shipped if shipped.is_file() else Path(__file__).parents[3] / "config" / "presets.toml"
    return parse(toml_text.loads("the built-in presets.toml", file.read_text("utf-8"))["preset"])
