"""Channels: which texts of a stream's elements are pieces of one text, such as deltas and tokens of logprobs.

It knows no provider by name. The pieces of a channel have the same place in each element: the same names of members on
the way to it, and the same index where a member beside them gives one (``choices[].index``, ``tool_calls[].index``,
Anthropic's ``index`` of a content block, ``output_index`` of the Responses API, ``contentBlockIndex`` of Bedrock).

Events of another ``type`` belong to another channel. So the whole text that ``response.output_text.done`` repeats does
not continue the deltas. A text that comes in one piece is a channel of one piece. The tokens of logprobs are a channel
of their own.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from wiretape.rewriting.positions import Naming, Path, as_it_is

type JSON = Any


class ChannelReader(Enum):
    """How the pieces of a channel are searched."""

    JOINED = auto()
    """Together: each piece continues the one before."""
    WHOLE = auto()
    """One by one: each piece means something by itself."""
    EITHER = auto()
    """Both ways, because it is not known which is right."""


@dataclass(slots=True)
class Channel:
    """The pieces of one text, in order."""

    name: str
    """The name of the member that holds each piece; empty where no member does."""
    reading: ChannelReader = ChannelReader.JOINED
    texts: list[str] = field(default_factory=list)
    are_tokens: bool = False
    """Whether each piece is a token: it stands in an object, or a list, with more that is known of it."""
    _firsts: array[int] = field(default_factory=lambda: array("Q"))
    """The channel is stored as runs of pieces that stand at the same place of consecutive elements. This is the number
    of the first piece of each run; ``_positions`` has its element, ``_places`` the place. Nearly always one run is all.
    """
    _positions: array[int] = field(default_factory=lambda: array("Q"))
    _places: list[Path] = field(default_factory=list)

    def add(self, position: int, place: Path, text: str) -> None:
        """Add the next piece: the number of its element, its place in that, and its text."""
        texts = self.texts
        number = len(self.texts)
        # Equal texts in a row share one object: there may be very many of them.
        if number and texts[-1] == text:
            text = texts[-1]
        texts.append(text)
        if number and position == self._positions[-1] + number - self._firsts[-1] and place == self._places[-1]:
            return
        self._firsts.append(number)
        self._positions.append(position)
        self._places.append(place)

    def path(self, number: int) -> Path:
        """Return the place of a piece in the elements."""
        number = range(len(self.texts))[number]
        run = bisect_right(self._firsts, number) - 1
        return (self._positions[run] + number - self._firsts[run], *self._places[run])

    @property
    def paths(self) -> Iterator[Path]:
        """The place of each piece."""
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
        "tool_plan",
        "transcript",
    }
)
"""Members whose texts come in pieces."""

_CONTINUED_IN = frozenset({("toolUse", "input")})
"""The same where only the name of the object around tells, which comes first."""

_WHOLE = frozenset({"__type__", "id", "item_id", "model", "object", "obfuscation", "role", "type"})
"""Members whose texts mean something by themselves each time."""

_INDEXES = ("index", "output_index", "content_index", "summary_index", "contentBlockIndex")
ALTERNATIVES = frozenset({"candidates", "top_logprobs"})
"""Lists of the tokens that could have stood in the place of a token, the likeliest first."""

_SAID_OF_TOKENS = ("bytes", "logprob", "logProbability")


class Walk:
    """Collects the channels of elements, and the names of all their members."""

    def __init__(self, elements: Iterable[JSON], naming: Naming = as_it_is) -> None:
        self._naming = naming
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
            at = value.get(index)
            if isinstance(at, int):
                key = (*key, at)
        for name, item in value.items():
            # The deltas of a content block continue the text that the block begins with.
            place = "delta" if name == "content_block" else name
            kind = item.__class__
            if kind is str:
                if not item:
                    continue
                if name == "token" and is_token(value):
                    self._text("", item, (*path, name), (*key, name), ChannelReader.JOINED).are_tokens = True
                else:
                    named = self._naming(value, owner) if name == "value" else name
                    self._text(named, item, (*path, name), (*key, place), _reading(name, owner))
            elif kind is dict:
                self._object(item, (*path, name), (*key, place), name)
            elif kind is list:
                self._list(name, item, (*path, name), (*key, place))

    def _list(self, name: str, items: Sequence[JSON], path: Path, key: tuple[Any, ...]) -> None:
        for position, item in enumerate(items):
            kind = item.__class__
            if kind is float or kind is int:
                continue  # Embeddings have very many numbers.
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


def _reading(name: str, owner: str = "") -> ChannelReader:
    if name in _CONTINUED:
        return ChannelReader.JOINED
    if name in _WHOLE:
        return ChannelReader.WHOLE
    if (owner, name) in _CONTINUED_IN:
        return ChannelReader.JOINED
    return ChannelReader.EITHER


def _place(name: str, position: int, item: Mapping[str, JSON]) -> tuple[Any, ...]:
    """Return what tells an item of a list apart from the items that belong to other texts."""
    if isinstance(item.get("index"), int):
        return ()  # ``_object`` adds that index.
    if name == "parts":
        # All parts of an answer of Gemini's are one text, and its thoughts are another.
        return (bool(item.get("thought")),)
    if name == "topCandidates" or (name not in ALTERNATIVES and is_token(item)):
        return ()
    return (position,)


def is_token(value: Mapping[str, JSON]) -> bool:
    """Tell whether an object describes one token of a text. There, ``token`` is the name of no secret."""
    return isinstance(value.get("token"), str) and any(name in value for name in _SAID_OF_TOKENS)
