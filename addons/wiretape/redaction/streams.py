"""Finds secrets that are cut up: into the deltas of a stream, into the tokens of logprobs. Sans-IO; knows no provider.

A streamed answer carries each of its texts in pieces, and a key that is cut up is in none of them. ``rewriting`` tells
which pieces are one text, and takes out of them what is found in that (``rewriting.streams``). What is a secret, is
said here: by the look of a text, by the name of its member, by the place where it stands.

For a stream of two deltas, "my key is sk-pr" and "oj-abc... ok", the result is the two changes

    (0, "choices", 0, "delta", "content") -> "my key is __redacted__"
    (1, "choices", 0, "delta", "content") -> " ok"
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from wiretape.redaction import encodings, members
from wiretape.rewriting import streams
from wiretape.rewriting.changes import Change, outermost
from wiretape.rewriting.channels import JSON, Walk
from wiretape.rewriting.positions import Path
from wiretape.rewriting.spans import Span, replaced
from wiretape.rewriting.streams import Text


class SecretFinder(Protocol):
    """Finds secrets in a text. The redactor is one."""

    def spans(self, text: str) -> list[Span]:
        """Return the secrets of a text, in order."""

    def member(self, name: str, text: str) -> str | None:
        """Return what replaces the text of a member, or None where the name of the member does not make it a secret."""

    def placed(self, path: Path, text: str) -> list[Span]:
        """Return what is to be taken out of a text because of the place where it stands."""

    @property
    def has_places(self) -> bool:
        """Whether anything is taken out because of the place where it stands."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What has to be changed in elements so that they have no secrets."""

    changes: list[Change]
    names: dict[str, str]
    """Names of members that contain a secret, each with the name that replaces it."""

    def __bool__(self) -> bool:
        return bool(self.changes or self.names)


def secrets(elements: Iterable[JSON], finder: SecretFinder) -> Secrets:
    """Return how to take the secrets out of the elements, which are walked several times, one element at a time."""
    walk = Walk(elements, members.naming)
    names = [*walk.names]
    renamed = {names[index]: replaced(names[index], spans) for index, spans in encodings.each(names, finder.spans)}
    placed = None
    if finder.has_places:
        placed = partial(_placed, finder)
    changed = streams.changed(elements, walk.channels.values(), partial(_found, finder), placed)
    return Secrets(outermost([*changed, *_placed_numbers(elements, finder)]), renamed)


def _found(finder: SecretFinder, texts: Sequence[Text]) -> Iterator[tuple[int, Sequence[Span]]]:
    """Yield the secrets of texts, each text with the name of its member."""
    others: list[int] = []
    for number, (name, text) in enumerate(texts):
        replacement = None
        if name:
            replacement = finder.member(name, text)
        if replacement is None:
            others.append(number)
        else:
            yield number, [Span(0, len(text), "member", replacement)]
    for index, spans in encodings.each([texts[number][1] for number in others], finder.spans):
        yield others[index], spans


def _placed(finder: SecretFinder, path: Path, text: str) -> list[Span]:
    within = path[1:]
    if within[:1] == ("__data__",):
        within = within[1:]
    return finder.placed(within, text)


def _numbers(value: JSON, path: Path) -> Iterator[tuple[Path, int | float]]:
    match value:
        case dict():
            for name, item in value.items():
                yield from _numbers(item, (*path, name))
        case list():
            for position, item in enumerate(value):
                yield from _numbers(item, (*path, position))
        case int() | float() if not isinstance(value, bool):
            yield path, value


def _placed_numbers(elements: Iterable[JSON], finder: SecretFinder) -> Iterator[Change]:
    """Yield the changes of numbers that are taken out because of where they stand; a text replaces each."""
    if not finder.has_places:
        return
    for position, element in enumerate(elements):
        for path, number in _numbers(element, (position,)):
            spans = _placed(finder, path, str(number))
            if spans:
                yield Change(path, replaced(str(number), spans), spans[0].detector)
