"""What is known of an API whose requests and answers are passed on as they are sent. Under ``passthrough``.

Such an endpoint is known by its URL alone, and a URL says little about who stands behind it. So each stream is looked
at in all dialects, and each understands its own.
"""

from collections.abc import Callable
from dataclasses import dataclass

from wiretape.providers.stream_ends import Watcher
from wiretape.providers.usage import UsageReader
from wiretape.recording import RecordedRequest


@dataclass(frozen=True, slots=True)
class Dialect:
    """What is known of one API."""

    watcher: Callable[[RecordedRequest], Watcher] | None = None
    """Gives who tells when a stream is whole."""
    usage: UsageReader | None = None
    """Where an answer tells its tokens."""
    last_events: tuple[str, ...] = ()
    """The names, or types, of the events that end a stream."""
