"""Which texts of a stream's elements are one text: deltas, tokens of logprobs. Knows no provider by name.

A channel is what has the same place in each element: the same names of members on the way to it, and the same index
where the members beside them say one (``choices[].index``, ``tool_calls[].index``, Anthropic's ``index`` of a content
block, ``output_index`` of the Responses API). Events whose ``type`` differs are no one channel: the whole text that
``response.output_text.done`` repeats does not go on where the deltas end. Where a text is in one piece, that is its
channel. Tokens of logprobs are pieces too.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from wiretape.redaction import members
from wiretape.redaction.positions import Path

type JSON = Any


class ChannelReader(Enum):
    """How the texts of a channel are read."""

    JOINED = auto()
    """One goes on where the one before ends."""
    WHOLE = auto()
    """Each by itself."""
    EITHER = auto()
    """Nobody knows: both ways."""


@dataclass(slots=True)
class Channel:
    """The pieces of one text, in order."""

    name: str
    """What names the text: the member that holds each of them; empty for none."""
    reading: ChannelReader = ChannelReader.JOINED
    texts: list[str] = field(default_factory=list)
    are_tokens: bool = False
    """Whether each stands in an object, or a list, with what else is known of it as a token."""
    _firsts: array[int] = field(default_factory=lambda: array("Q"))
    """Runs of pieces that stand at one place of elements one after the other: the first of each, its element, the
    place. Nearly all of a long stream is one."""
    _positions: array[int] = field(default_factory=lambda: array("Q"))
    _places: list[Path] = field(default_factory=list)

    def add(self, position: int, place: Path, text: str) -> None:
        """Add a piece: the place in which element, and what stands there."""
        texts = self.texts
        number = len(self.texts)
        # A text that is said again is not kept anew: there may be very many.
        texts.append(texts[-1] if number and texts[-1] == text else text)
        if number and position == self._positions[-1] + number - self._firsts[-1] and place == self._places[-1]:
            return
        self._firsts.append(number)
        self._positions.append(position)
        self._places.append(place)

    def path(self, number: int) -> Path:
        """Return where a piece stands in the elements."""
        number = range(len(self.texts))[number]
        run = bisect_right(self._firsts, number) - 1
        return (self._positions[run] + number - self._firsts[run], *self._places[run])

    @property
    def paths(self) -> Iterator[Path]:
        """Where each piece stands."""
        return map(self.path, range(len(self.texts)))


_CONTINUED = frozenset(
    {
        "arguments",
        "content",
        "delta",
        "partial_json",
        "reasoning",
        "reasoning_content",
        "refusal",
        "response",
        "text",
        "thinking",
        "transcript",
    }
)
"""Members that carry a text in pieces."""

_WHOLE = frozenset({"__type__", "id", "item_id", "model", "object", "obfuscation", "role", "type"})
"""Members whose texts say something of their own each time."""

_INDEXES = ("index", "output_index", "content_index", "summary_index")
ALTERNATIVES = frozenset({"candidates", "top_logprobs"})
"""Lists of what else could have stood in a token's place, the likeliest first."""

_SAID_OF_TOKENS = ("bytes", "logprob", "logProbability")


class Walk:
    """The channels of elements, and the names of all their members."""

    def __init__(self, elements: Iterable[JSON]) -> None:
        self.channels: dict[tuple[Any, ...], Channel] = {}
        self.names: set[str] = set()
        self._position = 0
        for self._position, element in enumerate(elements):
            path: Path = ()
            value = element
            if isinstance(element, dict) and isinstance(element.get("__data__"), dict):
                value = element["__data__"]
                path = ("__data__",)
            if isinstance(value, dict):
                self._object(value, path, (_kind(value),))
            else:
                self._value("", value, path, ())

    def _value(self, name: str, value: JSON, path: Path, key: tuple[Any, ...]) -> None:
        if isinstance(value, str):
            if value:
                self._text(name, value, path, key, _reading(name))
        elif isinstance(value, dict):
            self._object(value, path, key)
        elif isinstance(value, list):
            self._list(name, value, path, key)

    def _text(self, name: str, text: str, path: Path, key: tuple[Any, ...], reading: ChannelReader) -> Channel:
        channel = self.channels.get(key)
        if channel is None:
            channel = self.channels[key] = Channel(name, reading)
        channel.add(self._position, path, text)
        return channel

    def _object(self, value: Mapping[str, JSON], path: Path, key: tuple[Any, ...], owner: str = "") -> None:
        self.names.update(value)
        for index in _INDEXES:
            if isinstance(at := value.get(index), int):
                key = (*key, at)
        for name, item in value.items():
            # What a content block begins with, its deltas go on with.
            place = "delta"
            if name != "content_block":
                place = name
            kind = item.__class__
            if kind is str:
                if not item:
                    continue
                if name == "token" and is_token(value):
                    self._text("", item, (*path, name), (*key, name), ChannelReader.JOINED).are_tokens = True
                else:
                    named = members.naming(value, owner) if name == "value" else name
                    self._text(named, item, (*path, name), (*key, place), _reading(name))
            elif kind is dict:
                self._object(item, (*path, name), (*key, place), name)
            elif kind is list:
                self._list(name, item, (*path, name), (*key, place))

    def _list(self, name: str, items: Sequence[JSON], path: Path, key: tuple[Any, ...]) -> None:
        for position, item in enumerate(items):
            kind = item.__class__
            if kind is float or kind is int:
                continue  # Embeddings have very many.
            if kind is str:
                if not item:
                    continue
                if name == "tokens":
                    self._text("", item, (*path, position), key, ChannelReader.JOINED).are_tokens = True
                else:
                    self._text(name, item, (*path, position), (*key, position), _reading(name))
            elif kind is dict:
                self._object(item, (*path, position), (*key, *_place(name, position, item)))
            elif kind is list:
                self._list(name, item, (*path, position), (*key, position))


def _kind(element: Mapping[str, JSON]) -> str:
    kind = element.get("type")
    if isinstance(kind, str) and not kind.startswith("content_block"):
        return kind
    return ""


def _reading(name: str) -> ChannelReader:
    if name in _CONTINUED:
        return ChannelReader.JOINED
    if name in _WHOLE:
        return ChannelReader.WHOLE
    return ChannelReader.EITHER


def _place(name: str, position: int, item: Mapping[str, JSON]) -> tuple[Any, ...]:
    """Return what tells an item of a list from those that are other texts."""
    if isinstance(item.get("index"), int):
        return ()  # The object itself says it.
    if name == "parts":
        return (bool(item.get("thought")),)  # Gemini's: one text, whatever their number, and the thoughts another.
    if name == "topCandidates" or (name not in ALTERNATIVES and is_token(item)):
        return ()
    return (position,)


def is_token(value: Mapping[str, JSON]) -> bool:
    """Return whether an object is what is said of one token of a text: the word ``token`` is no secret's name there."""
    return isinstance(value.get("token"), str) and any(name in value for name in _SAID_OF_TOKENS)
