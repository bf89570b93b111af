"""Header fields and statuses as an answer may have them. Everything that writes or reads an answer uses it.

Source: RFC 9110, 5.5 (field values), 15 (statuses) and 6.4.1 (which answers have no content).
"""

import re

_VALUE = re.compile(r"[\t\x20-\x7e]*")
"""Printable ASCII. With CR or LF, a value could become a field of its own."""

_KEPT = re.compile(
    r"content-type|server-timing|openai-processing-ms|openai-version|openai-model|x-should-retry"
    r"|(?:x-|anthropic-)?ratelimit-[a-z0-9._-]+|fireworks-[a-z0-9._-]+|x-inference-[a-z0-9._-]+|x-groq-region"
    r"|x-envoy-upstream-service-time|(?:x-|x-ms-)?retry-after(?:-ms)?|(?:operation-)?location"
    r"|(?:x-)?ratelimit(?:-policy)?|x-rate-limit-[a-z0-9._-]+|access-control-[a-z-]+|content-disposition"
    r"|x-goog-upload-[a-z-]+"
)
"""Headers that are kept, because a client may act on them. Never a cookie, nor anything about the client."""

_NEVER = re.compile("account|organization|project|user|tenant|key|token-id|deployment-id|request-id")

EMPTY = frozenset({204, 205, 304})
"""Statuses of answers without content."""

_ABOUT_THE_REQUEST = frozenset({400, 404, 405, 406, 410, 411, 413, 414, 415, 416, 417, 422, 426, 431, 451})
"""Statuses of errors that the same request would get again, from any client and at any time."""

UNFRAMED = frozenset({204, 304})
"""Statuses of answers that end with their head, whatever it says about the length of a body."""


def is_value(text: str) -> bool:
    """Tell whether a text can be the value of a field."""
    return _VALUE.fullmatch(text) is not None


def is_kept(name: str) -> bool:
    """Tell whether a header, its name in lower case, is kept with a recording."""
    return _KEPT.fullmatch(name) is not None and _NEVER.search(name) is None


def is_passing(status: int) -> bool:
    """Tell whether an answer of this status depends on the client or the time: the next client may get another one."""
    if status < 400:
        # What is to be asked for again, here or elsewhere; parts of an answer, for whoever has the rest of it.
        return status in (202, 206, 302, 303, 304, 307)
    return status not in _ABOUT_THE_REQUEST


_OF_WHO_ASKS = frozenset({401, 402, 403, 407, 511})
"""Statuses of errors that stay until somebody acts: the same request is not sent again at once."""


def is_momentary(status: int) -> bool:
    """Tell whether a client that sends the same request again, as SDKs do, may get another answer in a moment."""
    return is_passing(status) and status >= 400 and status not in _OF_WHO_ASKS


def is_status(value: object) -> bool:
    """Tell whether a value is the status of a whole answer: not an interim one (1xx), and not ``True``."""
    return isinstance(value, int) and not isinstance(value, bool) and 200 <= value < 600
