"""How many tokens an answer says that it took. Under the formats of the endpoints, each of which says where it stands.

Providers tell it in an object of the answer (``usage``, ``usageMetadata``) or in the answer itself; of a stream, in one
of its last elements. What is no number of tokens is passed over: a recording may have been written by anybody.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_MOST = 10**9

type Path = tuple[str, ...]
"""The members that lead to a value, one within the other."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of an answer; None where it does not say how many."""

    input: int | None = None
    cached: int | None = None
    """Of the input: what the provider had read before."""
    output: int | None = None
    reasoning: int | None = None
    """Of the output: what was thought and not said."""


@dataclass(frozen=True, slots=True)
class UsageReader:
    """Where the answers of an API tell their tokens. Of several paths the first that leads to a number counts."""

    output: tuple[str, ...]
    """Members that tell it, in the order in which they are looked for."""
    input: tuple[Path, ...] = ()
    cached: tuple[Path, ...] = ()
    reasoning: tuple[Path, ...] = ()
    members: tuple[Path, ...] = (("usage",),)
    """Objects of an answer that hold all of these; else the answer itself does."""
    first: Path = ()
    """The object that tells the input in an element at the beginning of a stream, where the last one does not."""
    _names: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_names", frozenset(self.output))

    def read(self, elements: Sequence[Mapping[str, Any]]) -> Usage:
        """Return the tokens that the last of an answer's elements tells which tells any of the output."""
        names = self._names
        for element in reversed(elements):
            nested = element.get("response")  # An event of the Responses API has the whole answer in it.
            whole = nested if isinstance(nested, dict) else element
            for member in self.members:
                holder = whole.get(member[0])
                for name in member[1:]:
                    holder = holder.get(name) if isinstance(holder, dict) else None
                # Most chunks of a stream have none of them: that is told in one step.
                if isinstance(holder, dict) and not names.isdisjoint(holder):
                    usage = self._usage(holder, elements)
                    if usage:
                        return usage
            if not names.isdisjoint(whole):
                usage = self._usage(whole, elements)
                if usage:
                    return usage
        return self._without_output(elements[-1:])

    def _without_output(self, elements: Sequence[Mapping[str, Any]]) -> Usage:
        """Return the tokens of what has no output, as embeddings have none."""
        for element in elements:
            holders = [*(_at(element, member) for member in self.members), element]
            read = _number(holders, self.input)
            if read is not None:
                return Usage(read, _number(holders, self.cached))
        return Usage()

    def _usage(self, holder: Mapping[str, Any], elements: Sequence[Mapping[str, Any]]) -> Usage | None:
        """Return what an object tells; None where it tells no number of the output."""
        output = _number([holder], [(name,) for name in self.output])
        if output is None:
            return None
        holders = [holder, *(_at(element, self.first) for element in elements[:1])]
        cached = _number(holders, self.cached)
        return Usage(_number(holders, self.input), cached, output, _number(holders, self.reasoning))


def joined(readers: Sequence[UsageReader]) -> UsageReader:
    """Return a reader of answers that may be of any of several APIs."""
    return UsageReader(
        _all(reader.output for reader in readers),
        _all(reader.input for reader in readers),
        _all(reader.cached for reader in readers),
        _all(reader.reasoning for reader in readers),
        _all(reader.members for reader in readers),
        next((reader.first for reader in readers if reader.first), ()),
    )


def _all[T](rows: Iterator[tuple[T, ...]]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(each for row in rows for each in row))


def _number(holders: Sequence[Any], paths: Sequence[Path]) -> int | None:
    """Return the first number of tokens that a path leads to in one of several objects."""
    for holder in holders:
        for path in paths:
            value = _at(holder, path)
            if isinstance(value, int) and 0 <= value <= _MOST:
                return value
    return None


def _at(value: Any, path: Path) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
