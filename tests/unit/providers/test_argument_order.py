"""The order of a call's arguments: an SDK's own says nothing about its caller; a client's own stays."""

import pytest

from wiretape.providers.argument_order import ArgumentOrder

ORDER = ArgumentOrder(
    sent_first=(("messages", "model"), ("model",)),
    recorded_first=("model", "messages"),
    recorded_last=("stream",),
)


@pytest.mark.parametrize(
    ("sent", "recorded"),
    [
        ("messages model n stream tools", "model messages n tools stream"),
        ("model messages n stream", "model messages n stream"),
        ("messages model stream temperature", "model messages temperature stream"),
        ("model", "model"),
        ("", ""),
        ("n messages model", "n messages model"),
        ("messages model tools n", "messages model tools n"),
    ],
)
def test_the_order_of_what_is_recorded(sent: str, recorded: str) -> None:
    arguments = {name: number for number, name in enumerate(sent.split())}
    made = ORDER.recorded(arguments)
    assert [*made] == recorded.split()
    assert made == arguments
