"""Cohere's API, which is passed on as it is sent: the events that end its streams, of both versions,
and what they say of tokens.
"""

import re

from wiretape.providers import sdk_errors
from wiretape.providers.dialects import Dialect
from wiretape.providers.usage import UsageReader
from wiretape.providers.usage_forms import COHERE

_URLS = re.compile(r"://api\.cohere\.(?:com|ai)(?::\d+)?/(?!compatibility/)")
"""Below ``/compatibility`` it speaks OpenAI's."""

DIALECT = Dialect(
    usage=UsageReader(COHERE),
    last_events=("message-end", "stream-end"),
    urls=_URLS,
    own_error=sdk_errors.own_plain,
)
