"""When a stream is whole whose API nobody knows, or which may be of any of several. Under ``passthrough``; sans-IO."""

from collections.abc import Iterator, Mapping
from typing import Any

from wiretape.providers.stream_ends import End, Watcher, is_reason, names_of

_FAMILIES = ("response.", "interaction.")
"""With these begin the names of the events of which only one, which is known, is the end."""

_ENDINGS = (".done", ".complete", ".completed")

_NAMES = frozenset({"done", "end", "close", "complete", "completed", "finish", "finished"})
"""Names of a last event: those of Replicate, watsonx, Llama's API and many services of one's own."""

FLAGS = frozenset({"done", "stop", "is_finished"})
"""Members with which an event of Ollama's, llama.cpp's or Cohere's own API says that it is the last."""

_REASONS = frozenset({"finish_reason", "finishReason", "stop_reason", "stopReason"})
"""Members that say why an answer ended: of DashScope, TGI, watsonx, Bedrock."""

_KNOWN = frozenset({"choices", "candidates"})
"""Of what has these members, others know how many reasons there are to be."""

_DEEPEST = 4
"""Objects inside each other in which a reason is looked for."""


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
        for name in names_of(data, event):
            if name.startswith(_FAMILIES):
                return End.OPEN
            if name in _NAMES or name.endswith(_ENDINGS):
                end = End.COMPLETE
        if end is End.OPEN and _KNOWN.isdisjoint(data):
            reasons = [*_reasons(data, _DEEPEST)]
            end = End.COMPLETE if reasons and all(map(is_reason, reasons)) else End.OPEN
        return end


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
