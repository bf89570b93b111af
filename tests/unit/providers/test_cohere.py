"""The events that end Cohere's streams, of both versions."""

from wiretape.providers.cohere import DIALECT


def test_the_last_events() -> None:
    assert DIALECT.last_events == ("message-end", "stream-end")
