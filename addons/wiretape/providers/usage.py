"""How many tokens an answer says that it took. Under the formats of the endpoints; ``usage_forms`` is the table.

Each API counts in its own way: what was read from a cache is within the input at OpenAI, and beside it at Anthropic;
what was thought is within the output at OpenAI, and beside it at Gemini. ``Usage`` means one thing, and each form is
brought to it:

- ``input`` is all that the model read, with what came from a cache and what went into one;
- ``output`` is all that it wrote, with what it thought;
- the other numbers are parts of these two.

So whoever bills takes the parts away from the whole, and counts no token twice. An API tells its numbers in an object
of the answer (``usage``, ``usageMetadata``) or in the answer itself; of a stream, in one of its last elements. What is
no number of tokens is passed over: a recording may have been written by anybody.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

_MOST = 10**9
"""Tokens of an answer, at most."""

_DEAREST = 10**6
"""US dollars that an answer may say that it costs."""

_NAME = 200
"""Characters of a model's name, at most."""

_TICKS = Decimal("1e-10")
"""US dollars of a tick, in which xAI tells costs."""

type Path = tuple[str, ...]
"""The members that lead to a value, one within the other. ``modality=AUDIO`` is the item of a list that has this."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of an answer; None where it does not say how many."""

    input: int | None = None
    """All that was read: with what came from a cache, and what was written to one."""
    cached: int | None = None
    """Of the input: what came from a cache."""
    output: int | None = None
    """All that was written: with what was thought."""
    reasoning: int | None = None
    """Of the output: what was thought and not said."""
    cache_write: int | None = None
    """Of the input: what was written to a cache."""
    cache_write_1h: int | None = None
    """Of that: what the cache keeps for an hour, which costs more than five minutes."""
    input_audio: int | None = None
    """Of the input: what was heard."""
    output_audio: int | None = None
    """Of the output: what was spoken."""
    input_image: int | None = None
    """Of the input: what was seen."""
    output_image: int | None = None
    """Of the output: what was drawn."""
    billed_usd: str | None = None
    """What the provider itself says that it costs: US dollars as a decimal number."""
    model: str | None = None
    """The model that has answered, as the answer names it: an alias or a deployment may be what was asked for."""
    tier: str | None = None
    """How it was served, where the answer says so: ``flex``, ``priority``."""


class UsageForm(NamedTuple):
    """Where the answers of an API tell their tokens: paths with dots, of which the first that leads to a number counts.

    A plus before a path says that the number is beside the whole that it is a part of: it is added to that.
    """

    source: str
    """Where the API says so."""
    output: tuple[str, ...]
    """Without the plus: what tells that an object is of this form."""
    input: tuple[str, ...] = ()
    cached: tuple[str, ...] = ()
    cache_write: tuple[str, ...] = ()
    cache_write_1h: tuple[str, ...] = ()
    reasoning: tuple[str, ...] = ()
    input_audio: tuple[str, ...] = ()
    output_audio: tuple[str, ...] = ()
    input_image: tuple[str, ...] = ()
    output_image: tuple[str, ...] = ()
    input_more: tuple[str, ...] = ()
    """What was read beside the input and is billed as such."""
    total: tuple[str, ...] = ()
    """All tokens: it tells whether the output is without what was thought, where servers differ."""
    billed: tuple[str, ...] = ()
    """US dollars."""
    within: tuple[str, ...] = ("usage",)
    """The objects of an answer that tell them; an empty path is the answer itself."""
    first: str = ""
    """The object that tells the input in the first element of a stream, where the last one does not."""
    unless: tuple[str, ...] = ()
    """Members that no object of this form has, where its output has the name that another form gives it."""
    tier: tuple[str, ...] = ("service_tier",)


_PARTS_OF_INPUT = ("cached", "cache_write", "input_audio", "input_image", "input_more")
_PARTS_OF_OUTPUT = ("reasoning", "output_audio", "output_image")
_MODEL = (("model",), ("modelVersion",), ("message", "model"))


class _Number(NamedTuple):
    """A path that leads to a number."""

    path: Path
    is_beside: bool


class UsageReader:
    """Reads the answers of an API that has these forms, of which the first that an answer has counts."""

    def __init__(self, *forms: UsageForm) -> None:
        self.forms = forms
        self._readers = [_FormReader(form) for form in forms]
        self._within = tuple(dict.fromkeys(path for reader in self._readers for path in reader.within))
        self._names = frozenset(name for reader in self._readers for name in reader.names)

    def read(self, elements: Sequence[Mapping[str, Any]]) -> Usage:
        """Return the tokens that the last of an answer's elements tells which tells any of the output."""
        for element in reversed(elements):
            whole = _whole(element)
            for path in self._within:
                holder = _at(whole, path)
                # Most chunks of a stream have none of them: that is told in one step.
                if not isinstance(holder, dict) or self._names.isdisjoint(holder):
                    continue
                for reader in self._readers:
                    usage = reader.read(path, holder, whole, elements)
                    if usage:
                        return usage
        return self._without_output(elements[-1:])

    def _without_output(self, elements: Sequence[Mapping[str, Any]]) -> Usage:
        """Return the tokens of what has no output, as embeddings have none."""
        for element in elements:
            for reader in self._readers:
                usage = reader.read_input(element)
                if usage:
                    return usage
        return Usage()


class _FormReader:
    """Reads objects of one form."""

    def __init__(self, form: UsageForm) -> None:
        self._form = form
        self.within = tuple(_path(each) for each in form.within)
        self.names = frozenset(each.partition(".")[0] for each in form.output)
        self._first = _path(form.first)
        self._unless = frozenset(form.unless)
        self._numbers = {
            name: tuple(_number_of(path) for path in getattr(form, name))
            for name in UsageForm._fields
            if name not in ("source", "billed", "within", "first", "unless", "tier")
        }
        self._billed = tuple(_path(each) for each in form.billed)
        self._tier = tuple(_path(each) for each in form.tier)

    def read(
        self, path: Path, holder: Mapping[str, Any], whole: Mapping[str, Any], elements: Sequence[Mapping[str, Any]]
    ) -> Usage | None:
        """Return what an object tells; None where it is of another form, or tells no number of the output.

        ``whole`` is the element that it is in, at ``path``; ``elements`` are all of the answer's.
        """
        if path not in self.within or not self._unless.isdisjoint(holder):
            return None
        output, _ = self._number([holder], "output")
        if output is None:
            return None
        holders = [holder]
        begun = _at(elements[0], self._first)
        if self._first and isinstance(begun, dict):
            holders.append(begun)
        numbers, beside = self._parts(holders)
        input_, _ = self._number(holders, "input")
        if input_ is not None:
            input_ += sum(number for name, number in beside.items() if name in _PARTS_OF_INPUT)
        thought = numbers["reasoning"] or 0
        total, _ = self._number([holder], "total")
        # No part is more than its whole; and where the total has all three, the whole is without this one.
        if thought > output or (thought and total == (input_ or 0) + output + thought):
            beside["reasoning"] = thought
        output += sum(number for name, number in beside.items() if name in _PARTS_OF_OUTPUT)
        return Usage(
            input=input_,
            output=output,
            billed_usd=self._billed_usd(holder),
            model=_text([whole, elements[0]], _MODEL),
            tier=_text([whole, holder, *holders[1:]], self._tier),
            **numbers,
        )

    def read_input(self, element: Mapping[str, Any]) -> Usage | None:
        """Return what an element tells of its input; None where it tells nothing of it."""
        for path in self.within:
            holder = _at(element, path)
            if not isinstance(holder, dict):
                continue
            read, _ = self._number([holder], "input")
            if read is not None:
                cached, _ = self._number([holder], "cached")
                model = _text([element], _MODEL)
                return Usage(read, cached, billed_usd=self._billed_usd(holder), model=model)
        return None

    def _parts(self, holders: Sequence[Mapping[str, Any]]) -> tuple[dict[str, int | None], dict[str, int]]:
        """Return the parts of input and output by their names, and of these what is beside its whole."""
        numbers: dict[str, int | None] = {}
        beside: dict[str, int] = {}
        for name in (*_PARTS_OF_INPUT, "cache_write_1h", *_PARTS_OF_OUTPUT):
            number, is_beside = self._number(holders, name)
            numbers[name] = number
            if number and is_beside:
                beside[name] = number
        del numbers["input_more"]
        return numbers, beside

    def _number(self, holders: Iterable[Any], name: str) -> tuple[int | None, bool]:
        """Return the first number of tokens that a path leads to in one of several objects, and whether it is beside.

        A zero that is followed by another number is none: servers fill members that they do not use.
        """
        found: tuple[int | None, bool] = None, False
        for holder in holders:
            for each in self._numbers[name]:
                value = _at(holder, each.path)
                if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST:
                    if value:
                        return value, each.is_beside
                    found = 0, each.is_beside
        return found

    def _billed_usd(self, holder: Mapping[str, Any]) -> str | None:
        """Return the cost that a provider tells; None where it tells none, or zero, as some do that do not know it."""
        for path in self._billed:
            dollars = _dollars(_at(holder, path))
            if path[-1].endswith("_ticks") and dollars is not None:
                dollars *= _TICKS
            if dollars and holder.get("is_byok") is True:
                # OpenRouter's own part, where the model's provider bills the rest.
                dollars += _dollars(_at(holder, ("cost_details", "upstream_inference_cost"))) or 0
            if dollars and dollars <= _DEAREST:
                return f"{dollars.normalize():f}"
        return None


def joined(readers: Iterable[UsageReader]) -> UsageReader:
    """Return a reader of answers that may be of any of several APIs."""
    return UsageReader(*(form for reader in readers for form in reader.forms))


def _whole(element: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the answer that an element is: an event of the Responses API, and Gemini's envelope, have it in them."""
    nested = element.get("response")
    return nested if isinstance(nested, dict) else element


def _path(text: str) -> Path:
    return tuple(text.split(".")) if text else ()


def _number_of(text: str) -> _Number:
    return _Number(_path(text.removeprefix("+")), text.startswith("+"))


def _dollars(value: Any) -> Decimal | None:
    """Return a JSON number that is a cost."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _DEAREST / _TICKS:
        return None
    return Decimal(repr(value))


def _text(holders: Iterable[Mapping[str, Any]], paths: Iterable[Path]) -> str | None:
    for holder in holders:
        for path in paths:
            value = _at(holder, path)
            if isinstance(value, str) and 0 < len(value) <= _NAME:
                return value
    return None


def _at(value: Any, path: Path) -> Any:
    for name in path:
        if isinstance(value, list):
            key, _, wanted = name.partition("=")
            value = next((each for each in value if isinstance(each, dict) and each.get(key) == wanted), None)
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value
