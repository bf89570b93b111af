"""What the stream of each endpoint looks like at its end. Between the events and the recording; sans-IO.

What tells that a stream is whole is one of two things:

- The provider says so: ``[DONE]``, ``message_stop``, ``response.completed``, ``"done": true``. The stream is OVER, and
  whole whatever becomes of its connection: many clients close it as soon as they have read that.
- All is there that was asked for: a finish reason for each choice, a stop reason. The stream is COMPLETE, and whole
  where the end of its body was seen by its framing. More may still come (the usage), so a connection that breaks here
  breaks off.

Else it is OPEN, and has broken off if nothing more comes. The table at the end of the module has a row for each
endpoint that a recording can name. A passthrough endpoint is known by its URL alone: its events tell what they are.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, Protocol

from wiretape.matching import request
from wiretape.recording import RecordedRequest

DONE = "[DONE]"


class End(IntEnum):
    """How far a stream is, in this order."""

    OPEN = 0
    COMPLETE = 1
    OVER = 2


class Watcher(Protocol):
    """Looks at the events, or lines, of one stream."""

    def see(self, data: Mapping[str, Any], event: str = "", /) -> End:
        """Return how far the stream is after what has come: its value, and the name of the event."""
        ...


def is_done(text: str) -> bool:
    """Return whether the data of an event is the marker with which the streams of OpenAI's API end."""
    return text.lstrip().startswith(DONE)


class Choices:
    """Of chats and completions: a finish reason for each choice."""

    def __init__(self, wanted: int = 1) -> None:
        """``wanted``: how many choices were asked for."""
        self._wanted = wanted
        self._open: set[int] = set()
        self._finished: set[int] = set()
        self._end = End.OPEN

    def see(self, data: Mapping[str, Any], _event: str = "", /) -> End:
        """Return how far the stream is after a chunk."""
        choices = data.get("choices")
        if choices:
            for choice in _objects(choices):
                _sort(_index(choice), choice.get("finish_reason"), self._open, self._finished)
            has_all = not self._open and len(self._finished) >= self._wanted
            self._end = End.COMPLETE if has_all else End.OPEN
        return self._end


class Candidates:
    """Of Gemini: a finish reason for each candidate, or the reason why there is none. It has no other sign."""

    def __init__(self) -> None:
        self._open: set[int] = set()
        self._finished: set[int] = set()
        self._is_blocked = False
        self._end = End.OPEN

    def see(self, data: Mapping[str, Any], _event: str = "", /) -> End:
        """Return how far the stream is after a chunk."""
        candidates = data.get("candidates")
        feedback = data.get("promptFeedback")
        if candidates or feedback:
            for candidate in _objects(candidates):
                _sort(_index(candidate), candidate.get("finishReason"), self._open, self._finished)
            self._is_blocked = self._is_blocked or (isinstance(feedback, dict) and bool(feedback.get("blockReason")))
            has_all = bool(self._finished) or self._is_blocked
            self._end = End.OVER if has_all and not self._open else End.OPEN
        return self._end


class MessageEvents:
    """Of Anthropic: the event for the end, or before it the reason for which the message has stopped."""

    def __init__(self) -> None:
        self._end = End.OPEN

    def see(self, data: Mapping[str, Any], event: str = "", /) -> End:
        """Return how far the stream is after an event."""
        type_ = data.get("type")
        if type_ == "message_stop" or event == "message_stop":
            self._end = End.OVER
        elif type_ == "message_delta" and self._end is End.OPEN:
            delta = data.get("delta")
            if isinstance(delta, dict) and delta.get("stop_reason"):
                self._end = End.COMPLETE
        return self._end


class NamedEvents:
    """Of APIs that have an event for the end, which is told by its name or its type."""

    def __init__(self, *names: str) -> None:
        self._names = frozenset(names)
        self._end = End.OPEN

    def see(self, data: Mapping[str, Any], event: str = "", /) -> End:
        """Return how far the stream is after an event."""
        for name in _names(data, event):
            if name in self._names:
                self._end = End.OVER
        return self._end


class UnknownEvents:
    """Of APIs that are not known: the last event is called as those are that end something, or says that it is.

    Or it has a reason for the end, wherever that stands in it.
    """

    def see(self, data: Mapping[str, Any], event: str = "", /) -> End:
        """Return how far the stream is after an event."""
        end = End.OPEN
        for member in FLAGS:
            if data.get(member) is True:
                end = End.COMPLETE
        for name in _names(data, event):
            if name.startswith(_FAMILIES):
                return End.OPEN
            if name in _NAMES or name.endswith(_ENDINGS):
                end = End.COMPLETE
        if end is End.OPEN and _KNOWN.isdisjoint(data):
            reasons = [*_reasons(data, _DEEPEST)]
            end = End.COMPLETE if reasons and all(map(_is_reason, reasons)) else End.OPEN
        return end


class Lines:
    """Of Ollama: the last line says that it is."""

    def see(self, data: Mapping[str, Any], _event: str = "", /) -> End:
        """Return how far the stream is after a line."""
        return End.OVER if data.get("done") is True or data.get("status") == "success" else End.OPEN


class Several:
    """Of an endpoint that is known by its URL alone: whichever fits of those that there are."""

    def __init__(self, *watchers: Watcher) -> None:
        self._watchers = watchers

    def see(self, data: Mapping[str, Any], event: str = "", /) -> End:
        """Return how far the stream is after an event."""
        end = End.OPEN
        for watcher in self._watchers:
            end = max(end, watcher.see(data, event))
        return end


RESPONSE_ENDS = ("response.completed", "response.incomplete", "response.cancelled")
_INTERACTION_ENDS = ("interaction.complete", "interaction.completed")
_AUDIO_ENDS = ("speech.audio.done", "transcript.text.done")
_COHERE_ENDS = ("message-end", "stream-end")

_FAMILIES = ("response.", "interaction.")
"""With these begin the names of the events of which only one, which is known, is the end."""

_ENDINGS = (".done", ".complete", ".completed")

_NAMES = frozenset({"done", "end", "close", "complete", "completed", "finish", "finished"})
"""Names of a last event: those of Replicate, watsonx, Llama's API and many services of one's own."""

FLAGS = frozenset({"done", "stop", "is_finished"})
"""Members with which an event of Ollama's, llama.cpp's or Cohere's own API says that it is the last."""

_REASONS = frozenset({"finish_reason", "finishReason", "stop_reason", "stopReason"})
"""Members that say why an answer ended: of DashScope, TGI, watsonx, Bedrock."""

_NO_REASONS = frozenset({"null", "not_finished", "FINISH_REASON_UNSPECIFIED"})
"""What is said in their place while it goes on."""

_KNOWN = frozenset({"choices", "candidates"})
"""Of what has these members, others know how many reasons there are to be."""

_DEEPEST = 4
"""Objects inside each other in which a reason is looked for."""


def _choices(asked: RecordedRequest) -> Watcher:
    wanted = asked.body.get("n")
    number = wanted if isinstance(wanted, int) and wanted > 1 else 1
    prompts = asked.body.get("prompt")
    if isinstance(prompts, list) and all(isinstance(prompt, str | list) for prompt in prompts):
        number *= max(1, len(prompts))  # Else it is one prompt, as a list of tokens.
    return Choices(number)


def _response_events(_: RecordedRequest) -> Watcher:
    return NamedEvents(*RESPONSE_ENDS)


def _lines(_: RecordedRequest) -> Watcher:
    return Lines()


def _passthrough(asked: RecordedRequest) -> Watcher:
    named = NamedEvents(*RESPONSE_ENDS, *_INTERACTION_ENDS, *_AUDIO_ENDS, *_COHERE_ENDS)
    return Several(MessageEvents(), Candidates(), _choices(asked), named, UnknownEvents())


_TABLE: Mapping[str, Callable[[RecordedRequest], Watcher]] = {
    "/v1/chat/completions": _choices,
    "/v1/completions": _choices,
    "/v1/responses": _response_events,
    "/api/chat": _lines,
    "/api/generate": _lines,
    "/api/pull": _lines,
    "": _passthrough,
}


def watcher(asked: RecordedRequest) -> Watcher:
    """Return who tells when the stream that answers a request is whole."""
    return _TABLE[request.endpoint(asked)](asked)


def _names(data: Mapping[str, Any], event: str) -> Iterator[str]:
    """Yield what an event is called: by its own name, by the types that APIs put into its value."""
    if event:
        yield event
    for member in ("type", "event_type"):
        name = data.get(member)
        if isinstance(name, str):
            yield name


def _objects(value: Any) -> Sequence[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else ()


def _sort(number: int, reason: Any, open_: set[int], finished: set[int]) -> None:
    if _is_reason(reason):
        finished.add(number)
        open_.discard(number)
    elif number not in finished:
        open_.add(number)


def _is_reason(value: Any) -> bool:
    return bool(value) and not (isinstance(value, str) and value in _NO_REASONS)


def _reasons(value: Any, depth: int) -> Iterator[Any]:
    """Yield what an event says about why it ends, be it nothing."""
    if depth == 0:
        return
    if isinstance(value, list):
        for each in value:
            yield from _reasons(each, depth)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name in _REASONS:
                yield each
            elif isinstance(each, dict | list):
                yield from _reasons(each, depth - 1)


def _index(value: Mapping[str, Any]) -> int:
    number = value.get("index", 0)
    return number if isinstance(number, int) else 0
