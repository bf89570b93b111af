"""Bedrock's own API, which is passed on as it is sent: its streams are messages of AWS's, not events.

What goes through its endpoint of OpenAI's form is in ``openai``.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any

from wiretape.codecs import eventstream
from wiretape.providers import answers, sdk_errors
from wiretape.providers.answers import BrokeOffError, HoldsError
from wiretape.providers.dialects import Dialect
from wiretape.providers.usage import UsageReader
from wiretape.providers.usage_forms import BEDROCK, BEDROCK_INVOKE

_URLS = re.compile(r"://bedrock[^/]*\.amazonaws\.com(?:\.cn)?(?::\d+)?/(?!openai/)")

DIALECT = Dialect(usage=UsageReader(BEDROCK, BEDROCK_INVOKE), urls=_URLS, own_error=sdk_errors.own_plain)


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


def elements(body: bytes | bytearray) -> Iterator[Mapping[str, Any]]:
    """Yield the JSON objects of a stream's messages, up to the first that is none; a chunk has a model's own in it."""
    try:
        for message in eventstream.messages(body):
            value = answers.object_of(message.payload)
            inner = value.get("bytes")
            yield answers.object_of(base64.b64decode(inner)) if isinstance(inner, str) else value
    except (ValueError, binascii.Error):
        return
