"""What a configuration can say, as data: tables, their keys, and what the value of a key can be.

A description is made of the classes here, and is asked two things. ``check`` looks at values that were read from TOML
and raises ``ConfigurationError``, with the path of what is wrong: names of tables and keys, and the numbers of
elements, from 0. ``schema`` gives the same as JSON Schema, for editors. What a description cannot say, as that two keys
exclude each other or that a pattern compiles, is said by who makes values of the tables.

    Table((Key("mode", Text(("live", "replay")), "of who asks for none"),)).check({"mode": "reply"}, ("session", "a"))
      -> ConfigurationError: is one of live, replay, not 'reply': did you mean replay?     at ("session", "a", "mode")
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from wiretape.codecs import misspelled
from wiretape.exceptions import ConfigurationError

type Path = tuple[str | int, ...]

type Schema = dict[str, Any]

_SHOWN = 80
"""Characters of a wrong value that an error shows."""


class Value(Protocol):
    """What can stand behind a key."""

    @property
    def words(self) -> str:
        """What is right, after "is"."""

    def check(self, value: Any, path: Path) -> None:
        """Raise ConfigurationError where a value is another."""

    def schema(self) -> Schema:
        """Return the same as JSON Schema."""


def is_no(value: Any, words: str, path: Path, more: str = "") -> ConfigurationError:
    """Return the error for a value that is not what is right."""
    shown = repr(value)
    if len(shown) > _SHOWN:
        shown = f"{shown[:_SHOWN]}..."
    return ConfigurationError(f"is {words}, not {shown}{more}", path)


@dataclass(frozen=True, slots=True)
class Text:
    """A text: any, one of some, or one of a pattern."""

    choices: tuple[str, ...] = ()
    pattern: str = ""
    """A regular expression that all of it matches; one that Python and JavaScript understand alike."""
    said: str = ""

    @property
    def words(self) -> str:
        """What is right, after "is"."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        return self.said or "a text"

    def check(self, value: Any, path: Path) -> None:
        """Raise ConfigurationError where a value is another."""
        if not isinstance(value, str):
            raise is_no(value, self.words, path)
        if self.choices and value not in self.choices:
            meant = misspelled.nearest(value, self.choices)
            raise is_no(value, self.words, path, f": did you mean {meant}?" if meant else "")
        if self.pattern and not re.fullmatch(self.pattern, value, re.ASCII):
            raise is_no(value, self.words, path)

    def schema(self) -> Schema:
        """Return the same as JSON Schema."""
        schema: Schema = {"type": "string"}
        if self.choices:
            schema["enum"] = [*self.choices]
        if self.pattern:
            schema["pattern"] = f"^(?:{self.pattern})$"
        return schema


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    words: str = "true or false"

    def check(self, value: Any, path: Path) -> None:
        """Raise ConfigurationError where a value is another."""
        if not isinstance(value, bool):
            raise is_no(value, self.words, path)

    def schema(self) -> Schema:
        """Return the same as JSON Schema."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number, within bounds."""

    least: int | None = None
    most: int | None = None
    words: str = "a whole number"

    def check(self, value: Any, path: Path) -> None:
        """Raise ConfigurationError where a value is another."""
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole or (self.least is not None and value < self.least):
            raise is_no(value, self.words, path)
        if self.most is not None and value > self.most:
            raise is_no(value, self.words, path)

    def schema(self) -> Schema:
        """Return the same as JSON Schema."""
        bounds = {"minimum": self.least, "maximum": self.most}
        return {"type": "integer", **{name: bound for name, bound in bounds.items() if bound is not None}}


@dataclass(frozen=True, slots=True)
class Number:
    """A number from 0, or above it, up to the most."""

    words: str
    most: int
    is_above: bool = False
    """Whether 0 is none."""

    def check(self, value: Any, path: Path) -> None:
        """Raise ConfigurationError where a value is another."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 0 <= value <= self.most or (self.is_above and not value):
            raise is_no(value, self.words, path)

    def schema(self) -> Schema:
        """Return the same as JSON Schema."""
        least = "exclusiveMinimum" if self.is_above else "minimum"
        return {"type": "number", least: 0, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of values, each once."""

    of: Value
    words: str
    is_filled: bool = False
    """Whether there is one at least."""
    is_set: bool = False
    """Whether each is in it once."""

    def check(self, value: Any, path: Path) -> None:
        """Raise ConfigurationError where a value is another."""
        if not isinstance(value, list) or (self.is_filled and not value):
            raise is_no(value, self.words, path)
        for each in value:
            self.of.check(each, path)
        if self.is_set and len({*map(repr, value)}) != len(value):
            raise is_no(value, self.words, path)

    def schema(self) -> Schema:
        """Return the same as JSON Schema."""
        schema: Schema = {"type": "array", "items": self.of.schema()}
        if self.is_filled:
            schema["minItems"] = 1
        if self.is_set:
            schema["uniqueItems"] = True
        return schema


@dataclass(frozen=True, slots=True)
class AnyTable:
    """A table that can hold anything."""

    words: str = "a table"

    def check(self, value: Any, path: Path) -> None:
        """Raise ConfigurationError where a value is another."""
        if not isinstance(value, dict):
            raise is_no(value, self.words, path)

    def schema(self) -> Schema:
        """Return the same as JSON Schema."""
        return {"type": "object"}


@dataclass(frozen=True, slots=True)
class OneOf:
    """What is right for one of several."""

    of: tuple[Value, ...]
    words: str

    def check(self, value: Any, path: Path) -> None:
        """Raise ConfigurationError where a value is another."""
        for each in self.of:
            try:
                each.check(value, path)
            except ConfigurationError:
                continue
            return
        raise is_no(value, self.words, path)

    def schema(self) -> Schema:
        """Return the same as JSON Schema."""
        return {"anyOf": [each.schema() for each in self.of]}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table."""

    name: str
    value: Value
    doc: str
    """What it is for, in a sentence: editors show it."""
    is_needed: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table of known keys."""

    keys: tuple[Key, ...]
    words: str = "a table"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the keys."""
        return tuple(key.name for key in self.keys)

    def check(self, value: Any, path: Path) -> None:
        """Raise ConfigurationError where a value is another."""
        if not isinstance(value, dict):
            raise is_no(value, self.words, path)
        self._check_names(value, path)
        for key in self.keys:
            if key.name in value:
                key.value.check(value[key.name], (*path, key.name))
            elif key.is_needed:
                raise ConfigurationError(f"has no {key.name}", path)

    def _check_names(self, value: Mapping[str, Any], path: Path) -> None:
        unknown = sorted(value.keys() - {*self.names})
        if unknown:
            is_dotted = path[:1] == ("session",) and any(isinstance(value[name], dict) for name in unknown)
            hint = f'; a name with a dot is written [session."{path[-1]}.{unknown[0]}"]' if is_dotted else ""
            raise unknown_names(unknown, self.names, path, hint)

    def schema(self) -> Schema:
        """Return the same as JSON Schema."""
        properties = {key.name: {"description": key.doc, **key.value.schema()} for key in self.keys}
        schema: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
        if needed := [key.name for key in self.keys if key.is_needed]:
            schema["required"] = needed
        return schema


@dataclass(frozen=True, slots=True)
class Tables:
    """Tables of one kind, each with a name that the user gives: ``[session.main]``."""

    of: Value
    words: str

    def check(self, value: Any, path: Path) -> None:
        """Raise ConfigurationError where a value is another."""
        if not isinstance(value, dict):
            raise ConfigurationError(f"is {self.words}", path)
        for name, each in value.items():
            self.of.check(each, (*path, name))

    def schema(self) -> Schema:
        """Return the same as JSON Schema."""
        return {"type": "object", "additionalProperties": self.of.schema()}


@dataclass(frozen=True, slots=True)
class Rows:
    """Tables of one kind in their order: each ``[[fault]]`` is one."""

    of: Table
    words: str

    def check(self, value: Any, path: Path) -> None:
        """Raise ConfigurationError where a value is another."""
        if not isinstance(value, list):
            raise ConfigurationError(f"is {self.words}", path)
        for number, each in enumerate(value):
            self.of.check(each, (*path, number))

    def schema(self) -> Schema:
        """Return the same as JSON Schema."""
        return {"type": "array", "items": self.of.schema()}


def unknown_names(names: Collection[str], known: Collection[str], path: Path, hint: str = "") -> ConfigurationError:
    """Return the error for keys that nobody reads; its place is the first of them."""
    return ConfigurationError(misspelled.said(names, known, hint), path, at=min(names))
