"""Rewriting of texts that are cut up: deltas of a stream, tokens of logprobs. Sans-IO; knows no provider by name.

A streamed answer carries each of its texts in pieces, and a key that is cut up is in none of them. So the pieces are
joined by their channel, what is to go is found in the joined text, and what replaces it is put in the piece where it
begins: the elements keep their number, and all else in them is as it was.

``channels`` tells which texts are one. What stands beside a token that goes (its bytes, its number, what else could
have stood there) says as much as the token, and goes with it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, Protocol

from wiretape.codecs.remade import Remade
from wiretape.redaction import encodings
from wiretape.redaction.channels import ALTERNATIVES, JSON, Channel, ChannelReader, Walk
from wiretape.redaction.positions import Path
from wiretape.redaction.spans import Span, distribute, merged, replaced

type Elements = Mapping[str | int, JSON]
"""Those elements that are asked for, by their number."""


class SecretFinder(Protocol):
    """What finds secrets: a Redactor."""

    def spans(self, text: str) -> list[Span]:
        """Return the secrets of a text, in order."""

    def member(self, name: str, text: str) -> str | None:
        """Return what replaces the text of a member of this name; None where its name does not make it a secret."""

    def placed(self, path: Path, text: str) -> list[Span]:
        """Return what is to go of a text because of where it stands."""

    @property
    def has_places(self) -> bool:
        """Whether anything is to go because of where it stands."""


@dataclass(frozen=True, slots=True)
class Change:
    """A value that another one replaces."""

    path: Path
    value: JSON
    detector: str
    is_first: bool = True
    """Whether the pieces before it stay as they are, and it is said of this one where the secret is."""


_SNAPSHOTS = 3
"""So many different pieces, each the beginning of the one after it, are one text that grows, sent again and again."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What takes the secrets out of elements."""

    changes: list[Change]
    names: dict[str, str]
    """Names of members that hold one, and what is to stand in their place."""

    def __bool__(self) -> bool:
        return bool(self.changes or self.names)


def secrets(elements: Iterable[JSON], finder: SecretFinder) -> Secrets:
    """Return what takes the secrets out of the elements, which may be made anew each time: one at a time is enough."""
    walk = Walk(elements)
    names = [*walk.names]
    renamed = {names[index]: replaced(names[index], spans) for index, spans in encodings.each(names, finder.spans)}
    return Secrets(_changes(elements, [*walk.channels.values()], finder), renamed)


def _changes(elements: Iterable[JSON], found: Sequence[Channel], finder: SecretFinder) -> list[Change]:
    singles = _Singles(finder, found)
    joined = [channel for channel in found if _is_joined(channel)]
    whole = dict(encodings.each(["".join(channel.texts) for channel in joined], finder.spans))
    in_joined = {id(channel): whole.get(index, ()) for index, channel in enumerate(joined)}
    rewritten: list[tuple[Channel, list[str], str]] = []
    for channel in found:
        spans = in_joined.get(id(channel), ())
        if texts := _rewritten(channel, spans, singles, finder):
            rewritten.append((channel, texts, next((span.detector for span in spans), "member")))
    touched = {
        path[0]
        for channel, texts, _ in rewritten
        if channel.are_tokens
        for path, old, new in zip(channel.paths, channel.texts, texts, strict=True)
        if old != new
    }
    known: Elements = {at: element for at, element in enumerate(elements) if at in touched} if touched else {}
    changed: list[Change] = []
    for channel, texts, detector in rewritten:
        changed += _changed(known, channel, texts, detector, singles)
    return _outermost([*changed, *_placed_numbers(elements, finder)])


def _is_joined(channel: Channel) -> bool:
    """Return whether the pieces are looked at as one text."""
    if len(channel.texts) < 2 or channel.reading is ChannelReader.WHOLE or _is_growing(channel):
        return False
    # The same in every element is no piece of a text, but said again.
    return channel.are_tokens or any(text != channel.texts[0] for text in channel.texts)


def _is_growing(channel: Channel) -> bool:
    """Return whether each piece is what came so far, from the beginning."""
    if channel.reading is ChannelReader.WHOLE or channel.are_tokens:
        return False
    texts = channel.texts
    return all(after.startswith(before) for before, after in pairwise(texts)) and len({*texts}) >= _SNAPSHOTS


class _Singles:
    """What is found in texts that are looked at by themselves, each different one once."""

    def __init__(self, finder: SecretFinder, found: Iterable[Channel]) -> None:
        wanted = {
            (channel.name, text)
            for channel in found
            if channel.reading is not ChannelReader.JOINED or not _is_joined(channel)
            for text in channel.texts
        }
        self._found: dict[tuple[str, str], Sequence[Span]] = {}
        others: list[tuple[str, str]] = []
        for name, text in wanted:
            replacement = None
            if name:
                replacement = finder.member(name, text)
            if replacement is None:
                others.append((name, text))
            else:
                self._found[name, text] = [Span(0, len(text), "member", replacement)]
        for index, spans in encodings.each([text for _, text in others], finder.spans):
            self._found[others[index]] = spans

    def of(self, name: str, text: str) -> Sequence[Span]:
        """Return what was found in a text of this name."""
        return self._found.get((name, text), ())


def _rewritten(channel: Channel, spans: Sequence[Span], singles: _Singles, finder: SecretFinder) -> list[str] | None:
    """Return the pieces without their secrets; None where there are none."""
    texts = channel.texts
    if not _is_joined(channel):
        if _is_growing(channel):
            last = [*singles.of(channel.name, texts[-1]), *_placed(finder, channel.path(-1), texts[-1])]
            if not last:
                return None
            return [replaced(text, _cut(merged(last), len(text))) for text in texts]
        each = [singles.of(channel.name, text) for text in texts]
        if finder.has_places:
            for at, (path, text) in enumerate(zip(channel.paths, texts, strict=True)):
                each[at] = merged([*each[at], *_placed(finder, path, text)])
        if not any(each):
            return None
        return [*map(replaced, texts, each)]
    found = merged([*spans, *_placed(finder, channel.path(0), "".join(texts))])
    if channel.name and (replacement := finder.member(channel.name, "".join(texts))) is not None:
        found = [Span(0, sum(map(len, texts)), "member", replacement)]
    elif channel.reading is ChannelReader.EITHER:
        for start, text in zip(accumulate(map(len, texts), initial=0), texts, strict=False):
            for span in singles.of(channel.name, text):
                found.append(Span(start + span.start, start + span.end, span.detector, span.replacement))
        found = merged(found)
    if not found:
        return None
    return [*distribute(texts, found)]


def _placed(finder: SecretFinder, path: Path, text: str) -> list[Span]:
    if not finder.has_places:
        return []
    return finder.placed(path[2:] if path[1:2] == ("__data__",) else path[1:], text)


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
    """Yield what takes out numbers because of where they stand; a text stands there then."""
    for position, element in enumerate(elements) if finder.has_places else ():
        for path, number in _numbers(element, (position,)):
            if spans := _placed(finder, path, str(number)):
                yield Change(path, replaced(str(number), spans), spans[0].detector)


def _cut(spans: Sequence[Span], length: int) -> list[Span]:
    """Return the spans of a text as the beginning of it has them."""
    begun = [span for span in spans if span.start < length]
    return [Span(span.start, min(span.end, length), span.detector, span.replacement) for span in begun]


def _changed(
    elements: Elements, channel: Channel, texts: Sequence[str], detector: str, singles: _Singles
) -> Iterator[Change]:
    is_first = True
    for path, old, new in zip(channel.paths, channel.texts, texts, strict=True):
        if old == new:
            continue
        if own := singles.of(channel.name, old):
            detector = own[0].detector
            is_first = True
        if not channel.are_tokens:
            yield Change(path, new, detector, is_first)
            is_first = False
            continue
        *holder, place = path
        beside = _at(elements, holder)
        if isinstance(place, int):
            yield Change(path, new, detector, is_first)
            yield from _beside_listed_token(elements, (*holder[:-1],), place, new, detector)
        else:
            yield Change((*holder,), _token(beside, new), detector, is_first)
            yield from _beside_chosen(elements, (*holder,), new, detector)
        is_first = False


def _token(entry: Mapping[str, JSON], text: str) -> dict[str, JSON]:
    """Return what is said of a token that is another text now."""
    changed = {**entry}
    for name, value in entry.items():
        if name == "token":
            changed[name] = text
        elif name == "bytes" and isinstance(value, list):
            changed[name] = [*text.encode("utf-8", "surrogatepass")]
        elif name in ("token_id", "tokenId", "id") and isinstance(value, int):
            changed[name] = 0
        elif name in ALTERNATIVES and isinstance(value, list):
            changed[name] = [_token(item, text) if isinstance(item, dict) else text for item in value]
    return changed


def _beside_listed_token(elements: Elements, path: Path, place: int, new: str, detector: str) -> Iterator[Change]:
    """Yield what the older form says of a token, in lists of their own."""
    lists = _at(elements, path)
    others = None
    if isinstance(lists, dict):
        others = lists.get("top_logprobs")
    if isinstance(others, list) and place < len(others) and isinstance(others[place], dict):
        yield Change((*path, "top_logprobs", place), {new: next(iter(others[place].values()), None)}, detector, False)


def _beside_chosen(elements: Elements, path: Path, new: str, detector: str) -> Iterator[Change]:
    """Yield what Gemini says of a chosen token's alternatives, in a list of its own."""
    if len(path) < 3 or path[-2] != "chosenCandidates":
        return
    others = _at(elements, path[:-2]).get("topCandidates")
    place = path[-1]
    if isinstance(others, list) and isinstance(place, int) and place < len(others) and isinstance(others[place], dict):
        yield Change((*path[:-2], "topCandidates", place), _token(others[place], new), detector, False)


def _at(value: JSON, path: Iterable[str | int]) -> JSON:
    for step in path:
        value = value[step]
    return value


def _outermost(changed: list[Change]) -> list[Change]:
    """Return the changes without those inside of what another one replaces."""
    outer = {change.path for change in changed if not isinstance(change.value, str)}
    if not outer:
        return changed
    return [
        change for change in changed if not any(change.path[:length] in outer for length in range(len(change.path)))
    ]


def applied(value: JSON, changed: Iterable[Change]) -> JSON:
    """Return a value with the changes made; what does not change is the very same object."""
    tree: dict[str | int, Any] = {}
    for change in changed:
        node = tree
        for step in change.path[:-1]:
            node = node.setdefault(step, {})
        node[change.path[-1]] = change
    return _apply(value, tree)


def _apply(value: JSON, tree: Mapping[str | int, Any]) -> JSON:
    if isinstance(value, Remade):
        return value.mapped(lambda at, item: _apply([item], {0: tree[at]})[0] if at in tree else item)
    copied: Any = {**value} if isinstance(value, dict) else [*value]
    for step, inner in tree.items():
        copied[step] = inner.value if isinstance(inner, Change) else _apply(copied[step], inner)
    return copied


def renamed(value: JSON, names: Mapping[str, str]) -> JSON:
    """Return a value whose members have other names where these say so."""
    if isinstance(value, Remade):
        return value.mapped(lambda _, item: renamed(item, names))
    if isinstance(value, dict):
        return {names.get(name, name): renamed(item, names) for name, item in value.items()}
    if not isinstance(value, list):
        return value
    return [renamed(item, names) for item in value]


def shown(path: Path) -> str:
    """Return a path for people: ``[1].__data__.choices[0].delta.content``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif text:
            text += f".{step}"
        else:
            text = step
    return text
