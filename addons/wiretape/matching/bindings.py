"""Puts the present values of a request into its answer, where the recorded request had others. Beside the tape.

A rule may find a recording whose request differs from the one at hand in a value: another working directory, another
session's id. The answer speaks of the recorded value. A ``Binding`` has both; and wherever the recorded one stands in
the texts of the answer, the present one is put: the agent's tool call names the file that is there now.

A stream cuts its texts anywhere. With ``/home/a`` bound to ``/code/b``, the two deltas of a tool call

    {"pa    th": "/ho    and    me/a/x.py"}    become    {"path": "/code/b    and    /x.py"}

So the chunks keep their number and their times (``rewriting`` does this), and all that does not change stays byte for
byte as it was. Each text is searched by itself:

- A text that is JSON, as the arguments of a tool are, is searched in what its texts mean, and those that are JSON
  themselves likewise, ``_DEPTH`` levels deep. It stays JSON, whatever has to be escaped.
- Another text is searched as it is (``bound_values``: where a value stands by itself, and how it may be escaped).
- All values are replaced in one pass: what was put in is not searched again, so two values may change places. Where
  values overlap, the one that begins first counts, and the longest of those. So a directory that is the same in both
  requests is looked for too: ``/home/a/proj`` stays, though ``/home/a`` becomes ``/home/b``.

What the protocol says of itself (``"type": "text"``, the names of members) is not searched for words, but for
directories, of which tools tell in such members too; what is opaque is not searched at all. A binary body stays as it
is, and the log says so once.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from wiretape.codecs import body_form, eventstream
from wiretape.codecs.pieces import Pieces
from wiretape.matching.bound_values import BoundValue
from wiretape.providers.answers import HttpResponse
from wiretape.rewriting import bodies, streams
from wiretape.rewriting.bodies import FindInJson
from wiretape.rewriting.body_parts import Body
from wiretape.rewriting.changes import Change, outermost
from wiretape.rewriting.channels import JSON, Walk
from wiretape.rewriting.json_prefix import json_end
from wiretape.rewriting.messages import Messages
from wiretape.rewriting.positions import literals, unescaped
from wiretape.rewriting.spans import Span, replaced
from wiretape.rewriting.streams import Text

logger = logging.getLogger(__name__)

_SHORTEST = 3
"""The fewest characters of a value that is bound."""
_SHORTEST_NUMBER = 4
"""The fewest digits of a value that is nothing but digits."""
_LONGEST = 4096
"""The most characters of a value that is bound: a path has no more."""
_DEPTH = 4
"""How many texts of JSON, one within another, are looked through."""

_OF_THE_PROTOCOL = frozenset(
    {
        "__type__",
        "event",
        "finishReason",
        "finish_reason",
        "model",
        "modelVersion",
        "object",
        "role",
        "service_tier",
        "status",
        "stopReason",
        "stop_reason",
        "type",
    }
)
"""Members whose texts are words of the protocol, which a value of the request may equal by chance."""

_OPAQUE = frozenset({"b64_json", "encrypted_content", "obfuscation", "signature", "thoughtSignature"})
"""Members whose texts mean nothing to a client, which sends them back as they came."""

_ENCODED = re.compile(r"(?:data:[^,\s]*;base64,)?[A-Za-z0-9+/_-]*+={0,2}")
"""Bytes in base64, in which a short directory stands by chance."""
_FEWEST_ENCODED = 1024
"""Characters from which on a text of this form is no path."""

_FIELDS_OF_EVENTS = ("event:", "id:", "retry:", ":")

_TELLING_OF_THE_BYTES = frozenset({"content-digest", "content-md5", "digest", "etag", "repr-digest", "x-goog-hash"})


@dataclass(frozen=True, slots=True)
class Binding:
    """A value of a recorded request, and the value that the request at hand has in its place."""

    name: str
    """What it is, for people: ``cwd``, ``home``, ``session``, ``date``, ..."""
    recorded: str
    """The value in the recorded request."""
    present: str
    """The value in the request that is being answered."""
    is_path: bool
    """Whether it is a directory, which counts only where a component of a path ends behind it."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be replaced in the values of a body."""

    changes: Sequence[Change]
    in_json: FindInJson | None
    """Finds the names of members that change, where there are any."""


class Bindings:
    """The bindings of a request to the recording that answers it."""

    def __init__(self, bindings: Iterable[Binding]) -> None:
        """A value that is too short to mean something by itself is not bound; of two equal ones the first is."""
        by_recorded: dict[str, BoundValue] = {}
        for each in map(_without_last_slash, bindings):
            if _is_bound(each):
                value = BoundValue(each.name, each.recorded, each.present, is_path=each.is_path)
                by_recorded.setdefault(each.recorded, value)
        if all(value.recorded == value.present for value in by_recorded.values()):
            by_recorded = {}
        self._values = sorted(by_recorded.values(), key=lambda value: -len(value.recorded))
        self._paths = [value for value in self._values if value.is_path]

    def __bool__(self) -> bool:
        return bool(self._values)

    def rewrite(self, answer: HttpResponse) -> HttpResponse:
        """Return an answer with the present values in it; the answer itself where it has none of the recorded ones."""
        if not self._values or not answer.chunks:
            return answer
        try:
            chunks = self._rewritten(answer)
        except RecursionError:
            say_once("an answer is nested too deeply to be searched for values of its recorded request", _type(answer))
            return answer
        if chunks is answer.chunks:
            return answer
        return replace(answer, chunks=(*chunks,), headers=_following(answer.headers, sum(map(len, chunks))))

    def _rewritten(self, answer: HttpResponse) -> Sequence[bytes]:
        """Return the chunks of an answer with the present values in them, or the very same ones."""
        body = Pieces(answer.chunks)
        if _type(answer) == eventstream.MEDIA_TYPE:
            return self._in_messages(answer.chunks, body)
        if not bodies.is_no_text(body.data):
            return bodies.in_pieces(answer.chunks, self._in_body(Body.of_pieces(body)))
        if any(value.recorded.encode("utf-8", "surrogatepass") in body.data for value in self._values):
            say_once("an answer is binary and has a value of its recorded request", _type(answer))
        return answer.chunks

    def _in_messages(self, chunks: Sequence[bytes], body: Pieces) -> Sequence[bytes]:
        messages = Messages(body.data)
        if not messages.is_whole:
            say_once("an answer has a message that cannot be read", eventstream.MEDIA_TYPE)
        wanted = self._wanted(messages)
        return messages.in_pieces(chunks, wanted.changes, wanted.in_json)

    def _in_body(self, body: Body) -> list[Span]:
        values = bodies.Values(body)
        wanted = self._wanted(values)
        others = {text: self._in_text(text, self._values) for text in values.others}
        if values.count:
            # Beside values stand the fields of events, and lines that are broken.
            others = {text: spans for text, spans in others.items() if not text.startswith(_FIELDS_OF_EVENTS)}
        return bodies.spans(body, wanted.changes, others, wanted.in_json)

    def _wanted(self, values: Iterable[JSON]) -> _Wanted:
        walk = Walk(values)
        changes = outermost(streams.changed(values, walk.channels.values(), self._found))
        names = {name for name in walk.names if self._in_text(name, self._paths)}
        in_json: FindInJson | None = None
        if names:
            in_json = partial(self._in_names, names)
        return _Wanted(changes, in_json)

    def _found(self, texts: Sequence[Text]) -> Iterator[tuple[int, Sequence[Span]]]:
        for number, (name, text) in enumerate(texts):
            if name in _OPAQUE or (len(text) >= _FEWEST_ENCODED and _ENCODED.fullmatch(text)):
                continue
            values = self._values
            if name in _OF_THE_PROTOCOL:
                values = self._paths
            spans = self._in_text(text, values)
            if spans:
                yield number, spans

    def _in_text(self, text: str, values: Sequence[BoundValue], depth: int = 0) -> list[Span]:
        """Return where values stand in a text, in order; none overlaps another."""
        if not _may_hold(text, values):
            return []
        end = 0
        if depth < _DEPTH:
            end = json_end(text)
        found: list[Span] = []
        if end:
            for literal in literals(text[:end]):
                for span in self._in_text(literal.text.text, values, depth + 1):
                    start, stop = literal.text.raw(span.start, span.end)
                    found.append(Span(start, stop, span.detector, bodies.inside_json(span.replacement, text)))
        rest = text[end:]
        for value in values:
            found += (span.moved(end) for span in value.spans(rest))
        return [span for span in _apart(found) if span.replacement != text[span.start : span.end]]

    def _in_names(self, names: set[str], _number: int, raw: str) -> Iterator[Span]:
        for literal in literals(raw):
            name = literal.text.text
            if name in names:
                start, end = literal.text.raw(0, len(name))
                new = replaced(name, self._in_text(name, self._paths))
                yield Span(start, end, "name", bodies.inside_json(new, raw))


def _without_last_slash(binding: Binding) -> Binding:
    if not binding.is_path:
        return binding
    return replace(binding, recorded=binding.recorded.rstrip("/\\"), present=binding.present.rstrip("/\\"))


def _is_bound(binding: Binding) -> bool:
    recorded = binding.recorded
    if not _SHORTEST <= len(recorded) <= _LONGEST or (recorded.isdigit() and len(recorded) < _SHORTEST_NUMBER):
        return False
    try:
        binding.present.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return binding.present != "" and (binding.is_path or binding.present != recorded)


def _may_hold(text: str, values: Sequence[BoundValue]) -> bool:
    """Tell whether a text may have a value, as it is or in an escaped form. Nearly none has; this is fast."""
    for _ in range(_DEPTH + 2):
        if any(value.recorded in text for value in values):
            return True
        if "\\" not in text:
            return False
        text = unescaped(text)
    return False


def _apart(spans: list[Span]) -> list[Span]:
    """Return spans in order, without those that overlap one before: the longest of those that begin together stays."""
    spans.sort(key=lambda span: (span.start, -span.end))
    kept: list[Span] = []
    end = 0
    for span in spans:
        if span.start >= end:
            kept.append(span)
            end = span.end
    return kept


def _type(answer: HttpResponse) -> str:
    content_type = next((value for name, value in answer.headers if name.lower() == "content-type"), "")
    return body_form.media_type(content_type)


def _following(headers: Sequence[tuple[str, str]], length: int) -> tuple[tuple[str, str], ...]:
    """Return headers that are true of a body of another length: what tells of its bytes is left out."""
    kept = ((name, value) for name, value in headers if name.lower() not in _TELLING_OF_THE_BYTES)
    return tuple((name, str(length) if name.lower() == "content-length" else value) for name, value in kept)


@lru_cache(64)
def say_once(what: str, media_type: str) -> None:
    """Log that an answer is not rewritten, where the log does not say so yet."""
    logger.warning("%s, which goes out as it was recorded (%s)", what, media_type or "no content type")
