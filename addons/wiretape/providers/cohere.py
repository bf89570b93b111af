"""Cohere's API, which is passed on as it is sent: the events that end its streams, of both versions."""

from wiretape.providers.dialects import Dialect

DIALECT = Dialect(last_events=("message-end", "stream-end"))
