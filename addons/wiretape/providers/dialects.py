"""What is known of an API whose requests and answers are passed on as they are sent. Under ``passthrough``.

Such an endpoint is known by its URL alone, and a URL says little about who stands behind it. So each stream is looked
at in all dialects, and each understands its own. Only what this proxy says by itself has to be in one of them: the
first that knows the URL, else OpenAI's.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from wiretape.providers import sdk_errors
from wiretape.providers.stream_ends import Watcher
from wiretape.providers.usage import UsageReader
from wiretape.recording import JSON, RecordedRequest


@dataclass(frozen=True, slots=True)
class Dialect:
    """What is known of one API."""

    watcher: Callable[[RecordedRequest], Watcher] | None = None
    """Gives who tells when a stream is whole."""
    usage: UsageReader | None = None
    """Where an answer tells its tokens."""
    last_events: tuple[str, ...] = ()
    """The names, or types, of the events that end a stream."""
    urls: re.Pattern[str] | None = None
    """Found in the URLs that are this API's, where a URL tells it. A URL has no query here."""
    own_error: Callable[[int, str, str], JSON] = sdk_errors.own
    """Gives the body of an error of this proxy's own, of a status, a message and a code."""
