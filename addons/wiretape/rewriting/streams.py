"""Replaces texts that are cut up: into the deltas of a stream, into the tokens of logprobs. Sans-IO; knows no provider.

A streamed answer carries each of its texts in pieces, and what is to be replaced may be in none of them as a whole. So:

1. ``channels`` tells which pieces are one text, from where they stand in the elements.
2. The pieces of a channel are joined, and whoever asks finds what is to be replaced in the joined text (``Find``).
3. A replacement goes into the piece where its place begins; the pieces behind lose what they had of that.

Elements (events, lines, the items of a list) keep their number, and all else in them stays as it was. For a stream of
two deltas, where ``/home/a`` is to become ``/home/b``, the result is the two changes

    (0, "choices", 0, "delta", "content") -> "it is in /home/b"
    (1, "choices", 0, "delta", "content") -> "/x"

for ``it is in /ho`` and ``me/a/x``.

Not every channel can be joined. Texts that mean something by themselves each time (``ChannelReader.WHOLE``) are
searched one by one; where that is not known (``EITHER``), both is done. Some servers send the whole text so far in
every event: in such a growing text, only the last piece is searched, and the others change at the same places.

What stands beside a token that is replaced (its bytes, its number, its alternatives) tells as much as the token does,
and is replaced with it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from wiretape.rewriting.changes import Change
from wiretape.rewriting.channels import ALTERNATIVES, JSON, Channel, ChannelReader
from wiretape.rewriting.positions import Path
from wiretape.rewriting.spans import Span, distribute, merged, replaced

type Text = tuple[str, str]
"""A text that is searched, which is pieces that were joined, or a piece by itself. Before it stands the name of the
member that holds it, which is empty where no member does.
"""

type Find = Callable[[Sequence[Text]], Iterable[tuple[int, Sequence[Span]]]]
"""Yields what is to be replaced in texts: the number of a text that has some, with its spans in order."""

type FindByPlace = Callable[[Path, str], Sequence[Span]]
"""Returns what is to be replaced in a text because of where it stands in the elements."""

type Elements = Mapping[str | int, JSON]
"""Some of the elements, by their number."""

_SNAPSHOTS = 3
"""How many different pieces tell a growing text, where each piece is the beginning of the one after it."""


@dataclass(frozen=True, slots=True)
class _Rewritten:
    """A channel with the pieces that it has from now on."""

    channel: Channel
    texts: Sequence[str]
    detector: str


def changed(
    elements: Iterable[JSON], channels: Iterable[Channel], find: Find, find_by_place: FindByPlace | None = None
) -> list[Change]:
    """Return the changes that replace in the elements what is found in their channels."""
    rewriter = _Rewriter([*channels], find, find_by_place)
    rewritten = [*rewriter.rewritten()]
    touched = {
        path[0]
        for each in rewritten
        if each.channel.are_tokens
        for path, old, new in zip(each.channel.paths, each.channel.texts, each.texts, strict=True)
        if old != new
    }
    known: Elements = {}
    if touched:
        known = {at: element for at, element in enumerate(elements) if at in touched}
    found: list[Change] = []
    for each in rewritten:
        found += rewriter.changes(known, each)
    return found


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


class _Rewriter:
    """Rewrites channels. Each different text that is searched by itself is searched once."""

    def __init__(self, channels: Sequence[Channel], find: Find, find_by_place: FindByPlace | None) -> None:
        self._channels = channels
        self._find_by_place = find_by_place
        together = [number for number, channel in enumerate(channels) if _is_joined(channel)]
        self._joined: dict[int, Sequence[Span]] = dict.fromkeys(together, ())
        """For each channel whose pieces are one text, by its number: what is to be replaced in that text."""
        texts: list[Text] = [(channels[number].name, "".join(channels[number].texts)) for number in together]
        for index, spans in find(texts):
            self._joined[together[index]] = spans
        wanted = {
            (channel.name, text)
            for number, channel in enumerate(channels)
            if channel.reading is not ChannelReader.JOINED or number not in self._joined
            for text in channel.texts
        }
        singles = [*wanted]
        self._singles: dict[Text, Sequence[Span]] = {}
        """The same for the texts that are searched by themselves."""
        for index, spans in find(singles):
            self._singles[singles[index]] = spans

    def rewritten(self) -> Iterator[_Rewritten]:
        """Yield the channels in which something is replaced."""
        for number, channel in enumerate(self._channels):
            if number in self._joined:
                rewritten = self._together(channel, self._joined[number])
            elif _is_growing(channel):
                rewritten = self._like_last(channel)
            else:
                rewritten = self._each(channel)
            if rewritten is not None:
                yield rewritten

    def _single(self, channel: Channel, text: str) -> Sequence[Span]:
        return self._singles.get((channel.name, text), ())

    def _placed(self, path: Path, text: str) -> Sequence[Span]:
        if self._find_by_place is None:
            return ()
        return self._find_by_place(path, text)

    def _together(self, channel: Channel, joined: Sequence[Span]) -> _Rewritten | None:
        texts = channel.texts
        spans = [*joined]
        if self._find_by_place is not None:
            spans = merged([*spans, *self._placed(channel.path(0), "".join(texts))])
        if channel.reading is ChannelReader.EITHER:
            start = 0
            for text in texts:
                spans += [span.moved(start) for span in self._single(channel, text)]
                start += len(text)
            spans = merged(spans)
        if not spans:
            return None
        return _Rewritten(channel, [*distribute(texts, spans)], spans[0].detector)

    def _like_last(self, channel: Channel) -> _Rewritten | None:
        """Rewrite a growing text: what is replaced in its last piece is replaced in each piece as far as it goes."""
        last = channel.texts[-1]
        spans = merged([*self._single(channel, last), *self._placed(channel.path(-1), last)])
        if not spans:
            return None
        texts = [replaced(text, _cut(spans, len(text))) for text in channel.texts]
        return _Rewritten(channel, texts, spans[0].detector)

    def _each(self, channel: Channel) -> _Rewritten | None:
        texts = channel.texts
        spans = [self._single(channel, text) for text in texts]
        if self._find_by_place is not None:
            for at, (path, text) in enumerate(zip(channel.paths, texts, strict=True)):
                spans[at] = merged([*spans[at], *self._placed(path, text)])
        first = next(filter(None, spans), None)
        if first is None:
            return None
        return _Rewritten(channel, [*map(replaced, texts, spans)], first[0].detector)

    def changes(self, elements: Elements, rewritten: _Rewritten) -> Iterator[Change]:
        """Yield the changes that a channel needs. ``elements`` has those in which a token is replaced."""
        channel = rewritten.channel
        detector = rewritten.detector
        is_first = True
        for path, old, new in zip(channel.paths, channel.texts, rewritten.texts, strict=True):
            if old == new:
                continue
            own = self._single(channel, old)
            if own:
                detector = own[0].detector
                is_first = True
            if channel.are_tokens:
                yield from _changes_of_token(elements, path, new, detector, is_first=is_first)
            else:
                yield Change(path, new, detector, is_first)
            is_first = False


def _cut(spans: Sequence[Span], length: int) -> list[Span]:
    """Return the spans of a text as far as they stand in its first ``length`` characters."""
    begun = [span for span in spans if span.start < length]
    return [Span(span.start, min(span.end, length), span.detector, span.replacement) for span in begun]


def _changes_of_token(elements: Elements, path: Path, new: str, detector: str, *, is_first: bool) -> Iterator[Change]:
    """Yield the change of a token, and of what stands beside it."""
    *holder, place = path
    if isinstance(place, int):
        yield Change(path, new, detector, is_first)
        yield from _beside_listed_token(elements, (*holder[:-1],), place, new, detector)
    else:
        yield Change((*holder,), _token(_at(elements, holder), new), detector, is_first)
        yield from _beside_chosen(elements, (*holder,), new, detector)


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
