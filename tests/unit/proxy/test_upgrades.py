"""Which requests begin a conversation: they pass as they come, and are not recorded."""

import pytest
from mitmproxy.test import tutils

from builders import route
from wiretape.proxy import upgrades


@pytest.mark.parametrize(
    ("headers", "is_one"),
    [
        ({}, False),
        ({"upgrade": "websocket"}, True),
        ({"Upgrade": "WebSocket"}, True),
        ({"upgrade": "h2c, websocket"}, True),
        ({"upgrade": "h2c"}, False),
        ({"content-type": "application/grpc"}, True),
        ({"content-type": "Application/gRPC+proto"}, True),
        ({"content-type": "application/grpc-web"}, True),
        ({"content-type": "application/json"}, False),
    ],
)
def test_a_websocket_and_grpc_are_conversations(headers: dict[str, str], *, is_one: bool) -> None:
    request = tutils.treq()
    request.headers.clear()
    request.headers.update(headers)
    assert upgrades.is_one(request) is is_one


def test_the_refusal_says_which_protocol_is_wanted() -> None:
    answer = upgrades.refusal(route())
    assert (answer.status, dict(answer.headers)["upgrade"]) == (426, "HTTP/1.1")
    assert b"websocket_not_recorded" in answer.body
