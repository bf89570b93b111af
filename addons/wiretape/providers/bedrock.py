"""Bedrock's own API, which is passed on as it is sent: its streams are messages of AWS's, not events.

What goes through its endpoint of OpenAI's form is in ``openai``.
"""

import re

from wiretape.codecs import eventstream
from wiretape.providers import answers, sdk_errors
from wiretape.providers.answers import BrokeOffError, HoldsError
from wiretape.providers.dialects import Dialect

_URLS = re.compile(r"://bedrock[^/]*\.amazonaws\.com(?:\.cn)?(?::\d+)?/(?!openai/)")

DIALECT = Dialect(urls=_URLS, own_error=sdk_errors.own_plain)


def must_be_whole(body: bytes | bytearray) -> None:
    """Look through the messages of a stream. Raises UnrecordableError: an exception in it comes with status 200."""
    is_open = False
    try:
        for message in eventstream.messages(body):
            if message.headers.get(":message-type") in ("exception", "error"):
                name = message.headers.get(":exception-type") or message.headers.get(":error-code") or "error"
                told = answers.object_of(message.payload).get("message") or message.headers.get(":error-message")
                raise HoldsError({"type": name, "message": told})
            event = message.headers.get(":event-type")
            is_open = event == "messageStart" or (is_open and event != "messageStop")
    except ValueError as e:
        raise BrokeOffError(f"{e}: the stream broke off") from e
    if is_open:
        raise BrokeOffError("the stream ended without its last message: it broke off")
