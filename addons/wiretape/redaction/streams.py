"""Finds secrets that are cut up: into the deltas of a stream, into the tokens of logprobs. Sans-IO; knows no provider.

A streamed answer carries each of its texts in pieces, and a key that is cut up is in none of them. So:

1. ``channels`` tells which pieces are one text, from where they stand in the elements.
2. The pieces of a channel are joined, and the secrets of the joined text are found.
3. The replacement of a secret goes into the piece where the secret begins; the pieces behind lose what they had of it.

Elements (events, lines, the items of a list) keep their number, and all else in them stays as it was. For a stream of
two deltas, "my key is sk-pr" and "oj-abc... ok", the result is the two changes

    (0, "choices", 0, "delta", "content") -> "my key is __redacted__"
    (1, "choices", 0, "delta", "content") -> " ok"

Not every channel can be joined. Texts that mean something by themselves each time (``ChannelReader.WHOLE``) are
searched one by one; where that is not known (``EITHER``), both is done. Some servers send the whole text so far in
every event: in such a growing text, only the last piece is searched, and the others lose the same places.

What stands beside a token that is replaced (its bytes, its number, its alternatives) tells as much as the token does,
and is replaced with it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from wiretape.redaction import encodings
from wiretape.redaction.changes import Change, outermost
from wiretape.redaction.channels import ALTERNATIVES, JSON, Channel, ChannelReader, Walk
from wiretape.redaction.positions import Path
from wiretape.redaction.spans import Span, distribute, merged, replaced

type Elements = Mapping[str | int, JSON]
"""Some of the elements, by their number."""


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


_SNAPSHOTS = 3
"""How many different pieces tell a growing text, where each piece is the beginning of the one after it."""


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
    walk = Walk(elements)
    names = [*walk.names]
    renamed = {names[index]: replaced(names[index], spans) for index, spans in encodings.each(names, finder.spans)}
    return Secrets(_changes(elements, [*walk.channels.values()], finder), renamed)


def _changes(elements: Iterable[JSON], channels: Sequence[Channel], finder: SecretFinder) -> list[Change]:
    singles = _Singles(finder, channels)
    joined = [channel for channel in channels if _is_joined(channel)]
    whole = dict(encodings.each(["".join(channel.texts) for channel in joined], finder.spans))
    in_joined = {id(channel): whole.get(index, ()) for index, channel in enumerate(joined)}
    rewritten: list[tuple[Channel, list[str], str]] = []
    for channel in channels:
        spans = in_joined.get(id(channel), ())
        texts = _rewritten(channel, spans, singles, finder)
        if texts:
            rewritten.append((channel, texts, next((span.detector for span in spans), "member")))
    touched = {
        path[0]
        for channel, texts, _ in rewritten
        if channel.are_tokens
        for path, old, new in zip(channel.paths, channel.texts, texts, strict=True)
        if old != new
    }
    known: Elements = {}
    if touched:
        known = {at: element for at, element in enumerate(elements) if at in touched}
    changed: list[Change] = []
    for channel, texts, detector in rewritten:
        changed += _changed(known, channel, texts, detector, singles)
    return outermost([*changed, *_placed_numbers(elements, finder)])


def _is_joined(channel: Channel) -> bool:
    """Tell whether the pieces are searched as one text."""
    if len(channel.texts) < 2 or channel.reading is ChannelReader.WHOLE or _is_growing(channel):
        return False
    # What is the same in every element is no piece of a text: it is repeated.
    return channel.are_tokens or any(text != channel.texts[0] for text in channel.texts)


def _is_growing(channel: Channel) -> bool:
    """Tell whether each piece is the whole text so far, sent again with some more at its end."""
    if channel.reading is ChannelReader.WHOLE or channel.are_tokens:
        return False
    texts = channel.texts
    return all(after.startswith(before) for before, after in pairwise(texts)) and len({*texts}) >= _SNAPSHOTS


class _Singles:
    """The secrets of texts that are searched by themselves; each different text is searched once."""

    def __init__(self, finder: SecretFinder, channels: Iterable[Channel]) -> None:
        wanted = {
            (channel.name, text)
            for channel in channels
            if channel.reading is not ChannelReader.JOINED or not _is_joined(channel)
            for text in channel.texts
        }
        self._spans: dict[tuple[str, str], Sequence[Span]] = {}
        others: list[tuple[str, str]] = []
        for name, text in wanted:
            replacement = None
            if name:
                replacement = finder.member(name, text)
            if replacement is None:
                others.append((name, text))
            else:
                self._spans[name, text] = [Span(0, len(text), "member", replacement)]
        for index, spans in encodings.each([text for _, text in others], finder.spans):
            self._spans[others[index]] = spans

    def of(self, name: str, text: str) -> Sequence[Span]:
        """Return the secrets of a text, which is the value of a member of this name."""
        return self._spans.get((name, text), ())


def _rewritten(channel: Channel, spans: Sequence[Span], singles: _Singles, finder: SecretFinder) -> list[str] | None:
    """Return the pieces without their secrets; None where there are none."""
    if _is_joined(channel):
        return _rewritten_together(channel, spans, singles, finder)
    if _is_growing(channel):
        return _rewritten_like_last(channel, singles, finder)
    return _rewritten_each(channel, singles, finder)


def _rewritten_together(
    channel: Channel, spans: Sequence[Span], singles: _Singles, finder: SecretFinder
) -> list[str] | None:
    texts = channel.texts
    whole = "".join(texts)
    replacement = None
    if channel.name:
        replacement = finder.member(channel.name, whole)
    if replacement is not None:
        return [*distribute(texts, [Span(0, len(whole), "member", replacement)])]
    spans = merged([*spans, *_placed(finder, channel.path(0), whole)])
    if channel.reading is ChannelReader.EITHER:
        start = 0
        for text in texts:
            spans += [span.moved(start) for span in singles.of(channel.name, text)]
            start += len(text)
        spans = merged(spans)
    if not spans:
        return None
    return [*distribute(texts, spans)]


def _rewritten_like_last(channel: Channel, singles: _Singles, finder: SecretFinder) -> list[str] | None:
    """Return the pieces of a growing text: what its last piece loses, each piece loses as far as it goes."""
    last = channel.texts[-1]
    spans = merged([*singles.of(channel.name, last), *_placed(finder, channel.path(-1), last)])
    if not spans:
        return None
    return [replaced(text, _cut(spans, len(text))) for text in channel.texts]


def _rewritten_each(channel: Channel, singles: _Singles, finder: SecretFinder) -> list[str] | None:
    texts = channel.texts
    spans = [singles.of(channel.name, text) for text in texts]
    if finder.has_places:
        for at, (path, text) in enumerate(zip(channel.paths, texts, strict=True)):
            spans[at] = merged([*spans[at], *_placed(finder, path, text)])
    if not any(spans):
        return None
    return [*map(replaced, texts, spans)]


def _placed(finder: SecretFinder, path: Path, text: str) -> list[Span]:
    if not finder.has_places:
        return []
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


def _cut(spans: Sequence[Span], length: int) -> list[Span]:
    """Return the spans of a text as far as they stand in its first ``length`` characters."""
    begun = [span for span in spans if span.start < length]
    return [Span(span.start, min(span.end, length), span.detector, span.replacement) for span in begun]


def _changed(
    elements: Elements, channel: Channel, texts: Sequence[str], detector: str, singles: _Singles
) -> Iterator[Change]:
    is_first = True
    for path, old, new in zip(channel.paths, channel.texts, texts, strict=True):
        if old == new:
            continue
        own = singles.of(channel.name, old)
        if own:
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
    """Return an object about a token with another token in it, and with nothing that tells the old one."""
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
    """Yield the change beside a token of the older form of logprobs, which has a list for each thing it tells."""
    lists = _at(elements, path)
    others = None
    if isinstance(lists, dict):
        others = lists.get("top_logprobs")
    if isinstance(others, list) and place < len(others) and isinstance(others[place], dict):
        yield Change((*path, "top_logprobs", place), {new: next(iter(others[place].values()), None)}, detector, False)


def _beside_chosen(elements: Elements, path: Path, new: str, detector: str) -> Iterator[Change]:
    """Yield the change beside a token of Gemini's, which lists the alternatives of all chosen tokens elsewhere."""
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
